//! When entries of a table expire: a deadline for each that has one, found by the number of the
//! entry and in the order of time.
//!
//! It stands beside the table, so that the first deadline of a hash of a million fields costs no
//! more than any other.

use alloc::collections::{BTreeMap, BTreeSet};

/// Deadlines in milliseconds since the Unix epoch, by the number of the entry.
#[derive(Clone, Debug, Default)]
pub(super) struct Deadlines {
    by_entry: BTreeMap<u32, u64>,
    by_time: BTreeSet<(u64, u32)>,
}

impl Deadlines {
    /// Whether nothing expires.
    pub fn is_empty(&self) -> bool {
        self.by_entry.is_empty()
    }

    /// The deadline of an entry.
    pub fn of(&self, at: usize) -> Option<u64> {
        self.by_entry.get(&number(at)).copied()
    }

    /// Sets or clears the deadline of an entry.
    pub fn set(&mut self, at: usize, deadline_ms: Option<u64>) {
        let at = number(at);
        if let Some(old) = self.by_entry.remove(&at) {
            self.by_time.remove(&(old, at));
        }
        if let Some(new) = deadline_ms {
            self.by_entry.insert(at, new);
            self.by_time.insert((new, at));
        }
    }

    /// Follows the table when it removes an entry and the last one takes its place.
    pub fn swap_remove(&mut self, at: usize, last: usize) {
        let moved = self.of(last);
        self.set(last, None);
        self.set(at, if at == last { None } else { moved });
    }

    /// The earliest deadline.
    pub fn earliest_ms(&self) -> Option<u64> {
        self.by_time.first().map(|(deadline, _)| *deadline)
    }

    /// The entry with the earliest deadline, if that has come.
    pub fn first_expired(&self, now_ms: u64) -> Option<usize> {
        self.by_time.first().filter(|(at, _)| *at <= now_ms).map(|(_, at)| *at as usize)
    }

    /// How many deadlines have come.
    pub fn expired(&self, now_ms: u64) -> usize {
        self.by_time.range(..=(now_ms, u32::MAX)).count()
    }

    /// How many allocations they take, about: a node of either tree holds eight on average.
    pub fn pieces(&self) -> usize {
        self.by_entry.len() / 4
    }

    /// How many bytes of memory they take, about: the nodes of both trees are three quarters full.
    pub fn heap_bytes(&self) -> usize {
        const ENTRY: usize = size_of::<(u32, u64)>() + size_of::<(u64, u32)>();
        self.by_entry.len() * ENTRY * 4 / 3
    }
}

fn number(at: usize) -> u32 {
    u32::try_from(at).expect("a table has fewer than 4 billion entries")
}
