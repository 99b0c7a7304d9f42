//! Where a group's log lies: a shard's in segments of its own, the topology's
//! as records of the metadata store. Votes of both lie in the metadata store.

mod ballot;
mod meta;
mod segments;
#[cfg(test)]
mod tests;

use std::ops::{Bound, RangeBounds};

pub(crate) use self::ballot::Ballot;
pub(crate) use self::meta::MetaStore;
pub(crate) use self::segments::SegmentStore;

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
