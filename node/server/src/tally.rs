//! Times commands without reading the clock for each.

use quoris_engine::spec::Flags;
use tokio::time::Instant;

use crate::registry::Entry;
use crate::stats::Stats;

/// How many cheap commands are timed together.
const TOGETHER: usize = 16;

/// Commands that have run since the clock was last read.
pub(crate) struct Tally<'a> {
    stats: &'a Stats,
    since: Instant,
    numbers: [u16; TOGETHER],
    len: usize,
}

impl<'a> Tally<'a> {
    /// Starts timing at `since`.
    pub(crate) fn new(stats: &'a Stats, since: Instant) -> Self {
        Tally { stats, since, numbers: [0; TOGETHER], len: 0 }
    }

    /// A command is about to run.
    #[inline]
    pub(crate) fn before(&mut self, entry: &Entry) {
        if !entry.has(Flags::FAST) && self.len > 0 {
            self.close();
        }
    }

    /// It has run.
    #[inline]
    pub(crate) fn after(&mut self, entry: &Entry) {
        self.numbers[self.len] = entry.number;
        self.len += 1;
        if self.len == TOGETHER || !entry.has(Flags::FAST) {
            self.close();
        }
    }

    /// Shares out the time since the last call.
    pub(crate) fn close(&mut self) {
        if self.len == 0 {
            return;
        }
        let now = Instant::now();
        let each = now.saturating_duration_since(self.since) / self.len as u32;
        for run in self.numbers[..self.len].chunk_by(|one, next| one == next) {
            self.stats.ran(run[0], run.len() as u64, each * run.len() as u32);
        }
        self.since = now;
        self.len = 0;
    }
}
