//! Taking over whatever has been pending for long.

use alloc::vec::Vec;

use quoris_resp::Writer;

use super::arguments::{self, write_id};
use super::claim::{meet, write_claimed};
use super::no_group;
use crate::command::{Args, Command, Run};
use crate::commands::options;
use crate::context::WriteCx;
use crate::error::{CommandError, Result, SYNTAX};
use crate::spec::{Flags, Group as CommandGroup, KeyAccess, Spec, integer, key, string, token};
use crate::types::Stream;
use crate::types::stream::{Group, StreamId};

/// XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]
pub(super) const XAUTOCLAIM: Command = Command {
    spec: Spec::new(
        "xautoclaim",
        CommandGroup::Stream,
        "6.2.0",
        "Makes entries that have been pending for long those of another consumer.",
    )
    .args(&[
        key("key").access(KeyAccess::DELETE_PART),
        string("group"),
        string("consumer"),
        string("min-idle-time"),
        string("start"),
        integer("count").after("COUNT").optional(),
        token("justid", "JUSTID").optional(),
    ])
    .tips(&["nondeterministic_output"])
    .complexity("O(1) if COUNT is small.")
    .flags(Flags::FAST),
    run: Run::Write(xautoclaim),
};

const MIN_IDLE: CommandError =
    CommandError::fixed("ERR Invalid min-idle-time argument for XAUTOCLAIM");
const COUNT: CommandError = CommandError::fixed("ERR COUNT must be > 0");

/// How many pending entries are looked at for each that may be claimed.
const ATTEMPTS: i64 = 10;
const COUNT_MAX: i64 = i64::MAX / 16;

#[derive(Clone, Copy, Debug)]
struct Options {
    min_idle_ms: i64,
    start: StreamId,
    count: i64,
    just_id: bool,
}

impl Options {
    fn parse(args: &Args<'_>) -> Result<Options> {
        let min_idle_ms = options::integer_or(args.get(4), MIN_IDLE)?;
        let start = arguments::range_start(args.get(5))?;
        let mut found = Options { min_idle_ms, start, count: 100, just_id: false };
        let mut at = 6;
        while let Some(word) = args.try_get(at) {
            at += 1;
            if options::is(word, "justid") {
                found.just_id = true;
            } else if let Some(value) = args.try_get(at).filter(|_| options::is(word, "count")) {
                let count = options::integer_or(value, COUNT)?;
                found.count = Some(count).filter(|n| (1..=COUNT_MAX).contains(n)).ok_or(COUNT)?;
                at += 1;
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(found)
    }
}

fn xautoclaim(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let options = Options::parse(&args)?;
    let (key, name, consumer) = (cx.key(&args, 1), args.get(2), args.get(3));
    if cx.get::<Stream>(&key)?.and_then(|stream| stream.group(name)).is_none() {
        return Err(no_group(key.bytes, name));
    }
    meet(cx, &key, name, consumer)?;
    let now_ms = cx.now_ms() as i64;
    let stream = cx.get_mut::<Stream>(&key)?.expect("it was just seen");
    let swept = sweep(stream, name, consumer, options, now_ms);
    reply.array(3);
    write_id(reply, swept.next);
    reply.array(swept.claimed.len());
    for &id in &swept.claimed {
        write_claimed(reply, stream, id, options.just_id);
    }
    reply.array(swept.gone.len());
    swept.gone.iter().for_each(|&id| write_id(reply, id));
    if !swept.claimed.is_empty() || !swept.gone.is_empty() {
        cx.changed_silently();
    }
    Ok(())
}

/// What came of it.
#[derive(Debug, Default)]
struct Swept {
    claimed: Vec<StreamId>,
    /// Pending entries that are no longer in the stream, and no longer pending either.
    gone: Vec<StreamId>,
    /// Where to go on; `0-0` at the end.
    next: StreamId,
}

fn sweep(
    stream: &mut Stream,
    name: &[u8],
    consumer: &[u8],
    options: Options,
    now_ms: i64,
) -> Swept {
    let mut swept = Swept::default();
    let (mut left, mut attempts) = (options.count, options.count * ATTEMPTS);
    let mut from = Some(options.start);
    loop {
        let group = stream.group(name).expect("the caller has seen it");
        let next = from.and_then(|from| group.pending().range(from..).next());
        let Some((&id, &pending)) = next else { return swept };
        if left == 0 || attempts == 0 {
            return Swept { next: id, ..swept };
        }
        attempts -= 1;
        from = id.next();
        let there = stream.contains(id);
        let idle_ms = now_ms.saturating_sub(pending.delivered_at_ms);
        let group = stream.group_mut(name).expect("the caller has seen it");
        if !there {
            group.acknowledge(id);
            swept.gone.push(id);
            left -= 1;
        } else if options.min_idle_ms <= 0 || idle_ms >= options.min_idle_ms {
            let deliveries = pending.deliveries.wrapping_add(u64::from(!options.just_id));
            take_over(group, id, consumer, now_ms, deliveries);
            swept.claimed.push(id);
            left -= 1;
        }
    }
}

fn take_over(group: &mut Group, id: StreamId, consumer: &[u8], now_ms: i64, deliveries: u64) {
    group.deliver(id, consumer, now_ms, deliveries);
    group.consumer_mut(consumer).expect("it claims").active_at_ms = now_ms;
}
