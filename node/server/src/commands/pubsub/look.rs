//! PUBSUB: what is subscribed to on this node.

use quoris_engine::spec::{Flags, Spec, pattern, string};
use quoris_engine::{Args, Result};
use quoris_resp::Writer;

use super::{FLAGS, SHARD_CHANNEL, about_channels};
use crate::commands::help;
use crate::pubsub::Kind;
use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::subcommands;

/// PUBSUB subcommand
pub(super) const PUBSUB: NodeCommand = NodeCommand::container(
    about_channels("pubsub", "2.8.0", "Tells who has subscribed to what.")
        .arity(-2)
        .complexity("Depends on subcommand."),
    SUBCOMMANDS,
);

subcommands!(SUBCOMMANDS: 6 = [CHANNELS, HELP, NUMPAT, NUMSUB, SHARDCHANNELS, SHARDNUMSUB]);

const fn sub(name: &'static str, since: &'static str, summary: &'static str) -> Spec {
    about_channels(name, since, summary).sub_args(&[]).flags(FLAGS)
}

/// PUBSUB CHANNELS [pattern]
const CHANNELS: NodeCommand = NodeCommand::new(
    sub("channels", "2.8.0", "Lists the channels that have subscribers.")
        .sub_args(&[pattern("pattern").optional()])
        .complexity("O(N) where N is the number of active channels, and assuming constant time pattern matching (relatively short channels and patterns)"),
    |cx, args, reply| names(cx, Kind::Channel, args, reply),
);

/// PUBSUB HELP
const HELP: NodeCommand = NodeCommand::new(
    sub("help", "6.2.0", "Lists the subcommands.").flags(Flags::LOADING.or(Flags::STALE)),
    show_help,
);

/// PUBSUB NUMPAT
const NUMPAT: NodeCommand =
    NodeCommand::new(sub("numpat", "2.8.0", "Counts the patterns that have subscribers."), numpat);

/// PUBSUB NUMSUB [channel [channel ...]]
const NUMSUB: NodeCommand = NodeCommand::new(
    sub("numsub", "2.8.0", "Counts the subscribers of channels.")
        .sub_args(&[string("channel").optional().multiple()])
        .complexity("O(N) for the NUMSUB subcommand, where N is the number of requested channels"),
    |cx, args, reply| counts(cx, Kind::Channel, args, reply),
);

/// PUBSUB SHARDCHANNELS [pattern]
const SHARDCHANNELS: NodeCommand = NodeCommand::new(
    sub("shardchannels", "7.0.0", "Lists the channels of this shard that have subscribers.")
        .sub_args(&[pattern("pattern").optional()])
        .complexity("O(N) where N is the number of active shard channels, and assuming constant time pattern matching (relatively short shard channels)."),
    |cx, args, reply| names(cx, Kind::Shard, args, reply),
);

/// PUBSUB SHARDNUMSUB [shardchannel [shardchannel ...]]
const SHARDNUMSUB: NodeCommand = NodeCommand::new(
    sub("shardnumsub", "7.0.0", "Counts the subscribers of channels of this shard.")
        .sub_args(&[SHARD_CHANNEL.optional().multiple()])
        .complexity("O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels"),
    |cx, args, reply| counts(cx, Kind::Shard, args, reply),
);

const LINES: &[&str] = &[
    "CHANNELS [<pattern>]",
    "    Return the currently active channels matching a <pattern> (default: '*').",
    "NUMPAT",
    "    Return number of subscriptions to patterns.",
    "NUMSUB [<channel> ...]",
    "    Return the number of subscribers for the specified channels, excluding",
    "    pattern subscriptions(default: no channels).",
    "SHARDCHANNELS [<pattern>]",
    "    Return the currently active shard level channels matching a <pattern> (default: '*').",
    "SHARDNUMSUB [<shardchannel> ...]",
    "    Return the number of subscribers for the specified shard level channel(s)",
];

fn show_help(_: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    help::write(reply, "PUBSUB", LINES);
    Ok(Outcome::Done)
}

fn names(cx: &NodeCx<'_>, kind: Kind, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    if args.len() > 3 {
        return Err(help::wrong_words("PUBSUB", &args[1]));
    }
    let names = cx.shared.pubsub.names(kind, args.try_get(2));
    reply.array(names.len());
    names.iter().for_each(|name| reply.bulk(name));
    Ok(Outcome::Done)
}

fn counts(cx: &NodeCx<'_>, kind: Kind, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    reply.array((args.len() - 2) * 2);
    for name in args.from(2) {
        reply.bulk(name);
        reply.count(cx.shared.pubsub.listeners(kind, name));
    }
    Ok(Outcome::Done)
}

fn numpat(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    reply.count(cx.shared.pubsub.len(Kind::Pattern));
    Ok(Outcome::Done)
}
