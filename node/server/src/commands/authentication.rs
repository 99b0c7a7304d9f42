//! AUTH, and the check behind it.

use quoris_engine::spec::{Flags, Group, Spec, string};
use quoris_engine::{Args, CommandError, Result, error};
use quoris_resp::Writer;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::replies;
use crate::shared::Shared;

pub(super) const COMMANDS: &[NodeCommand] = &[AUTH];

/// The only user there is.
const DEFAULT_USER: &[u8] = b"default";

/// AUTH [username] password
const AUTH: NodeCommand = NodeCommand::new(
    Spec::new("auth", Group::Connection, "1.0.0", "Authenticates the connection.")
        .args(&[string("username").optional(), string("password")])
        .flags(
            Flags::FAST
                .or(Flags::NOSCRIPT)
                .or(Flags::LOADING)
                .or(Flags::STALE)
                .or(Flags::NO_AUTH)
                .or(Flags::ALLOW_BUSY),
        ),
    auth,
);

fn auth(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let (user, password) = match args.len() {
        2 if cx.shared.config.borrow().requirepass().is_none() => {
            return Err(replies::NO_PASSWORD_SET);
        }
        2 => (DEFAULT_USER, &args[1]),
        3 => (&args[1], &args[2]),
        _ => return Err(error::SYNTAX),
    };
    authenticate(cx, user, password)?;
    reply.ok();
    Ok(Outcome::Done)
}

/// Authenticates the connection.
///
/// # Errors
/// `WRONGPASS`.
pub(super) fn authenticate(cx: &NodeCx<'_>, user: &[u8], password: &[u8]) -> Result {
    if !is_right(cx.shared, user, password) {
        return Err(WRONG);
    }
    cx.session.authenticated.set(true);
    Ok(())
}

const WRONG: CommandError = replies::WRONG_PASSWORD;

fn is_right(shared: &Shared, user: &[u8], password: &[u8]) -> bool {
    let config = shared.config.borrow();
    if user != DEFAULT_USER {
        return false;
    }
    let Some(right) = config.requirepass() else { return true };
    // Digests are compared, so that not even the length of the password shows in the time taken.
    let expected = Sha256::digest(right);
    let given = Sha256::digest(password);
    bool::from(expected.as_slice().ct_eq(given.as_slice()))
}
