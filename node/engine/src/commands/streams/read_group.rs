//! Reading as a consumer of a group.

use alloc::format;
use alloc::vec::Vec;

use quoris_resp::Writer;

use super::arguments::{self, write_entry, write_id};
use super::read::{streams_from, write_key};
use super::reading::{Kind, Reading};
use super::text;
use crate::command::{Args, Command, Run};
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::{CommandError, Result};
use crate::spec::{
    Flags, Group as CommandGroup, KeyAccess, Spec, block, integer, key, string, token,
};
use crate::types::Stream;
use crate::types::stream::StreamId;

/// XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK]
///     STREAMS key [key …] id [id …]
pub(super) const XREADGROUP: Command = Command {
    spec: Spec::new(
        "xreadgroup",
        CommandGroup::Stream,
        "5.0.0",
        "Delivers entries to a consumer of a group, or returns what it has not acknowledged.",
    )
    .args(&[
        block("group-block", &[string("group"), string("consumer")]).after("GROUP"),
        integer("count").after("COUNT").optional(),
        integer("milliseconds").after("BLOCK").optional(),
        token("noack", "NOACK").optional(),
        block("streams", &[key("key").multiple(), string("id").multiple()]).after("STREAMS"),
    ])
    .keys([Some(streams_from(4).access(KeyAccess::READ)), None, None])
    .complexity("O(log(N)+M) for each stream, where N is the number of entries and M that of entries returned")
    .flags(Flags::BLOCKING.or(Flags::MOVABLE_KEYS)),
    run: Run::Write(xreadgroup),
};

const LAST_IS_MEANINGLESS: CommandError = CommandError::fixed(
    "ERR The + ID is meaningless in the context of XREADGROUP: you want to read the history of \
     this consumer by specifying a proper ID, or use the > ID to get new messages. The + ID would \
     just return an empty result set.",
);

const MEANINGLESS: CommandError = CommandError::fixed(
    "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of \
     this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would \
     just return an empty result set.",
);

/// What a consumer wants of a stream.
#[derive(Clone, Copy, Debug)]
enum From {
    /// What nobody in the group has got: `>`.
    New,
    /// What it has got itself behind this id, and not acknowledged.
    History(StreamId),
}

impl From {
    fn parse(text: &[u8]) -> Result<From> {
        match text {
            b"$" => Err(MEANINGLESS),
            b"+" => Err(LAST_IS_MEANINGLESS),
            b">" => Ok(From::New),
            // The greatest id is Redis's own sign for `>`.
            _ => Ok(arguments::id(text, 0)?.next().map_or(From::New, From::History)),
        }
    }
}

/// A consumer that reads.
#[derive(Clone, Copy, Debug)]
struct Reader<'a> {
    group: &'a [u8],
    consumer: &'a [u8],
    count: usize,
    no_ack: bool,
    now_ms: i64,
}

fn xreadgroup(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let reading = Reading::parse(&args, Kind::Group)?;
    let (group, consumer) = reading.group.expect("the grammar of this command has a group");
    let now_ms = cx.now_ms() as i64;
    let reader = Reader { group, consumer, count: reading.count, no_ack: reading.no_ack, now_ms };
    let mut wanted = Vec::new();
    for word in reading.keys() {
        let key = cx.key(&args, word);
        if cx.get::<Stream>(&key)?.and_then(|stream| stream.group(group)).is_none() {
            return Err(no_group(key.bytes, group));
        }
        wanted.push((key, From::parse(args.get(reading.id_of(word)))?));
    }
    let begun = reply.open();
    let mut answered = 0;
    for (key, from) in wanted {
        let stream = cx.get_mut::<Stream>(&key)?.expect("it was just seen");
        let group = stream.group_mut(group).expect("it was just seen");
        let is_new = group.add_consumer(consumer, now_ms);
        group.consumer_mut(consumer).expect("added if missing").seen_at_ms = now_ms;
        if let Some(write) = reader.plan(stream, from) {
            write_key(reply, key.bytes);
            reader.deliver(stream, write, reply);
            answered += 1;
            cx.changed_silently();
        }
        if is_new {
            cx.changed_silently();
            cx.notify(EventClass::Stream, "xgroup-createconsumer", &key);
        }
    }
    if answered == 0 {
        if reading.block_ms.is_some() {
            cx.found_nothing();
        }
        reply.null_array();
    } else if reply.is_resp3() {
        reply.close_map(begun, answered);
    } else {
        reply.close_array(begun, answered);
    }
    Ok(())
}

fn no_group(key: &[u8], group: &[u8]) -> CommandError {
    let (key, group) = (text(key), text(group));
    CommandError::text(format!(
        "NOGROUP No such key '{key}' or consumer group '{group}' in XREADGROUP with GROUP option"
    ))
}

/// What is to be delivered.
#[derive(Clone, Copy, Debug)]
enum Delivery {
    /// Entries from this id on, as new ones.
    New(StreamId),
    /// The consumer's pending entries from this id on.
    Again(StreamId),
}

impl Reader<'_> {
    /// What there is for the consumer. Its history is an answer even if it is empty.
    fn plan(&self, stream: &Stream, from: From) -> Option<Delivery> {
        match from {
            From::History(start) => Some(Delivery::Again(start)),
            From::New => {
                let last = stream.group(self.group)?.last_id;
                let start = last.next()?;
                (stream.last_entry_id() > Some(last)).then_some(Delivery::New(start))
            }
        }
    }

    fn deliver(&self, stream: &mut Stream, delivery: Delivery, reply: &mut Writer<'_>) {
        match delivery {
            Delivery::New(start) => self.deliver_new(stream, start, reply),
            Delivery::Again(start) => self.deliver_again(stream, start, reply),
        }
    }

    fn deliver_new(&self, stream: &mut Stream, start: StreamId, reply: &mut Writer<'_>) {
        let begun = reply.open();
        let mut ids = Vec::new();
        for entry in stream.range(start, StreamId::MAX).take(self.count) {
            write_entry(reply, &entry);
            ids.push(entry.id);
        }
        reply.close_array(begun, ids.len());
        for &id in &ids {
            stream.advance(self.group, id);
        }
        let group = stream.group_mut(self.group).expect("the caller has seen it");
        if self.no_ack {
            return;
        }
        for id in ids {
            group.deliver(id, self.consumer, self.now_ms, 1);
        }
        group.consumer_mut(self.consumer).expect("it reads").active_at_ms = self.now_ms;
    }

    fn deliver_again(&self, stream: &mut Stream, start: StreamId, reply: &mut Writer<'_>) {
        let group = stream.group(self.group).expect("the caller has seen it");
        let consumer = group.consumer(self.consumer).expect("it reads");
        let pending = consumer.pending().range(start..).take(self.count);
        let ids: Vec<StreamId> = pending.copied().collect();
        reply.array(ids.len());
        for id in ids {
            if let Some(entry) = stream.get(id) {
                write_entry(reply, &entry);
            } else {
                reply.array(2);
                write_id(reply, id);
                reply.null_array();
                continue;
            }
            let group = stream.group_mut(self.group).expect("the caller has seen it");
            group.deliver_again(id, self.now_ms);
        }
    }
}
