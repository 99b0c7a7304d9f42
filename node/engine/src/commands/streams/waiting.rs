//! What a client that blocks in `XREAD` or `XREADGROUP` waits for.
//!
//! The engine itself never waits: with `BLOCK` or without, both commands answer null where there is
//! nothing to read. Whoever keeps clients waiting runs the command first. If it answers null and
//! [`waiting`] returns something, the client may wait until one of the keys is touched, and then
//! [`Waiting::words`] is the request to run again, for all of its keys as in Redis 7.2; null once
//! more means to go on waiting.
//!
//! `$` is the last id of a stream when the client begins to wait, so the request that is repeated
//! names that id instead. `>` means what the group has not read by then, and stays.

use alloc::format;
use alloc::vec::Vec;
use core::ops::Range;

use super::reading::{Kind, Reading};
use super::text;
use crate::command::Args;
use crate::engine::Engine;
use crate::error::CommandError;
use crate::keyspace::ValueRef;
use crate::types::Stream;
use crate::types::stream::StreamId;

/// A request that may wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// How long, in milliseconds; 0 for ever.
    pub block_ms: u64,
    /// Which words are the keys.
    pub keys: Range<usize>,
    /// The request to run again. Its words are those of the client's, but for `$` and `+`.
    pub words: Vec<Vec<u8>>,
    /// The consumer group, if the client waits as one of its consumers.
    pub group: Option<Vec<u8>>,
}

/// Whether a request is one of the two commands with `BLOCK` in it, and well formed.
pub fn asks_to_wait(args: &Args<'_>) -> bool {
    parse(args).is_some_and(|reading| reading.block_ms.is_some())
}

/// What a script gets that wants to wait.
pub(crate) fn not_in_scripts(name: &[u8]) -> CommandError {
    let name = text(name);
    CommandError::text(format!("ERR {name} command is not allowed with BLOCK option from scripts"))
}

fn parse<'a>(args: &Args<'a>) -> Option<Reading<'a>> {
    let kind = match args.get(0) {
        name if name.eq_ignore_ascii_case(b"xread") => Kind::Plain,
        name if name.eq_ignore_ascii_case(b"xreadgroup") => Kind::Group,
        _ => return None,
    };
    Reading::parse(args, kind).ok()
}

/// What the client of a request waits for, if it is one of the two commands with `BLOCK` in it and
/// well formed. To be asked at the point of the log at which the request found nothing, with the
/// time in milliseconds since the Unix epoch at which it ran.
pub fn waiting(engine: &Engine, db: u16, now_ms: u64, args: Args<'_>) -> Option<Waiting> {
    let reading = parse(&args)?;
    let block_ms = reading.block_ms?;
    let mut words: Vec<Vec<u8>> = args.from(0).map(<[u8]>::to_vec).collect();
    for key in reading.keys() {
        let id = &mut words[reading.id_of(key)];
        // An empty stream has no last entry, so that the next one is it.
        if id == b"$" || id == b"+" {
            let stream = stream(engine, db, now_ms, args.get(key));
            *id = stream.map_or(StreamId::MIN, Stream::last_id).with_text(<[u8]>::to_vec);
        }
    }
    let group = reading.group.map(|(group, _)| group.to_vec());
    Some(Waiting { block_ms, keys: reading.keys(), words, group })
}

/// How many of the consumers that wait in a group for a key would get an answer now: `most` if it
/// is that the group is no longer there, and else not more than there are new entries.
pub fn answers(engine: &Engine, db: u16, key: &[u8], group: &[u8], most: usize) -> usize {
    let stream = stream(engine, db, 0, key);
    let found = stream.and_then(|stream| Some((stream, stream.group(group)?)));
    let Some((stream, group)) = found else { return most };
    let next = group.last_id.next();
    next.map_or(0, |next| stream.range(next, StreamId::MAX).take(most).count())
}

