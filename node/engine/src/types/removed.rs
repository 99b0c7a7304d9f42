//! What was taken out of a collection that goes on without it.

use core::fmt::Debug;

/// Parts of a collection that are no longer in it. Dropping many takes as long as a slow command
/// does, so whoever gets them hands them to [`WriteCx::discard`](crate::WriteCx::discard).
pub trait Removed: Debug + Send + 'static {
    /// How many allocations they consist of, about.
    fn pieces(&self) -> usize;
}

/// Bytes that take about as long to free as another piece: returning pages has its price too.
pub(crate) const PIECE_BYTES: usize = 1 << 16;
