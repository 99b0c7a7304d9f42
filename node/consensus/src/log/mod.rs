//! Where a group's log lies: a shard's in segments of its own, the topology's
//! as records of the metadata store. Votes of both lie in the metadata store.

mod ballot;
mod meta;
mod segments;
#[cfg(test)]
mod tests;

use std::ops::{Bound, RangeBounds};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use self::ballot::Ballot;
pub(crate) use self::meta::MetaStore;
pub(crate) use self::segments::SegmentStore;

/// How far a group's log reaches, for whoever only wants to know that. Cheap to
/// clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach(Arc<AtomicU64>);

impl Reach {
    /// The index behind the last entry.
    pub(crate) fn end(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// This is the last entry from now on.
    pub(crate) fn set(&self, last: Option<u64>) {
        self.0.store(last.map_or(0, |index| index + 1), Ordering::Relaxed);
    }
}

/// The part of `wanted` that lies within `held`, as a half-open interval that
/// may be empty.
fn clamp(wanted: &impl RangeBounds<u64>, held: std::ops::Range<u64>) -> std::ops::Range<u64> {
    let start = match wanted.start_bound() {
        Bound::Included(start) => *start,
        Bound::Excluded(before) => before + 1,
        Bound::Unbounded => 0,
    };
    let end = match wanted.end_bound() {
        Bound::Included(last) => last + 1,
        Bound::Excluded(end) => *end,
        Bound::Unbounded => u64::MAX,
    };
    let start = start.max(held.start);
    start..end.min(held.end).max(start)
}
