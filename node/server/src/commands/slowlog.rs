//! SLOWLOG: the last commands that took longer than `slowlog-log-slower-than`.

use quoris_engine::spec::{Flags, Group, Spec, integer};
use quoris_engine::{Args, CommandError, Result};
use quoris_resp::{Writer, parse_i64};

use super::help;
use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::subcommands;

pub(super) const COMMANDS: &[NodeCommand] = &[SLOWLOG];

const FLAGS: Flags = Flags::ADMIN.or(Flags::LOADING).or(Flags::STALE);
const ALL_NODES: &str = "request_policy:all_nodes";
const UNSTEADY: &str = "nondeterministic_output";

/// SLOWLOG subcommand
const SLOWLOG: NodeCommand = NodeCommand::container(
    Spec::new("slowlog", Group::Server, "2.2.12", "Knows the commands that were slow.")
        .arity(-2)
        .complexity("Depends on subcommand."),
    SUBCOMMANDS,
);

subcommands!(SUBCOMMANDS: 4 = [GET, HELP, LEN, RESET]);

/// SLOWLOG GET [count]
const GET: NodeCommand = NodeCommand::new(
    Spec::new("get", Group::Server, "2.2.12", "Returns slow commands, the newest first.")
        .sub_args(&[integer("count").optional()])
        .flags(FLAGS)
        .complexity("O(N) where N is the number of entries returned")
        .tips(&[ALL_NODES, UNSTEADY]),
    get,
);

/// SLOWLOG HELP
const HELP: NodeCommand = NodeCommand::new(
    Spec::new("help", Group::Server, "6.2.0", "Lists the subcommands.")
        .sub_args(&[])
        .flags(Flags::LOADING.or(Flags::STALE)),
    show_help,
);

/// SLOWLOG LEN
const LEN: NodeCommand = NodeCommand::new(
    Spec::new("len", Group::Server, "2.2.12", "Counts the slow commands that are known.")
        .sub_args(&[])
        .flags(FLAGS)
        .tips(&[ALL_NODES, "response_policy:agg_sum", UNSTEADY]),
    len,
);

/// SLOWLOG RESET
const RESET: NodeCommand = NodeCommand::new(
    Spec::new("reset", Group::Server, "2.2.12", "Forgets the slow commands.")
        .sub_args(&[])
        .flags(FLAGS)
        .complexity("O(N) where N is the number of entries in the slowlog")
        .tips(&[ALL_NODES, "response_policy:all_succeeded"]),
    reset,
);

const LINES: &[&str] = &[
    "GET [<count>]",
    "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
    "    Entries are made of:",
    "    id, timestamp, time in microseconds, arguments array, client IP and port,",
    "    client name",
    "LEN",
    "    Return the length of the slowlog.",
    "RESET",
    "    Reset the slowlog.",
];

const COUNT_TOO_LOW: CommandError =
    CommandError::fixed("ERR count should be greater than or equal to -1");

fn get(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let count = match (args.try_get(2), args.len()) {
        (None, _) => 10,
        (Some(word), 3) => parse_i64(word).filter(|count| *count >= -1).ok_or(COUNT_TOO_LOW)?,
        _ => return Err(help::wrong_words("SLOWLOG", &args[1])),
    };
    let log = cx.shared.observe.slowlog.borrow();
    let count = usize::try_from(count).map_or(log.len(), |count| count.min(log.len()));
    reply.array(count);
    for entry in log.iter().take(count) {
        reply.array(6);
        reply.integer(entry.id as i64);
        reply.integer(entry.at_s as i64);
        reply.integer(entry.time.as_micros() as i64);
        reply.array(entry.words.len());
        entry.words.iter().for_each(|word| reply.bulk(word));
        reply.bulk(entry.peer.as_bytes());
        reply.bulk(&entry.name);
    }
    Ok(Outcome::Done)
}

fn show_help(_: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    help::write(reply, "SLOWLOG", LINES);
    Ok(Outcome::Done)
}

fn len(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    reply.count(cx.shared.observe.slowlog.borrow().len());
    Ok(Outcome::Done)
}

fn reset(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    cx.shared.observe.slowlog.borrow_mut().clear();
    reply.ok();
    Ok(Outcome::Done)
}
