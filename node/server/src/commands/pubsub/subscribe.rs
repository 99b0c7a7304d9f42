//! SUBSCRIBE, UNSUBSCRIBE and their siblings for patterns and for the channels of shards.

use std::rc::Rc;

use quoris_engine::spec::{Flags, Spec, pattern, string};
use quoris_engine::{Args, Result};
use quoris_resp::Writer;

use super::{FLAGS, SHARD_CHANNEL, about_channels, shard_channels};
use crate::pubsub::Kind;
use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::replies;

const fn sub(name: &'static str, since: &'static str, summary: &'static str) -> Spec {
    about_channels(name, since, summary).flags(FLAGS.or(Flags::NOSCRIPT))
}

/// SUBSCRIBE channel [channel ...]
pub(super) const SUBSCRIBE: NodeCommand = NodeCommand::new(
    sub("subscribe", "2.0.0", "Begins to receive the messages of channels.")
        .args(&[string("channel").multiple()])
        .complexity("O(N) where N is the number of channels to subscribe to."),
    |cx, args, reply| enter(cx, Kind::Channel, args, reply),
);

/// PSUBSCRIBE pattern [pattern ...]
pub(super) const PSUBSCRIBE: NodeCommand = NodeCommand::new(
    sub(
        "psubscribe",
        "2.0.0",
        "Begins to receive the messages of all channels that fit a pattern.",
    )
    .args(&[pattern("pattern").multiple()])
    .complexity("O(N) where N is the number of patterns to subscribe to."),
    |cx, args, reply| enter(cx, Kind::Pattern, args, reply),
);

/// SSUBSCRIBE shardchannel [shardchannel ...]
pub(super) const SSUBSCRIBE: NodeCommand = NodeCommand::new(
    sub("ssubscribe", "7.0.0", "Begins to receive the messages of channels of a shard.")
        .args(&[SHARD_CHANNEL.multiple()])
        .keys(shard_channels(-1))
        .complexity("O(N) where N is the number of shard channels to subscribe to."),
    |cx, args, reply| enter(cx, Kind::Shard, args, reply),
);

/// UNSUBSCRIBE [channel [channel ...]]
pub(super) const UNSUBSCRIBE: NodeCommand = NodeCommand::new(
    sub("unsubscribe", "2.0.0", "Ends what SUBSCRIBE began.")
        .args(&[string("channel").optional().multiple()])
        .complexity("O(N) where N is the number of clients already subscribed to a channel."),
    |cx, args, reply| leave(cx, Kind::Channel, args, reply),
);

/// PUNSUBSCRIBE [pattern [pattern ...]]
pub(super) const PUNSUBSCRIBE: NodeCommand = NodeCommand::new(
    sub("punsubscribe", "2.0.0", "Ends what PSUBSCRIBE began.")
        .args(&[pattern("pattern").optional().multiple()])
        .complexity("O(N+M) where N is the number of patterns the client is already subscribed and M is the number of total patterns subscribed in the system (by any client)."),
    |cx, args, reply| leave(cx, Kind::Pattern, args, reply),
);

/// SUNSUBSCRIBE [shardchannel [shardchannel ...]]
pub(super) const SUNSUBSCRIBE: NodeCommand = NodeCommand::new(
    sub("sunsubscribe", "7.0.0", "Ends what SSUBSCRIBE began.")
        .args(&[SHARD_CHANNEL.optional().multiple()])
        .keys(shard_channels(-1))
        .complexity("O(N) where N is the number of clients already subscribed to a shard channel."),
    |cx, args, reply| leave(cx, Kind::Shard, args, reply),
);

fn enter(cx: &NodeCx<'_>, kind: Kind, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    if kind == Kind::Shard && cx.session.in_exec.get() {
        return Err(replies::SSUBSCRIBE_DENIED);
    }
    let names: Vec<Rc<[u8]>> = args.from(1).map(Rc::from).collect();
    let hub = &cx.shared.pubsub;
    // Inside EXEC nothing waits.
    let announced =
        if cx.session.in_exec.get() { None } else { hub.announce(cx.shared, kind, &names) };
    let Some(announcement) = announced else {
        hub.enter(cx.session, kind, &names, reply);
        return Ok(Outcome::Pushed);
    };
    let (shared, session) = (Rc::clone(cx.shared), Rc::clone(cx.session));
    Ok(Outcome::Later(Box::pin(async move {
        announcement.settled().await;
        shared.reply(&session, |reply| {
            shared.pubsub.enter(&session, kind, announcement.names(), reply);
        });
        Ok(())
    })))
}

fn leave(cx: &NodeCx<'_>, kind: Kind, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let names: Vec<&[u8]> = args.from(1).collect();
    let names = Some(&names[..]).filter(|names| !names.is_empty());
    cx.shared.pubsub.leave(cx.session, kind, names, reply);
    Ok(Outcome::Pushed)
}
