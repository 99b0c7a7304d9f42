//! MEMORY: what the node occupies.

use quoris_engine::inspect::memory_bytes;
use quoris_engine::spec::{Flags, Group, KeyAccess, Spec, integer, key};
use quoris_engine::{Args, ReadCx, Result, error};
use quoris_resp::{Writer, parse_i64};

use super::help;
use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::subcommands;

pub(super) const COMMANDS: &[NodeCommand] = &[MEMORY];

const SPECIAL: &[&str] =
    &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"];

/// MEMORY subcommand
const MEMORY: NodeCommand = NodeCommand::container(
    Spec::new("memory", Group::Server, "4.0.0", "Knows what memory is used for.")
        .arity(-2)
        .complexity("Depends on subcommand."),
    SUBCOMMANDS,
);

subcommands!(SUBCOMMANDS: 6 = [DOCTOR, HELP, MALLOC_STATS, PURGE, STATS, USAGE]);

const fn sub(name: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::Server, "4.0.0", summary).sub_args(&[])
}

/// MEMORY DOCTOR
const DOCTOR: NodeCommand =
    NodeCommand::new(sub("doctor", "Says in words how memory is used.").tips(SPECIAL), doctor);

/// MEMORY HELP
const HELP: NodeCommand = NodeCommand::new(
    sub("help", "Lists the subcommands.").flags(Flags::LOADING.or(Flags::STALE)),
    show_help,
);

/// MEMORY MALLOC-STATS
const MALLOC_STATS: NodeCommand = NodeCommand::new(
    sub("malloc-stats", "Shows what the allocator tells of itself.")
        .differs("A few lines in place of jemalloc's own pages.")
        .complexity("Depends on how much memory is allocated, could be slow")
        .tips(SPECIAL),
    malloc_stats,
);

/// MEMORY PURGE
const PURGE: NodeCommand = NodeCommand::new(
    sub("purge", "Gives free memory back to the operating system.")
        .complexity("Depends on how much memory is allocated, could be slow")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    purge,
);

/// MEMORY STATS
const STATS: NodeCommand =
    NodeCommand::new(sub("stats", "Tells how memory is used.").tips(SPECIAL), stats);

/// MEMORY USAGE key [SAMPLES count]
const USAGE: NodeCommand = NodeCommand::reading(
    sub("usage", "Returns the bytes that a key and its value occupy.")
        .differs("Exact whatever `SAMPLES` says: collections know what they occupy.")
        .sub_args(&[
            key("key").access(KeyAccess::PEEK),
            integer("count").after("SAMPLES").optional(),
        ])
        .complexity("O(N) where N is the number of samples."),
    usage,
);

const LINES: &[&str] = &[
    "DOCTOR",
    "    Return memory problems reports.",
    "MALLOC-STATS",
    "    Return internal statistics report from the memory allocator.",
    "PURGE",
    "    Attempt to purge dirty pages for reclamation by the allocator.",
    "STATS",
    "    Return information about the memory usage of the server.",
    "USAGE <key> [SAMPLES <count>]",
    "    Return memory in bytes used by <key> and its value. Nested values are",
    "    sampled up to <count> times (default: 5, 0 means sample all).",
];

/// Collections know what they occupy, so that nothing is sampled.
fn usage(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let mut at = 3;
    while let Some(option) = args.try_get(at) {
        let count = args.try_get(at + 1).filter(|_| option.eq_ignore_ascii_case(b"samples"));
        let count = parse_i64(count.ok_or(error::SYNTAX)?).ok_or(error::NOT_INTEGER)?;
        if count < 0 {
            return Err(error::SYNTAX);
        }
        at += 2;
    }
    match cx.peek(&cx.key(&args, 2)) {
        Some(entry) => reply.count(memory_bytes(entry)),
        None => reply.null(),
    }
    Ok(())
}

fn doctor(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let memory = cx.shared.observe.memory_now();
    let peak = cx.shared.observe.memory_peak.get();
    let mut text = String::new();
    if memory.allocated < 5 << 20 {
        text.push_str("There is too little data here to tell anything from.\n");
    } else {
        if peak / 3 * 2 > memory.allocated {
            text.push_str(
                "- Memory use was half as high again at its peak. What was freed since may still \
                 be held by the allocator: MEMORY PURGE gives it back.\n",
            );
        }
        if memory.resident / 7 * 5 > memory.allocated {
            text.push_str(
                "- The process occupies much more than it has allocated. Keys that come and go in \
                 different sizes leave gaps; MEMORY PURGE may help, a restart will.\n",
            );
        }
        if text.is_empty() {
            text.push_str("Nothing about the use of memory is unusual.\n");
        }
    }
    reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}

fn show_help(_: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    help::write(reply, "MEMORY", LINES);
    Ok(Outcome::Done)
}

fn malloc_stats(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let report = cx.shared.observe.process().allocator_report();
    let report = report.as_deref().unwrap_or("Stats not supported for the current allocator");
    reply.verbatim("txt", report.as_bytes());
    Ok(Outcome::Done)
}

fn purge(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    cx.shared.observe.process().purge();
    reply.ok();
    Ok(Outcome::Done)
}

fn stats(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let observe = &cx.shared.observe;
    let memory = observe.memory_now();
    let (start, peak) = (observe.memory_start.get(), observe.memory_peak.get());
    let engine = cx.shared.engine.borrow();
    let keyspace = engine.keyspace();
    let databases = (0..keyspace.database_count()).map(|number| keyspace.database(number));
    let keys: usize = databases.map(quoris_engine::keyspace::Database::len).sum();
    let dataset = memory.allocated.saturating_sub(start);
    let counts: [(&str, u64); 10] = [
        ("peak.allocated", peak),
        ("total.allocated", memory.allocated),
        ("startup.allocated", start),
        ("keys.count", keys as u64),
        ("keys.bytes-per-key", if keys == 0 { 0 } else { dataset / keys as u64 }),
        ("dataset.bytes", dataset),
        ("allocator.allocated", memory.allocated),
        ("allocator.active", memory.active),
        ("allocator.resident", memory.resident),
        ("quoris.entry.bytes", keyspace.used_bytes() as u64),
    ];
    let shares = [
        ("dataset.percentage", share(dataset, memory.allocated) * 100.0),
        ("peak.percentage", share(memory.allocated, peak) * 100.0),
        ("allocator-fragmentation.ratio", share(memory.active, memory.allocated)),
        ("allocator-rss.ratio", share(memory.resident, memory.active)),
        ("rss-overhead.ratio", share(memory.rss, memory.resident)),
        ("fragmentation", share(memory.rss, memory.allocated)),
    ];
    reply.map(counts.len() + shares.len());
    for (name, count) in counts {
        reply.bulk(name.as_bytes());
        reply.integer(count as i64);
    }
    for (name, share) in shares {
        reply.bulk(name.as_bytes());
        reply.double(share);
    }
    Ok(Outcome::Done)
}

fn share(of: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { of as f64 / all as f64 }
}
