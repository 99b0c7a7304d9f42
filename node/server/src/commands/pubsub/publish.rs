//! PUBLISH and SPUBLISH.

use quoris_engine::spec::{Flags, string};
use quoris_engine::{Args, Result};
use quoris_resp::Writer;

use super::{FLAGS, SHARD_CHANNEL, about_channels, shard_channels};
use crate::pubsub::{Kind, Own};
use crate::registry::{NodeCommand, NodeCx, Outcome};

/// PUBLISH channel message
pub(super) const PUBLISH: NodeCommand = NodeCommand::new(
    about_channels("publish", "2.0.0", "Sends a message to the subscribers of a channel.")
        .args(&[string("channel"), string("message")])
        .differs("A script is told 0: how many there are, each node knows for itself.")
        .complexity("O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total number of subscribed patterns (by any client).")
        .flags(FLAGS.or(Flags::FAST)),
    publish,
);

/// SPUBLISH shardchannel message
pub(super) const SPUBLISH: NodeCommand = NodeCommand::new(
    about_channels("spublish", "7.0.0", "Sends a message to the subscribers of a shard's channel.")
        .args(&[SHARD_CHANNEL, string("message")])
        .keys(shard_channels(0))
        .differs("A script is told 0: how many there are, each node knows for itself.")
        .complexity(
            "O(N) where N is the number of clients subscribed to the receiving shard channel.",
        )
        .flags(FLAGS.or(Flags::FAST)),
    spublish,
);

fn publish(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    send(cx, Kind::Channel, args, reply)
}

fn spublish(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    send(cx, Kind::Shard, args, reply)
}

fn send(cx: &NodeCx<'_>, kind: Kind, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    // Inside EXEC the reply is a part of another, in which no message may stand.
    let is_alone = !cx.session.in_exec.get();
    let own = is_alone.then_some(Own { id: cx.session.id, reply });
    let sent = cx.shared.publish(kind, &args[1], &args[2], own);
    reply.count(sent);
    Ok(Outcome::Done)
}
