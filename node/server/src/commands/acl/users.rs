//! The only user: GETUSER, LIST, USERS and WHOAMI.

use std::fmt::Write as _;

use quoris_engine::spec::string;
use quoris_engine::{Args, Result};
use quoris_resp::Writer;
use sha2::{Digest, Sha256};

use super::{OPEN, sub};
use crate::registry::{NodeCommand, NodeCx, Outcome};

/// The name of the only user.
pub(super) const DEFAULT: &str = "default";
const PER_USER: &str = "O(N). Where N is the number of configured users.";
/// What it may use: every command, every key and every channel.
const EVERYTHING: [(&str, &str); 3] = [("commands", "+@all"), ("keys", "~*"), ("channels", "&*")];

/// ACL GETUSER username
pub(super) const GETUSER: NodeCommand = NodeCommand::new(
    sub("getuser", "Describes a user.", &[string("username")]).complexity(
        "O(N). Where N is the number of password, command and pattern rules that the user has.",
    ),
    getuser,
);

/// ACL LIST
pub(super) const LIST: NodeCommand = NodeCommand::new(
    sub("list", "Lists the users with their rules.", &[]).complexity(PER_USER),
    list,
);

/// ACL USERS
pub(super) const USERS: NodeCommand = NodeCommand::new(
    sub("users", "Lists the names of the users.", &[]).complexity(PER_USER),
    users,
);

/// ACL WHOAMI
pub(super) const WHOAMI: NodeCommand =
    NodeCommand::new(sub("whoami", "Names the connection's user.", &[]).flags(OPEN), whoami);

/// The digest of the password, in hexadecimal, if there is one.
fn password(cx: &NodeCx<'_>) -> Option<String> {
    let config = cx.shared.config.borrow();
    let mut text = String::new();
    for byte in Sha256::digest(config.requirepass()?) {
        let _ = write!(text, "{byte:02x}");
    }
    Some(text)
}

fn getuser(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    if &args[2] != DEFAULT.as_bytes() {
        reply.null_array();
        return Ok(Outcome::Done);
    }
    let password = password(cx);
    let flags: &[&str] = if password.is_none() { &["on", "nopass"] } else { &["on"] };
    reply.map(6);
    reply.bulk(b"flags");
    reply.set(flags.len());
    flags.iter().for_each(|flag| reply.bulk(flag.as_bytes()));
    reply.bulk(b"passwords");
    reply.array(password.iter().len());
    password.iter().for_each(|digest| reply.bulk(digest.as_bytes()));
    for (name, rule) in EVERYTHING {
        reply.bulk(name.as_bytes());
        reply.bulk(rule.as_bytes());
    }
    reply.bulk(b"selectors");
    reply.array(0);
    Ok(Outcome::Done)
}

fn list(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let password = password(cx).map_or_else(|| "nopass".into(), |digest| format!("#{digest}"));
    reply.array(1);
    reply.bulk(format!("user {DEFAULT} on {password} ~* &* +@all").as_bytes());
    Ok(Outcome::Done)
}

fn users(_: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    reply.array(1);
    reply.bulk(DEFAULT.as_bytes());
    Ok(Outcome::Done)
}

fn whoami(_: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    reply.bulk(DEFAULT.as_bytes());
    Ok(Outcome::Done)
}
