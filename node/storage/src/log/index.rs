//! Where the records are: one line per run of about 64 KiB.
//!
//! A run is a stretch of consecutive records of one term that stand one after
//! another in one segment. A truncation ends the run it cuts into, and what is
//! appended next starts a new one; so the dead records between the two belong
//! to no run and are never seen by a reader.

use std::collections::VecDeque;

/// A run grows to this many bytes, which bounds what a reader has to skip.
const RUN_BYTES: u64 = 64 * 1024;

/// A stretch of records; it ends where the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Index of its first record.
    pub index: u64,
    /// Term of all its records.
    pub term: u64,
    /// The life of the segment.
    pub segment: u64,
    /// Offset of its first record in the segment.
    pub offset: u64,
    /// Offset of its first record from the start of the oldest segment that was
    /// there when the log was opened.
    pub position: u64,
}

#[derive(Debug, Default)]
pub(super) struct Index {
    runs: VecDeque<Run>,
    /// The last run was cut, so that the next record starts another.
    cut: bool,
}

impl Index {
    /// Notes a record that was appended: the run it would begin.
    pub fn note(&mut self, run: Run) {
        let joins = self.runs.back().is_some_and(|last| {
            !self.cut
                && (last.term, last.segment) == (run.term, run.segment)
                && run.offset - last.offset < RUN_BYTES
        });
        if !joins {
            self.runs.push_back(run);
            self.cut = false;
        }
    }

    /// The lowest index that may still be in a segment.
    pub fn first_index(&self) -> Option<u64> {
        self.runs.front().map(|run| run.index)
    }

    /// The run that holds `index`, and the index at which the next one starts.
    pub fn find(&self, index: u64) -> Option<(Run, Option<u64>)> {
        let after = self.runs.partition_point(|run| run.index <= index);
        let run = *self.runs.get(after.checked_sub(1)?)?;
        Some((run, self.runs.get(after).map(|next| next.index)))
    }

    /// Forgets `index` and everything after it.
    pub fn truncate(&mut self, index: u64) {
        while self.runs.pop_back_if(|run| run.index >= index).is_some() {}
        self.cut = true;
    }

    /// Forgets the runs that end at or before `index`.
    pub fn purge(&mut self, index: u64) {
        while self.runs.get(1).is_some_and(|next| next.index <= index + 1) {
            self.runs.pop_front();
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.runs.clear();
    }
}
