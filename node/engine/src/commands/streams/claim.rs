//! Taking over entries that another consumer has not acknowledged.

use alloc::format;
use alloc::vec::Vec;

use quoris_resp::Writer;

use super::arguments::{self, write_entry, write_id};
use super::{no_group, text};
use crate::command::{Args, Command, Run};
use crate::commands::options;
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::{CommandError, Result};
use crate::keyspace::Key;
use crate::spec::{
    Flags, Group as CommandGroup, KeyAccess, Spec, integer, key, string, token, unix_time,
};
use crate::types::Stream;
use crate::types::stream::{Group, StreamId};

/// XCLAIM key group consumer min-idle-time id [id …] [IDLE ms] [TIME unix-time-milliseconds]
///     [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID lastid]
pub(super) const XCLAIM: Command = Command {
    spec: Spec::new(
        "xclaim",
        CommandGroup::Stream,
        "5.0.0",
        "Makes pending entries those of another consumer.",
    )
    .args(&[
        key("key").access(KeyAccess::MODIFY),
        string("group"),
        string("consumer"),
        string("min-idle-time"),
        string("id").multiple(),
        integer("ms").after("IDLE").optional(),
        unix_time("unix-time-milliseconds").after("TIME").optional(),
        integer("count").after("RETRYCOUNT").optional(),
        token("force", "FORCE").optional(),
        token("justid", "JUSTID").optional(),
        string("lastid").after("LASTID").optional(),
    ])
    .tips(&["nondeterministic_output"])
    .complexity("O(log N) with N being the number of messages in the PEL of the consumer group.")
    .flags(Flags::FAST),
    run: Run::Write(xclaim),
};

const MIN_IDLE: CommandError = CommandError::fixed("ERR Invalid min-idle-time argument for XCLAIM");
const IDLE: CommandError = CommandError::fixed("ERR Invalid IDLE option argument for XCLAIM");
const TIME: CommandError = CommandError::fixed("ERR Invalid TIME option argument for XCLAIM");
const RETRYCOUNT: CommandError =
    CommandError::fixed("ERR Invalid RETRYCOUNT option argument for XCLAIM");

#[derive(Debug)]
struct Options {
    min_idle_ms: i64,
    ids: Vec<StreamId>,
    delivered_at_ms: i64,
    deliveries: Option<u64>,
    force: bool,
    just_id: bool,
    last_id: StreamId,
}

impl Options {
    fn parse(args: &Args<'_>, now_ms: i64) -> Result<Options> {
        let min_idle_ms = options::integer_or(args.get(4), MIN_IDLE)?;
        let ids = args.from(5).map_while(|text| arguments::id(text, 0).ok());
        let mut found = Options {
            min_idle_ms,
            ids: ids.collect(),
            delivered_at_ms: now_ms,
            deliveries: None,
            force: false,
            just_id: false,
            last_id: StreamId::MIN,
        };
        let mut at = 5 + found.ids.len();
        while let Some(word) = args.try_get(at) {
            at += 1 + found.parse_option(word, args.try_get(at + 1), now_ms)?;
        }
        // A time that lies ahead, or before there was any, is taken for a mistake of a clock.
        if !(0..=now_ms).contains(&found.delivered_at_ms) {
            found.delivered_at_ms = now_ms;
        }
        Ok(found)
    }

    /// Reads an option, and returns how many words its value took.
    fn parse_option(&mut self, word: &[u8], value: Option<&[u8]>, now_ms: i64) -> Result<usize> {
        match value {
            _ if options::is(word, "force") => {
                self.force = true;
                return Ok(0);
            }
            _ if options::is(word, "justid") => {
                self.just_id = true;
                return Ok(0);
            }
            Some(value) if options::is(word, "idle") => {
                self.delivered_at_ms = now_ms.wrapping_sub(options::integer_or(value, IDLE)?);
            }
            Some(value) if options::is(word, "time") => {
                self.delivered_at_ms = options::integer_or(value, TIME)?;
            }
            Some(value) if options::is(word, "retrycount") => {
                self.deliveries = u64::try_from(options::integer_or(value, RETRYCOUNT)?).ok();
            }
            Some(value) if options::is(word, "lastid") => {
                self.last_id = arguments::id(value, 0)?;
            }
            _ => {
                let word = text(word);
                return Err(CommandError::text(format!("ERR Unrecognized XCLAIM option '{word}'")));
            }
        }
        Ok(1)
    }

    /// Whether a pending entry has waited long enough, or may be made pending.
    fn allow(&self, group: &Group, id: StreamId, now_ms: i64) -> bool {
        match group.pending().get(&id) {
            Some(pending) => {
                let idle_ms = now_ms.saturating_sub(pending.delivered_at_ms);
                self.min_idle_ms <= 0 || idle_ms >= self.min_idle_ms
            }
            None => self.force,
        }
    }

    /// How often an entry counts as delivered after this.
    fn deliveries(&self, group: &Group, id: StreamId) -> u64 {
        let before = group.pending().get(&id).map_or(1, |pending| pending.deliveries);
        self.deliveries.unwrap_or(before.wrapping_add(u64::from(!self.just_id)))
    }
}

fn xclaim(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (key, name, consumer) = (cx.key(&args, 1), args.get(2), args.get(3));
    if cx.get::<Stream>(&key)?.and_then(|stream| stream.group(name)).is_none() {
        return Err(no_group(key.bytes, name));
    }
    let now_ms = cx.now_ms() as i64;
    let options = Options::parse(&args, now_ms)?;
    meet(cx, &key, name, consumer)?;
    let stream = cx.get_mut::<Stream>(&key)?.expect("it was just seen");
    let mut changed = false;
    let group = stream.group_mut(name).expect("it was just seen");
    if options.last_id > group.last_id {
        group.last_id = options.last_id;
        changed = true;
    }
    let begun = reply.open();
    let mut claimed = 0;
    for &id in &options.ids {
        if !stream.contains(id) {
            changed |= stream.group_mut(name).expect("it was just seen").acknowledge(id);
            continue;
        }
        let group = stream.group_mut(name).expect("it was just seen");
        if !options.allow(group, id, now_ms) {
            continue;
        }
        let deliveries = options.deliveries(group, id);
        group.deliver(id, consumer, options.delivered_at_ms, deliveries);
        group.consumer_mut(consumer).expect("it claims").active_at_ms = now_ms;
        write_claimed(reply, stream, id, options.just_id);
        claimed += 1;
    }
    reply.close_array(begun, claimed);
    if changed || claimed > 0 {
        cx.changed_silently();
    }
    Ok(())
}

/// Writes a claimed entry, which is there, or its id alone.
pub(super) fn write_claimed(reply: &mut Writer<'_>, stream: &Stream, id: StreamId, just_id: bool) {
    if just_id {
        write_id(reply, id);
    } else {
        write_entry(reply, &stream.get(id).expect("the caller has seen it"));
    }
}

/// Notes that a consumer was seen, and makes it if it is new. The group exists.
pub(super) fn meet(cx: &mut WriteCx<'_>, key: &Key<'_>, group: &[u8], consumer: &[u8]) -> Result {
    let now_ms = cx.now_ms() as i64;
    let group = cx.get_mut::<Stream>(key)?.and_then(|stream| stream.group_mut(group));
    let group = group.expect("the caller has seen it");
    let is_new = group.add_consumer(consumer, now_ms);
    group.consumer_mut(consumer).expect("added if missing").seen_at_ms = now_ms;
    if is_new {
        cx.changed_silently();
        cx.notify(EventClass::Stream, "xgroup-createconsumer", key);
    }
    Ok(())
}
