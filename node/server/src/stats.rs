//! What the node counts: per command, per error, and in all.
//!
//! The budget is 50 ns per command, so the clock is not read for each: a run of cheap commands is
//! timed as a whole and shared out evenly, and only commands that may take long are timed one by
//! one.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

/// Octaves of a latency histogram: up to 2^40 ns, a quarter of an hour.
const OCTAVES: usize = 40;
/// Steps within an octave: each is at most 12.5 % wide.
const STEPS: usize = 8;

/// How long a command took, how often.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Box<[u64]>,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { counts: vec![0; OCTAVES * STEPS].into_boxed_slice() }
    }
}

impl Histogram {
    /// Counts `count` samples of `nanos`.
    #[inline]
    pub fn record(&mut self, nanos: u64, count: u64) {
        self.counts[bucket(nanos)] += count;
    }

    /// The duration in nanoseconds that `fraction` (0 to 1) of the samples did not exceed.
    pub fn percentile(&self, fraction: f64) -> u64 {
        let total: u64 = self.counts.iter().sum();
        let rank = (total as f64 * fraction).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return upper_bound(index);
            }
        }
        0
    }

    /// Upper bounds in nanoseconds, each with the number of samples up to it; only where samples
    /// are.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let mut seen = 0;
        self.counts.iter().enumerate().filter(|(_, count)| **count > 0).map(
            move |(index, count)| {
                seen += count;
                (upper_bound(index), seen)
            },
        )
    }
}

#[inline]
fn bucket(nanos: u64) -> usize {
    let nanos = nanos.max(STEPS as u64);
    let octave = 63 - nanos.leading_zeros() as usize;
    let step = (nanos >> (octave - 3)) as usize & (STEPS - 1);
    (octave * STEPS + step).min(OCTAVES * STEPS - 1)
}

fn upper_bound(index: usize) -> u64 {
    let (octave, step) = (index / STEPS, index % STEPS);
    if octave < 3 {
        return STEPS as u64;
    }
    ((STEPS + step + 1) as u64) << (octave - 3)
}

/// What is counted about one command or subcommand.
#[derive(Clone, Debug, Default)]
pub struct CommandStats {
    /// Calls that ran.
    pub calls: u64,
    /// Time in them, in nanoseconds.
    pub nanos: u64,
    /// Calls refused before they ran.
    pub rejected: u64,
    /// Calls that ran and failed.
    pub failed: u64,
    /// How long calls took; made at the first call.
    pub latency: Option<Histogram>,
}

/// What the node counts.
#[derive(Debug, Default)]
pub struct Stats {
    /// By the command's number in the registry.
    commands: RefCell<Vec<CommandStats>>,
    /// Errors by code.
    errors: RefCell<BTreeMap<String, u64>>,
    /// Commands run.
    pub commands_processed: Cell<u64>,
    /// Connections accepted.
    pub connections_received: Cell<u64>,
    /// Connections refused, for instance because of `maxclients`.
    pub connections_rejected: Cell<u64>,
    /// Bytes received from clients.
    pub bytes_in: Cell<u64>,
    /// Bytes sent to clients.
    pub bytes_out: Cell<u64>,
    /// Error replies.
    pub error_replies: Cell<u64>,
    /// Entries proposed.
    pub entries_proposed: Cell<u64>,
    /// Changes to the data since the start.
    pub changes: Cell<u64>,
    /// Keys removed because their time had come.
    pub expired_keys: Cell<u64>,
    /// `latency-tracking`: histograms are kept.
    pub tracks_latency: Cell<bool>,
}

impl Stats {
    pub(crate) fn new(commands: usize) -> Self {
        let stats = Stats::default();
        stats.commands.borrow_mut().resize_with(commands, CommandStats::default);
        stats
    }

    /// Counts `calls` calls that took `elapsed` in all.
    pub fn ran(&self, number: u16, calls: u64, elapsed: Duration) {
        let nanos = elapsed.as_nanos() as u64;
        let mut commands = self.commands.borrow_mut();
        let stats = &mut commands[number as usize];
        stats.calls += calls;
        stats.nanos += nanos;
        if self.tracks_latency.get() {
            stats.latency.get_or_insert_default().record(nanos / calls.max(1), calls);
        }
        self.commands_processed.set(self.commands_processed.get() + calls);
    }

    /// Counts a call that was refused before it ran.
    pub fn rejected(&self, number: u16) {
        self.commands.borrow_mut()[number as usize].rejected += 1;
    }

    /// Counts a call that ran and failed.
    pub fn failed(&self, number: u16) {
        self.commands.borrow_mut()[number as usize].failed += 1;
    }

    /// Counts an error reply by its code.
    pub fn error(&self, code: &str) {
        self.error_replies.set(self.error_replies.get() + 1);
        let mut errors = self.errors.borrow_mut();
        match errors.get_mut(code) {
            Some(count) => *count += 1,
            None => {
                errors.insert(code.to_owned(), 1);
            }
        }
    }

    /// Visits the statistics of every command that has any.
    pub fn each_command(&self, mut visit: impl FnMut(u16, &CommandStats)) {
        for (number, stats) in self.commands.borrow().iter().enumerate() {
            if stats.calls + stats.rejected + stats.failed > 0 {
                visit(number as u16, stats);
            }
        }
    }

    /// Visits the number of errors of each code, in the order of the codes.
    pub fn each_error(&self, mut visit: impl FnMut(&str, u64)) {
        self.errors.borrow().iter().for_each(|(code, count)| visit(code, *count));
    }

    /// `CONFIG RESETSTAT`.
    pub fn reset(&self) {
        let count = self.commands.borrow().len();
        *self.commands.borrow_mut() = vec![CommandStats::default(); count];
        self.errors.borrow_mut().clear();
        for counter in [
            &self.commands_processed,
            &self.connections_received,
            &self.connections_rejected,
            &self.bytes_in,
            &self.bytes_out,
            &self.error_replies,
            &self.entries_proposed,
            &self.expired_keys,
        ] {
            counter.set(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_within_an_eighth_of_the_sample() {
        for nanos in [8, 9, 100, 1_000, 123_456, 7_000_000_000] {
            let mut histogram = Histogram::default();
            histogram.record(nanos, 3);
            let found = histogram.percentile(0.99);
            assert!(found >= nanos && found <= nanos + nanos / 8 + 1, "{nanos} became {found}");
        }
    }

    #[test]
    fn percentiles_follow_the_ranks() {
        let mut histogram = Histogram::default();
        histogram.record(1_000, 90);
        histogram.record(1_000_000, 10);
        assert!(histogram.percentile(0.5) < 2_000);
        assert!(histogram.percentile(0.99) > 900_000);
        let last = histogram.cumulative().last().expect("there are samples");
        assert_eq!(last.1, 100);
    }
}
