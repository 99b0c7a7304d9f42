//! Times commands without reading the clock for each.

use std::time::Duration;

use tokio::time::Instant;

use crate::registry::Entry;
use crate::shared::Shared;
use crate::stats::Stats;

/// How many cheap commands are timed together.
const TOGETHER: usize = 16;

/// Commands that have run since the clock was last read.
pub(crate) struct Tally<'a> {
    stats: &'a Stats,
    since: Instant,
    /// Even cheap commands are timed one by one.
    each: bool,
    numbers: [u16; TOGETHER],
    len: usize,
}

impl<'a> Tally<'a> {
    /// Starts timing at `since`.
    pub(crate) fn new(shared: &'a Shared, since: Instant) -> Self {
        let (stats, each) = (&shared.stats, shared.observe.times_each());
        Tally { stats, since, each, numbers: [0; TOGETHER], len: 0 }
    }

    /// A command is about to run.
    #[inline]
    pub(crate) fn before(&mut self, entry: &Entry) {
        if !entry.is_cheap && self.len > 0 {
            self.close();
        }
    }

    /// It has run. Returns how long it took, if it was timed on its own.
    #[inline]
    pub(crate) fn after(&mut self, entry: &Entry) -> Option<Duration> {
        self.numbers[self.len] = entry.number;
        self.len += 1;
        if self.len == TOGETHER || self.each || !entry.is_cheap {
            return self.close();
        }
        None
    }

    /// A command that has been counted, and waited, is about to run again.
    pub(crate) fn before_again(&mut self) {
        self.close();
    }

    /// It has run. Returns how long that took, which is added to its time.
    pub(crate) fn after_again(&mut self, entry: &Entry) -> Duration {
        let now = Instant::now();
        let time = now.saturating_duration_since(self.since);
        self.stats.ran(entry.number, 0, time);
        self.since = now;
        time
    }

    /// Shares out the time since the last call, and returns it if it is all one command's.
    pub(crate) fn close(&mut self) -> Option<Duration> {
        if self.len == 0 {
            return None;
        }
        let now = Instant::now();
        let each = now.saturating_duration_since(self.since) / self.len as u32;
        for run in self.numbers[..self.len].chunk_by(|one, next| one == next) {
            self.stats.ran(run[0], run.len() as u64, each * run.len() as u32);
        }
        let is_one = self.len == 1;
        self.since = now;
        self.len = 0;
        is_one.then_some(each)
    }
}
