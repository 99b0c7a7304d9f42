//! Adding entries.

use quoris_resp::Writer;

use super::arguments::{self, write_id};
use super::trimming::{self, Options};
use crate::command::{Args, Command, Run};
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::{CommandError, Result};
use crate::spec::{Flags, Group, KeyAccess, Spec, block, key, one_of, string, token};
use crate::types::stream::{ENTRY_BYTES_MAX, StreamId, StreamLimits};
use crate::types::{Element, Stream};

/// XADD key [NOMKSTREAM] [KEEPREF | DELREF | ACKED]
///     [MAXLEN | MINID [= | ~] threshold [LIMIT count]] * | id field value [field value …]
pub(super) const XADD: Command = Command {
    spec: Spec::new("xadd", Group::Stream, "5.0.0", "Appends an entry to a stream.")
        .args(&[
            key("key").access(KeyAccess::MODIFY),
            token("nomkstream", "NOMKSTREAM").optional(),
            trimming::REFERENCES,
            block(
                "trim",
                &[
                    trimming::STRATEGY,
                    trimming::OPERATOR,
                    trimming::THRESHOLD,
                    trimming::LIMIT,
                ],
            )
            .optional(),
            one_of("id-selector", &[token("auto-id", "*"), string("id")]),
            block("data", &[string("field"), string("value")]).multiple(),
        ])
        .tips(&["nondeterministic_output"])
        .complexity("O(1) when adding a new entry, O(N) when trimming where N being the number of entries evicted.")
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(xadd),
};

const ZERO: CommandError =
    CommandError::fixed("ERR The ID specified in XADD must be greater than 0-0");
const EXHAUSTED: CommandError = CommandError::fixed(
    "ERR The stream has exhausted the last possible ID, unable to add more items",
);
const TOO_SMALL: CommandError = CommandError::fixed(
    "ERR The ID specified in XADD is equal or smaller than the target stream top item",
);
const TOO_LARGE: CommandError = CommandError::fixed("ERR Elements are too large to be stored");

/// What the client said about the id.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    /// `*`
    Any,
    /// `ms-*`
    At(u64),
    Exactly(StreamId),
}

impl Wanted {
    fn parse(text: &[u8]) -> Result<Wanted> {
        if text == b"*" {
            return Ok(Wanted::Any);
        }
        match arguments::open_id(text) {
            Some(ms) => Ok(Wanted::At(ms)),
            None => arguments::id(text, 0).map(Wanted::Exactly),
        }
    }

    /// The id of the next entry of a stream with this last id.
    fn choose(self, last: StreamId, now_ms: u64) -> Result<StreamId> {
        let next = last.next().ok_or(EXHAUSTED)?;
        let id = match self {
            Wanted::Any if now_ms > last.ms => StreamId::new(now_ms, 0),
            Wanted::Any => next,
            // A number that is used up does not carry over into another time.
            Wanted::At(ms) if ms == last.ms => {
                StreamId::new(ms, last.seq.checked_add(1).ok_or(TOO_SMALL)?)
            }
            Wanted::At(ms) => StreamId::new(ms, 0),
            Wanted::Exactly(id) => id,
        };
        if id > last { Ok(id) } else { Err(TOO_SMALL) }
    }
}

fn xadd(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (options, at) = Options::parse(&args)?;
    let wanted = args.try_get(at).map(Wanted::parse).transpose()?;
    let trim = options.trim(cx.settings())?;
    let words = args.from(at + 1);
    let paired = words.len() >= 2 && words.len().is_multiple_of(2);
    let wanted = wanted.filter(|_| paired).ok_or_else(|| CommandError::arity("xadd"))?;
    if matches!(wanted, Wanted::Exactly(StreamId::MIN)) {
        return Err(ZERO);
    }
    let key = cx.key(&args, 1);
    let Some(last) = last_id(cx.get::<Stream>(&key)?, options) else {
        reply.null();
        return Ok(());
    };
    let id = wanted.choose(last, cx.now_ms())?;
    let bytes = words.clone().map(|word| word.len() as u64).sum();
    if bytes > ENTRY_BYTES_MAX {
        return Err(TOO_LARGE);
    }
    let limits = StreamLimits::new(cx.settings());
    let element = |word: usize| Element::of(args.get(word));
    let pairs = (at + 1..args.len()).step_by(2).map(|word| (element(word), element(word + 1)));
    let stream = cx.get_or_new::<Stream>(&key)?;
    stream.push(id, pairs, bytes, limits);
    let trimmed = trim.map(|trim| stream.trim(trim)).unwrap_or_default();
    write_id(reply, id);
    cx.changed(&key, EventClass::Stream, "xadd");
    if !trimmed.is_empty() {
        cx.discard(trimmed);
        cx.notify(EventClass::Stream, "xtrim", &key);
    }
    Ok(())
}

/// The last id of the stream that is there or will be made.
fn last_id(stream: Option<&Stream>, options: Options) -> Option<StreamId> {
    match stream {
        Some(stream) => Some(stream.last_id()),
        None => (!options.keep_missing).then_some(StreamId::MIN),
    }
}
