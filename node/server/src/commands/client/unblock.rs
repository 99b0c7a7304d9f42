//! CLIENT UNBLOCK: ends another client's wait for a key.

use quoris_engine::spec::{integer, one_of, token};
use quoris_engine::{Args, Result, error};
use quoris_resp::{Writer, parse_i64};

use super::{ADMIN, sub};
use crate::blocking::End;
use crate::commands::help;
use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::replies;

/// CLIENT UNBLOCK client-id [TIMEOUT | ERROR]
pub(super) const UNBLOCK: NodeCommand = NodeCommand::new(
    sub("unblock", "5.0.0", "Ends a client's wait.")
        .sub_args(&[
            integer("client-id"),
            one_of("unblock-type", &[token("timeout", "TIMEOUT"), token("error", "ERROR")])
                .optional(),
        ])
        .flags(ADMIN)
        .complexity("O(log N) where N is the number of client connections"),
    unblock,
);

fn unblock(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    if args.len() > 4 {
        return Err(help::wrong_words("CLIENT", &args[1]));
    }
    let end = match args.try_get(3).map(<[u8]>::to_ascii_lowercase).as_deref() {
        None | Some(b"timeout") => End::Timeout,
        Some(b"error") => End::Error(replies::UNBLOCKED_BY_CLIENT),
        Some(_) => return Err(replies::BAD_UNBLOCK),
    };
    let id = parse_i64(&args[2]).ok_or(error::NOT_INTEGER)?;
    let session = u64::try_from(id).ok().and_then(|id| cx.shared.sessions.get(id));
    let is_ended = session.is_some_and(|session| cx.shared.end_wait(&session, end));
    reply.integer(i64::from(is_ended));
    Ok(Outcome::Done)
}
