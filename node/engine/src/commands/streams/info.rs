//! Looking at streams, groups and consumers.

use quoris_resp::Writer;

use super::arguments::{write_entry, write_id};
use super::{bad_subcommand, info_full, no_such_group};
use crate::command::{Args, Command, Run};
use crate::commands::{helping, options};
use crate::context::ReadCx;
use crate::error::{NO_SUCH_KEY, Result};
use crate::spec::{Group as CommandGroup, KeyAccess, Spec, block, integer, key, string, token};
use crate::types::Stream;
use crate::types::stream::{Group, StreamId};

/// XINFO CONSUMERS | GROUPS | HELP | STREAM
pub(super) const XINFO: Command = Command {
    spec: Spec::new("xinfo", CommandGroup::Stream, "5.0.0", "Describes streams and their groups.")
        .arity(-2)
        .complexity("Depends on subcommand."),
    run: Run::Container(&[CONSUMERS, GROUPS, HELP, STREAM]),
};

/// XINFO CONSUMERS key group
const CONSUMERS: Command = Command {
    spec: Spec::new(
        "consumers",
        CommandGroup::Stream,
        "5.0.0",
        "Describes the consumers of a group.",
    )
    .sub_args(&[key("key").access(KeyAccess::READ), string("group")])
    .tips(&["nondeterministic_output"]),
    run: Run::Read(consumers),
};

/// XINFO GROUPS key
const GROUPS: Command = Command {
    spec: Spec::new("groups", CommandGroup::Stream, "5.0.0", "Describes the groups of a stream.")
        .sub_args(&[key("key").access(KeyAccess::READ)]),
    run: Run::Read(groups),
};

/// XINFO HELP
const HELP: Command =
    Command { spec: helping::spec(CommandGroup::Stream, "5.0.0"), run: Run::Read(help) };

/// XINFO STREAM key [FULL [COUNT count]]
const STREAM: Command = Command {
    spec: Spec::new("stream", CommandGroup::Stream, "5.0.0", "Describes a stream.").sub_args(&[
        key("key").access(KeyAccess::READ),
        block("full-block", &[token("full", "FULL"), integer("count").after("COUNT").optional()])
            .optional(),
    ]),
    run: Run::Read(stream),
};

const TEXT: &[&str] = &[
    "XINFO <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CONSUMERS <key> <groupname>",
    "    Show consumers of <groupname>.",
    "GROUPS <key>",
    "    Show the stream consumer groups.",
    "STREAM <key> [FULL [COUNT <count>]",
    "    Show information about the stream.",
    "HELP",
    "    Prints this help.",
];

fn help(_: &ReadCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result {
    helping::write(reply, TEXT)
}

/// Writes the name of a field of a map.
pub(super) fn field(reply: &mut Writer<'_>, name: &str) {
    reply.bulk(name.as_bytes());
}

pub(super) fn write_count(reply: &mut Writer<'_>, name: &str, count: i64) {
    field(reply, name);
    reply.integer(count);
}

pub(super) fn write_count_or_null(reply: &mut Writer<'_>, name: &str, count: Option<i64>) {
    field(reply, name);
    match count {
        Some(count) => reply.integer(count),
        None => reply.null(),
    }
}

pub(super) fn write_named_id(reply: &mut Writer<'_>, name: &str, id: StreamId) {
    field(reply, name);
    write_id(reply, id);
}

/// How far a group has read.
pub(super) fn write_progress(reply: &mut Writer<'_>, stream: &Stream, group: &Group) {
    write_count_or_null(reply, "entries-read", group.entries_read);
    write_count_or_null(reply, "lag", stream.lag_of(group));
}

fn consumers(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (key, name) = (cx.key(&args, 2), args.get(3));
    let stream = cx.get::<Stream>(&key)?.ok_or(NO_SUCH_KEY)?;
    let group = stream.group(name).ok_or_else(|| no_such_group(key.bytes, name))?;
    let now_ms = cx.now_ms() as i64;
    reply.array(group.consumer_count());
    for consumer in group.consumers() {
        reply.map(4);
        field(reply, "name");
        reply.bulk(consumer.name());
        write_count(reply, "pending", consumer.pending().len() as i64);
        write_count(reply, "idle", now_ms.saturating_sub(consumer.seen_at_ms).max(0));
        let inactive = match consumer.active_at_ms {
            -1 => -1,
            at_ms => now_ms.saturating_sub(at_ms),
        };
        write_count(reply, "inactive", inactive);
    }
    Ok(())
}

fn groups(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let stream = cx.get::<Stream>(&cx.key(&args, 2))?.ok_or(NO_SUCH_KEY)?;
    reply.array(stream.group_count());
    for (name, group) in stream.groups() {
        reply.map(6);
        field(reply, "name");
        reply.bulk(name);
        write_count(reply, "consumers", group.consumer_count() as i64);
        write_count(reply, "pending", group.pending().len() as i64);
        write_named_id(reply, "last-delivered-id", group.last_id);
        write_progress(reply, stream, group);
    }
    Ok(())
}

/// How many entries, pending entries and so on `FULL` shows; 0 for all of them.
fn full_count(args: &Args<'_>) -> Result<Option<usize>> {
    let bad = || bad_subcommand("XINFO", args.get(1));
    match args.len() {
        3 => Ok(None),
        4 | 6 if !options::is(args.get(3), "full") => Err(bad()),
        4 => Ok(Some(10)),
        6 if options::is(args.get(4), "count") => {
            let count = options::integer(args.get(5))?;
            Ok(Some(usize::try_from(count).unwrap_or(10)))
        }
        _ => Err(bad()),
    }
}

fn stream(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let stream = cx.get::<Stream>(&cx.key(&args, 2))?.ok_or(NO_SUCH_KEY)?;
    let full = full_count(&args)?;
    reply.map(if full.is_some() { 9 } else { 10 });
    write_count(reply, "length", stream.len() as i64);
    write_count(reply, "radix-tree-keys", stream.node_count() as i64);
    // There is no radix tree here; this is what the smallest ones have.
    write_count(reply, "radix-tree-nodes", stream.node_count() as i64 + 1);
    write_named_id(reply, "last-generated-id", stream.last_id());
    write_named_id(reply, "max-deleted-entry-id", stream.max_deleted_id());
    write_count(reply, "entries-added", stream.entries_added() as i64);
    write_named_id(reply, "recorded-first-entry-id", stream.first_id());
    if let Some(count) = full {
        info_full::write(reply, stream, if count == 0 { usize::MAX } else { count });
        return Ok(());
    }
    write_count(reply, "groups", stream.group_count() as i64);
    let (start, end) = (StreamId::MIN, StreamId::MAX);
    let ends = [
        ("first-entry", stream.range(start, end).next()),
        ("last-entry", stream.range_backwards(start, end).next()),
    ];
    for (name, entry) in ends {
        field(reply, name);
        match entry {
            Some(entry) => write_entry(reply, &entry),
            None => reply.null(),
        }
    }
    Ok(())
}
