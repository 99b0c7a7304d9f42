//! Publish and subscribe; what happens behind it is in [`crate::pubsub`].

mod look;
mod publish;
mod subscribe;

use quoris_engine::CommandError;
use quoris_engine::spec::{Arg, Flags, Group, KeyAccess, KeySpec, Spec, string};
use quoris_engine::spec::{Begin, Find};
use quoris_resp::Protocol;

use crate::registry::{Entry, NodeCommand};
use crate::session::Session;

pub(super) const COMMANDS: &[NodeCommand] = &[
    subscribe::PSUBSCRIBE,
    publish::PUBLISH,
    look::PUBSUB,
    subscribe::PUNSUBSCRIBE,
    publish::SPUBLISH,
    subscribe::SSUBSCRIBE,
    subscribe::SUBSCRIBE,
    subscribe::SUNSUBSCRIBE,
    subscribe::UNSUBSCRIBE,
];

const FLAGS: Flags = Flags::PUBSUB.or(Flags::LOADING).or(Flags::STALE);
const SHARD_CHANNEL: Arg = string("shardchannel");

/// Channels of a shard from the first word to the `last`.
const fn shard_channels(last: i32) -> [Option<KeySpec>; 3] {
    let find = Find::Range { last, step: 1, limit: 0 };
    [Some(KeySpec { begin: Begin::Index(1), find, access: KeyAccess::NOT_KEY }), None, None]
}

const fn about_channels(name: &'static str, since: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::PubSub, since, summary)
}

/// Why a client that has subscribed may not run a command: in RESP2 it could not tell the reply
/// from a message.
#[cold]
pub(crate) fn refusal(session: &Session, entry: &Entry) -> Option<CommandError> {
    const ALLOWED: [&str; 9] = [
        "ping",
        "subscribe",
        "ssubscribe",
        "unsubscribe",
        "sunsubscribe",
        "psubscribe",
        "punsubscribe",
        "quit",
        "reset",
    ];
    if session.protocol.get() == Protocol::Resp3 || ALLOWED.contains(&entry.command.spec.name) {
        return None;
    }
    Some(CommandError::text(format!(
        "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
        entry.full_name()
    )))
}
