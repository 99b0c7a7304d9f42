//! Remembers what commands answered, so that a script can be run once more without running its
//! commands twice.

use std::ops::Range;

use quoris_engine::Args;
use quoris_engine::scripting::Calls;
use quoris_resp::Protocol;

/// The most bytes of replies that one script may get.
const REPLIES_BYTES_MAX: usize = 256 << 20;
/// The most bytes that it may hand to commands, which may keep them: messages to publish are kept
/// until the entry is over.
const REQUESTS_BYTES_MAX: usize = 1 << 30;

/// How many bytes of room for replies are kept from one script to the next.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// What commands have answered to a script.
#[derive(Default)]
pub(crate) struct Record {
    replies: Vec<u8>,
    /// Where each reply ends.
    ends: Vec<usize>,
}

impl Record {
    /// Makes room for another script.
    pub(crate) fn clear(&mut self) {
        self.replies.clear();
        self.replies.shrink_to(KEPT_BYTES_MAX);
        self.ends.clear();
        self.ends.shrink_to(KEPT_BYTES_MAX / size_of::<usize>());
    }
}

/// A script's way to the commands.
pub(crate) struct Recorder<'c> {
    calls: &'c mut dyn Calls,
    record: &'c mut Record,
    /// How many of them the present run has had.
    had: usize,
    /// Bytes of all commands that have run.
    requested: usize,
}

impl<'c> Recorder<'c> {
    /// For a script that begins; the record is empty.
    pub(crate) fn new(calls: &'c mut dyn Calls, record: &'c mut Record) -> Self {
        Recorder { calls, record, had: 0, requested: 0 }
    }

    /// The script begins again, and gets the same replies until it comes further than before.
    pub(crate) fn rewind(&mut self) {
        self.had = 0;
    }

    /// Where the reply of the next call is; nothing if the script has had too many bytes.
    pub(crate) fn call(&mut self, args: Args<'_>, protocol: Protocol) -> Option<Range<usize>> {
        let start = self.had.checked_sub(1).map_or(0, |last| self.record.ends[last]);
        if self.had == self.record.ends.len() {
            self.requested += args.from(0).map(<[u8]>::len).sum::<usize>();
            if self.requested > REQUESTS_BYTES_MAX {
                return None;
            }
            self.calls.call(args, protocol, &mut self.record.replies);
            self.record.ends.push(self.record.replies.len());
        }
        self.had += 1;
        let end = self.record.ends[self.had - 1];
        (end <= REPLIES_BYTES_MAX).then_some(start..end)
    }

    pub(crate) fn reply(&self, range: Range<usize>) -> &[u8] {
        &self.record.replies[range]
    }

    pub(crate) fn calls(&self) -> &dyn Calls {
        self.calls
    }
}
