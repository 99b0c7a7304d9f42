//! A request that waits, and what ends that.

use quoris_engine::commands::blocking;
use quoris_engine::commands::streams::waiting;
use quoris_engine::spec::{Begin, Find, Flags, Group};
use quoris_engine::{Args, CommandError, Engine, Run};
use quoris_resp::{Span, encode_command};
use tokio::time::{Duration, Instant};

use crate::registry::Entry;
use crate::turn::spans_of;

/// How a wait ends without being served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Its time is over: a null array.
    Timeout,
    /// It cannot be served here: an error.
    Error(CommandError),
    /// The same, and the connection ends, so that the client looks for the leader.
    Farewell(CommandError),
}

/// A request that waits.
pub(crate) struct Waiter {
    /// The command's number in the registry.
    pub(crate) number: u16,
    pub(crate) db: u16,
    /// What it is about: values of another type are nothing to it.
    pub(crate) group: Group,
    /// It waits to read, which changes nothing and concerns nobody else.
    pub(crate) is_reader: bool,
    /// The client may read from a node that does not lead.
    pub(crate) is_readonly: bool,
    /// The consumer group that it reads in.
    pub(crate) consumers: Option<Vec<u8>>,
    bytes: Vec<u8>,
    spans: Vec<Span>,
    /// What the client has sent, where that is something else.
    asked: Vec<u8>,
    /// The words of the keys it waits for.
    keys: Vec<usize>,
    /// Its place in the queues of its keys.
    pub(crate) place: u64,
    pub(crate) deadline: Option<Instant>,
    /// An attempt to serve it is under way.
    pub(crate) is_tried: bool,
    /// What has ended the wait, if that attempt does not.
    pub(crate) end: Option<End>,
}

impl Waiter {
    /// What a request waits for from `now` on, having found nothing in the engine as it is.
    pub(crate) fn new(
        entry: &Entry,
        args: &Args<'_>,
        db: u16,
        (engine, now, now_ms): (&Engine, Instant, u64),
    ) -> Waiter {
        let mut waiter = Waiter {
            number: entry.number,
            db,
            group: entry.command.spec.group,
            is_reader: matches!(entry.command.run, Run::Read(_)),
            is_readonly: false,
            consumers: None,
            bytes: Vec::new(),
            spans: Vec::new(),
            asked: Vec::new(),
            keys: Vec::new(),
            place: 0,
            deadline: None,
            is_tried: false,
            end: None,
        };
        let millis = if waiter.group == Group::Stream {
            waiter.read_stream(args, waiting::waiting(engine, db, now_ms, *args))
        } else {
            waiter.pop(entry, args)
        };
        // A time that the clock cannot tell never comes.
        waiter.deadline = millis.and_then(|millis| now.checked_add(Duration::from_millis(millis)));
        waiter.spans = spans_of(&waiter.bytes);
        waiter
    }

    /// Waits for elements. Returns how long, in milliseconds.
    fn pop(&mut self, entry: &Entry, args: &Args<'_>) -> Option<u64> {
        encode_command(&mut self.bytes, args.from(0));
        if let Some(spec) = &entry.command.spec.key_specs[0] {
            // It has run once, so that it fits.
            let _ = spec.find_in(args.len(), |word| args.get(word), &mut self.keys);
        }
        let word = blocking::timeout_word(&entry.command.spec, args);
        blocking::timeout(args.get(word), 0).ok().flatten()
    }

    /// Waits for entries of streams. Returns how long, in milliseconds.
    fn read_stream(&mut self, args: &Args<'_>, waiting: Option<waiting::Waiting>) -> Option<u64> {
        let waiting = waiting.expect("it has run once, and asked to wait");
        encode_command(&mut self.bytes, waiting.words.iter().map(Vec::as_slice));
        if !args.from(0).eq(waiting.words.iter().map(Vec::as_slice)) {
            encode_command(&mut self.asked, args.from(0));
        }
        self.keys = waiting.keys.collect();
        self.consumers = waiting.group;
        Some(waiting.block_ms).filter(|millis| *millis > 0)
    }

