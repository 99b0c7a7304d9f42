//! Looking at what is delivered and not acknowledged.

use quoris_resp::Writer;

use super::arguments::{self, write_id};
use super::no_group;
use crate::command::{Args, Command, Run};
use crate::commands::options;
use crate::context::ReadCx;
use crate::error::{Result, SYNTAX};
use crate::spec::{Group as CommandGroup, KeyAccess, Spec, block, integer, key, string};
use crate::types::Stream;
use crate::types::stream::{Group, StreamId};

/// XPENDING key group [[IDLE min-idle-time] start end count [consumer]]
pub(super) const XPENDING: Command = Command {
    spec: Spec::new(
        "xpending",
        CommandGroup::Stream,
        "5.0.0",
        "Returns what a group has not acknowledged.",
    )
    .args(&[
        key("key").access(KeyAccess::READ),
        string("group"),
        block(
            "filters",
            &[
                integer("min-idle-time").after("IDLE").optional(),
                string("start"),
                string("end"),
                integer("count"),
                string("consumer").optional(),
            ],
        )
        .optional(),
    ])
    .tips(&["nondeterministic_output"])
    .complexity("O(log(N)+M) where N is the number of pending entries and M that of entries looked at; O(C) for the summary of C consumers"),
    run: Run::Read(xpending),
};

/// Which pending entries a client wants to see.
struct Filter<'a> {
    min_idle_ms: i64,
    start: StreamId,
    end: StreamId,
    count: usize,
    consumer: Option<&'a [u8]>,
}

impl<'a> Filter<'a> {
    fn parse(args: &Args<'a>) -> Result<Option<Filter<'a>>> {
        match args.len() {
            3 => return Ok(None),
            6..=9 => {}
            _ => return Err(SYNTAX),
        }
        let (mut at, mut min_idle_ms) = (3, 0);
        if options::is(args.get(3), "idle") {
            min_idle_ms = options::integer(args.get(4))?;
            at = 5;
            if args.len() < 8 {
                return Err(SYNTAX);
            }
        }
        let count = usize::try_from(options::integer(args.get(at + 2))?).unwrap_or(0);
        let start = arguments::range_start(args.get(at))?;
        let end = arguments::range_end(args.get(at + 1))?;
        Ok(Some(Filter { min_idle_ms, start, end, count, consumer: args.try_get(at + 3) }))
    }
}

fn xpending(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let filter = Filter::parse(&args)?;
    let (key, name) = (cx.key(&args, 1), args.get(2));
    let group = cx.get::<Stream>(&key)?.and_then(|stream| stream.group(name));
    let group = group.ok_or_else(|| no_group(key.bytes, name))?;
    match filter {
        None => summarise(group, reply),
        Some(filter) => list(group, &filter, cx.now_ms() as i64, reply),
    }
    Ok(())
}

/// How many there are, between which ids, and how many each consumer has.
fn summarise(group: &Group, reply: &mut Writer<'_>) {
    let pending = group.pending();
    reply.array(4);
    reply.count(pending.len());
    let (Some((first, _)), Some((last, _))) = (pending.first_key_value(), pending.last_key_value())
    else {
        reply.null();
        reply.null();
        reply.null_array();
        return;
    };
    write_id(reply, *first);
    write_id(reply, *last);
    let owners = || group.consumers().filter(|consumer| !consumer.pending().is_empty());
    reply.array(owners().count());
    for consumer in owners() {
        reply.array(2);
        reply.bulk(consumer.name());
        reply.bulk_integer(consumer.pending().len() as i64);
    }
}

fn list(group: &Group, filter: &Filter<'_>, now_ms: i64, reply: &mut Writer<'_>) {
    let consumer = filter.consumer.map(|name| group.consumer(name));
    if matches!(consumer, Some(None)) || filter.start > filter.end {
        reply.array(0);
        return;
    }
    let begun = reply.open();
    let mut count = 0;
    for (id, pending) in group.pending_in(filter.start..=filter.end, consumer.flatten()) {
        if count == filter.count {
            break;
        }
        let idle_ms = now_ms.saturating_sub(pending.delivered_at_ms);
        if filter.min_idle_ms != 0 && idle_ms < filter.min_idle_ms {
            continue;
        }
        reply.array(4);
        write_id(reply, id);
        reply.bulk(group.owner(pending).name());
        reply.integer(idle_ms.max(0));
        reply.integer(pending.deliveries as i64);
        count += 1;
    }
    reply.close_array(begun, count);
}
