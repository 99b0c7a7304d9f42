//! The last commands that took too long.

use std::collections::VecDeque;
use std::time::Duration;

use super::Ran;
use super::redact::redacted;

/// So many words of a command are kept.
const WORDS_MAX: usize = 32;
/// So many bytes of a word are kept.
const WORD_BYTES_MAX: usize = 128;

/// A command that took too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowCommand {
    /// Its number, never reused.
    pub id: u64,
    /// When it ran, in seconds since the Unix epoch.
    pub at_s: u64,
    /// How long it took.
    pub time: Duration,
    /// Its words, shortened.
    pub words: Vec<Vec<u8>>,
    /// Where the client came from.
    pub peer: String,
    /// What the client was called.
    pub name: Vec<u8>,
}

/// The last commands that took too long, the newest first.
#[derive(Debug, Default)]
pub struct SlowLog {
    entries: VecDeque<SlowCommand>,
    len_max: usize,
    next_id: u64,
}

impl SlowLog {
    pub(crate) fn add(&mut self, ran: &Ran<'_>, time: Duration, at_s: u64) {
        let entry = SlowCommand {
            id: self.next_id,
            at_s,
            time,
            words: shortened(&redacted(&ran.args)),
            peer: ran.session.peer.to_string(),
            name: ran.session.name.borrow().clone(),
        };
        self.next_id += 1;
        self.entries.push_front(entry);
        self.entries.truncate(self.len_max);
    }

    /// Keeps at most so many from now on.
    pub fn set_len_max(&mut self, len_max: usize) {
        self.len_max = len_max;
        self.entries.truncate(len_max);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The newest first.
    pub fn iter(&self) -> impl Iterator<Item = &SlowCommand> {
        self.entries.iter()
    }

    /// Forgets them. Numbers go on.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

fn shortened(words: &[&[u8]]) -> Vec<Vec<u8>> {
    let all = words.len() <= WORDS_MAX;
    let kept = if all { words.len() } else { WORDS_MAX - 1 };
    let mut short: Vec<Vec<u8>> = words[..kept].iter().map(|word| shortened_word(word)).collect();
    if !all {
        short.push(format!("... ({} more arguments)", words.len() - kept).into_bytes());
    }
    short
}

fn shortened_word(word: &[u8]) -> Vec<u8> {
    if word.len() <= WORD_BYTES_MAX {
        return word.to_vec();
    }
    let more = format!("... ({} more bytes)", word.len() - WORD_BYTES_MAX);
    [&word[..WORD_BYTES_MAX], more.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_thirty_two_words_are_kept() {
        let words: Vec<&[u8]> = vec![b"w"; 32];
        assert_eq!(shortened(&words).len(), 32);
        assert_eq!(shortened(&words)[31], b"w");
        let words: Vec<&[u8]> = vec![b"w"; 40];
        let short = shortened(&words);
        assert_eq!(short.len(), 32);
        assert_eq!(short[30], b"w");
        assert_eq!(short[31], b"... (9 more arguments)");
    }

    #[test]
    fn at_most_128_bytes_of_a_word_are_kept() {
        assert_eq!(shortened_word(&[b'x'; 128]), [b'x'; 128]);
        let short = shortened_word(&[b'x'; 131]);
        assert_eq!(&short[128..], b"... (3 more bytes)");
    }
}
