//! Reading what is new in several streams.

use alloc::vec::Vec;

use quoris_resp::Writer;

use super::arguments::{self, write_entries};
use super::reading::{Kind, Reading};
use crate::command::{Args, Command, Run};
use crate::context::ReadCx;
use crate::error::{CommandError, Result};
use crate::spec::{
    Begin, Find, Flags, Group, KeyAccess, KeySpec, Spec, block, integer, key, string,
};
use crate::types::Stream;
use crate::types::stream::StreamId;

/// XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key …] id [id …]
pub(super) const XREAD: Command = Command {
    spec: Spec::new("xread", Group::Stream, "5.0.0", "Returns the entries behind given ids.")
        .args(&[
            integer("count").after("COUNT").optional(),
            integer("milliseconds").after("BLOCK").optional(),
            block("streams", &[key("key").multiple(), string("id").multiple()]).after("STREAMS"),
        ])
        .keys([Some(streams_from(1).access(KeyAccess::READ)), None, None])
        .complexity("O(log(N)+M) for each stream, where N is the number of entries and M that of entries returned")
        .flags(Flags::BLOCKING.or(Flags::MOVABLE_KEYS)),
    run: Run::Read(xread),
};

const NOT_HERE: CommandError = CommandError::fixed(
    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> \
     <consumer> option.",
);

/// The first half of what stands behind `STREAMS`, searched for from word `from` on.
pub(super) const fn streams_from(from: usize) -> KeySpec {
    KeySpec {
        begin: Begin::Keyword("STREAMS", from),
        find: Find::Range { last: -1, step: 1, limit: 2 },
        access: KeyAccess::UNSTATED,
    }
}

fn xread(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let reading = Reading::parse(&args, Kind::Plain)?;
    let mut found = Vec::new();
    for word in reading.keys() {
        let stream = cx.get::<Stream>(&cx.key(&args, word))?;
        let after = after(args.get(reading.id_of(word)), stream)?;
        let Some(stream) = stream else { continue };
        if let Some(start) = after.next().filter(|_| stream.last_entry_id() > Some(after)) {
            found.push((word, stream, start));
        }
    }
    if found.is_empty() {
        reply.null_array();
        return Ok(());
    }
    reply_header(reply, found.len());
    for (word, stream, start) in found {
        write_key(reply, args.get(word));
        write_entries(reply, stream.range(start, StreamId::MAX).take(reading.count));
    }
    Ok(())
}

/// The id behind which a client wants to read; `$` is the last one of the stream. The last entry
/// is what `+` asks for.
pub(super) fn after(text: &[u8], stream: Option<&Stream>) -> Result<StreamId> {
    match text {
        b"$" => Ok(stream.map_or(StreamId::MIN, Stream::last_id)),
        b"+" => Ok(stream.map_or(StreamId::MIN, before_last)),
        b">" => Err(NOT_HERE),
        _ => arguments::id(text, 0),
    }
}

/// The id before that of the last entry; the last id of a stream without entries.
fn before_last(stream: &Stream) -> StreamId {
    let last = stream.last_entry_id();
    last.map_or(stream.last_id(), |last| last.previous().unwrap_or(StreamId::MIN))
}

/// Begins the reply: a map from keys to entries, in RESP2 an array of pairs.
fn reply_header(reply: &mut Writer<'_>, streams: usize) {
    if reply.is_resp3() {
        reply.map(streams);
    } else {
        reply.array(streams);
    }
}

/// Begins the part of the reply about one stream.
pub(super) fn write_key(reply: &mut Writer<'_>, key: &[u8]) {
    if !reply.is_resp3() {
        reply.array(2);
    }
    reply.bulk(key);
}