    /// Its request.
    pub(super) fn args(&self) -> Args<'_> {
        Args::new(&self.bytes, &self.spans)
    }

    /// Shows what the client has sent.
    pub(crate) fn with_asked<R>(&self, show: impl FnOnce(Args<'_>) -> R) -> R {
        if self.asked.is_empty() {
            return show(self.args());
        }
        show(Args::new(&self.asked, &spans_of(&self.asked)))
    }

    /// The keys it waits for.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.keys.iter().map(move |word| self.args().get(*word))
    }

    /// Its request for `key` alone, which is one of its keys. Of streams it reads all that are new.
    pub(crate) fn attempt(&self, entry: &Entry, key: &[u8]) -> Vec<Vec<u8>> {
        let args = self.args();
        if self.group == Group::Stream {
            return args.from(0).map(<[u8]>::to_vec).collect();
        }
        let is_counted = entry.command.spec.key_specs[0].is_some_and(|spec| {
            matches!((spec.begin, spec.find), (Begin::Index(_), Find::Count { .. }))
        });
        let first = self.keys.first().copied().unwrap_or(args.len());
        let behind = self.keys.last().map_or(first, |last| last + 1);
        let mut words: Vec<Vec<u8>> = args.from(0).take(first).map(<[u8]>::to_vec).collect();
        if is_counted && let Some(count) = words.last_mut() {
            *count = b"1".to_vec();
        }
        words.push(key.to_vec());
        words.extend(args.from(behind).map(<[u8]>::to_vec));
        words
    }
}

/// Whether a request may come to wait.
#[inline]
pub(crate) fn may_wait(entry: &Entry, args: &Args<'_>) -> bool {
    let group = entry.command.spec.group;
    entry.has(Flags::BLOCKING) && (group != Group::Stream || waiting::asks_to_wait(args))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands;
    use crate::machine::empty_engine;
    use crate::registry::Registry;

    fn waiter(registry: &Registry, line: &str) -> Waiter {
        let (mut spans, mut words) = (Vec::new(), Vec::new());
        quoris_resp::split_words(line.as_bytes(), &mut spans, &mut words).expect("words");
        let args = Args::new(&words, &spans);
        let entry = registry.find(&args).expect("a command");
        Waiter::new(entry, &args, 0, (&empty_engine([0; 16]), Instant::now(), 1))
    }

    #[test]
    fn an_attempt_is_for_one_key() {
        let registry = Registry::new(commands::FAMILIES);
        let table = [
            ("BLPOP a b c 2.5", "b", "BLPOP b 2.5"),
            ("BRPOP b 0", "b", "BRPOP b 0"),
            ("BLMPOP 0 3 a b c LEFT COUNT 2", "c", "BLMPOP 0 1 c LEFT COUNT 2"),
            ("BZMPOP 1 1 a MIN", "a", "BZMPOP 1 1 a MIN"),
            ("BZPOPMAX a b 0", "a", "BZPOPMAX a 0"),
            ("BLMOVE a b LEFT RIGHT 0", "a", "BLMOVE a b LEFT RIGHT 0"),
            ("BRPOPLPUSH a b 0", "a", "BRPOPLPUSH a b 0"),
            ("XREAD BLOCK 0 STREAMS a b 5 $", "b", "XREAD BLOCK 0 STREAMS a b 5 0-0"),
            (
                "XREADGROUP GROUP g c BLOCK 7 STREAMS a b > >",
                "a",
                "XREADGROUP GROUP g c BLOCK 7 STREAMS a b > >",
            ),
        ];
        for (line, key, expected) in table {
            let waiter = waiter(&registry, line);
            let words = waiter.attempt(registry.entry(waiter.number), key.as_bytes());
            let words: Vec<_> = words.iter().map(|word| String::from_utf8_lossy(word)).collect();
            assert_eq!(words.join(" "), expected);
        }
    }

    #[test]
    fn a_move_waits_for_its_source_only() {
        let registry = Registry::new(commands::FAMILIES);
        let waiter = waiter(&registry, "BLMOVE a b LEFT LEFT 0");
        assert!(waiter.keys().eq([b"a"]));
        assert_eq!(waiter.deadline, None);
    }

    #[test]
    fn a_reader_waits_for_all_of_its_streams() {
        let registry = Registry::new(commands::FAMILIES);
        let plain = waiter(&registry, "XREAD BLOCK 0 STREAMS a b 0 $");
        assert!(plain.keys().eq([b"a", b"b"]) && plain.is_reader);
        assert_eq!((plain.deadline, &plain.consumers), (None, &None));
        plain.with_asked(|args| assert_eq!(args.get(6), b"0"));
        plain.with_asked(|args| assert_eq!(args.get(7), b"$"));
        let consumer = waiter(&registry, "XREADGROUP GROUP g c BLOCK 10 STREAMS a >");
        assert!(consumer.deadline.is_some() && !consumer.is_reader);
        assert_eq!(consumer.consumers.as_deref(), Some(&b"g"[..]));
    }
}