/// The stream at a key, if there is one at this time or that of the last stamp.
fn stream<'e>(engine: &'e Engine, db: u16, now_ms: u64, key: &[u8]) -> Option<&'e Stream> {
    let keyspace = engine.keyspace();
    let now_ms = now_ms.max(engine.last_stamp().now_ms);
    let entry = keyspace.database(db).get(&keyspace.key(key));
    let live = entry.filter(|entry| entry.expire_at_ms().is_none_or(|at_ms| at_ms > now_ms));
    match live?.value() {
        ValueRef::Stream(stream) => Some(stream),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;
    use crate::effects::Interests;
    use crate::engine::{Seeds, Stamp};
    use crate::settings::Settings;

    fn with_args<R>(line: &str, f: impl FnOnce(Args<'_>) -> R) -> R {
        let (mut spans, mut words) = (Vec::new(), Vec::new());
        quoris_resp::split_words(line.as_bytes(), &mut spans, &mut words).expect("words");
        f(Args::new(&words, &spans))
    }

    fn engine(lines: &[&str]) -> Engine {
        let mut engine = Engine::new(Settings::default(), Seeds { hash: [1; 16] });
        let stamp = Stamp { now_ms: 1000, seed: 1, engine_version: 1 };
        let mut applying = engine.begin(stamp, Interests::default());
        for line in lines {
            let mut payload = Vec::new();
            with_args(line, |args| quoris_resp::encode_command(&mut payload, args.from(0)));
            applying.run_payload(&payload);
        }
        applying.finish();
        engine
    }

    fn text(words: &[Vec<u8>]) -> String {
        String::from_utf8(words.join(&b' ')).expect("text")
    }

    #[test]
    fn the_last_ids_are_those_of_the_moment() {
        let engine = engine(&["XADD a 5-7 f v", "XADD b 9-0 f v", "PEXPIRE b 50", "SET s x"]);
        for (now_ms, line, expected) in [
            (1000, "XREAD BLOCK 0 STREAMS a $", "XREAD BLOCK 0 STREAMS a 5-7"),
            (
                1000,
                "xread block 70 streams a b c $ $ $",
                "xread block 70 streams a b c 5-7 9-0 0-0",
            ),
            (1050, "XREAD BLOCK 0 STREAMS b $", "XREAD BLOCK 0 STREAMS b 0-0"),
            (1000, "XREAD COUNT 2 BLOCK 5 STREAMS $ 3", "XREAD COUNT 2 BLOCK 5 STREAMS $ 3"),
            (1000, "XREAD BLOCK 0 STREAMS a c + +", "XREAD BLOCK 0 STREAMS a c 5-7 0-0"),
            (
                1000,
                "XREADGROUP GROUP $ c BLOCK 1 STREAMS a >",
                "XREADGROUP GROUP $ c BLOCK 1 STREAMS a >",
            ),
        ] {
            let found = with_args(line, |args| waiting(&engine, 0, now_ms, args));
            assert_eq!(found.map(|found| text(&found.words)).as_deref(), Some(expected));
        }
    }

    #[test]
    fn only_requests_with_a_timeout_wait() {
        let engine = engine(&[]);
        for line in [
            "XREAD STREAMS a $",
            "XREAD BLOCK -1 STREAMS a $",
            "XREAD BLOCK x STREAMS a $",
            "XREAD BLOCK 1 STREAMS a",
            "XREADGROUP BLOCK 1 COUNT 1 STREAMS a >",
            "BLPOP a 0",
            "GET a",
        ] {
            assert_eq!(with_args(line, |args| waiting(&engine, 0, 0, args)), None, "{line}");
        }
    }

    #[test]
    fn no_more_consumers_are_tried_than_there_is_something_for() {
        let engine = engine(&[
            "XADD s 1 f v",
            "XGROUP CREATE s all 0",
            "XGROUP CREATE s new $",
            "XADD s 2 f v",
            "SET string x",
        ]);
        for (key, group, most, expected) in [
            ("s", "all", 9, 2),
            ("s", "all", 1, 1),
            ("s", "new", 9, 1),
            ("s", "none", 9, 9),
            ("string", "all", 9, 9),
            ("missing", "all", 9, 9),
        ] {
            let count = answers(&engine, 0, key.as_bytes(), group.as_bytes(), most);
            assert_eq!(count, expected, "{key} {group} {most}");
        }
    }
}
