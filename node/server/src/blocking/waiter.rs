//! A request that waits, and what ends that.

use quoris_engine::commands::blocking;
use quoris_engine::spec::{Begin, Find, Group};
use quoris_engine::{Args, CommandError};
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
    bytes: Vec<u8>,
    spans: Vec<Span>,
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
    /// What a request waits for from `now` on.
    pub(crate) fn new(
        entry: &Entry,
        args: &Args<'_>,
        db: u16,
        (place, now): (u64, Instant),
    ) -> Waiter {
        let word = blocking::timeout_word(&entry.command.spec, args);
        let millis = blocking::timeout(args.get(word), 0).ok().flatten();
        // A time that the clock cannot tell never comes.
        let deadline = millis.and_then(|millis| now.checked_add(Duration::from_millis(millis)));
        let mut bytes = Vec::new();
        encode_command(&mut bytes, args.from(0));
        let mut keys = Vec::new();
        if let Some(spec) = &entry.command.spec.key_specs[0] {
            // It has run once, so that it fits.
            let _ = spec.find_in(args.len(), |word| args.get(word), &mut keys);
        }
        let spans = spans_of(&bytes);
        Waiter {
            number: entry.number,
            db,
            group: entry.command.spec.group,
            bytes,
            spans,
            keys,
            place,
            deadline,
            is_tried: false,
            end: None,
        }
    }

    fn args(&self) -> Args<'_> {
        Args::new(&self.bytes, &self.spans)
    }

    /// The keys it waits for.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.keys.iter().map(move |word| self.args().get(*word))
    }

    /// Its request for `key` alone, which is one of its keys.
    pub(crate) fn attempt(&self, entry: &Entry, key: &[u8]) -> Vec<Vec<u8>> {
        let args = self.args();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands;
    use crate::registry::Registry;

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
        ];
        for (line, key, expected) in table {
            let (mut spans, mut words) = (Vec::new(), Vec::new());
            quoris_resp::split_words(line.as_bytes(), &mut spans, &mut words).expect("words");
            let args = Args::new(&words, &spans);
            let entry = registry.find(&args).expect("a command");
            let waiter = Waiter::new(entry, &args, 0, (1, Instant::now()));
            let words = waiter.attempt(entry, key.as_bytes());
            let words: Vec<_> = words.iter().map(|word| String::from_utf8_lossy(word)).collect();
            assert_eq!(words.join(" "), expected);
        }
    }

    #[test]
    fn a_move_waits_for_its_source_only() {
        let registry = Registry::new(commands::FAMILIES);
        let (mut spans, mut words) = (Vec::new(), Vec::new());
        quoris_resp::split_words(b"BLMOVE a b LEFT LEFT 0", &mut spans, &mut words).expect("words");
        let args = Args::new(&words, &spans);
        let entry = registry.find(&args).expect("a command");
        let waiter = Waiter::new(entry, &args, 0, (1, Instant::now()));
        assert!(waiter.keys().eq([b"a"]));
        assert_eq!(waiter.deadline, None);
    }
}
