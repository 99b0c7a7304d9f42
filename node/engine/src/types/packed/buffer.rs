//! Byte buffers that grow and shrink by little, because there may be millions of them.

use alloc::vec::Vec;
use core::ops::Range;

/// Makes room for `extra` more bytes, with an eighth to spare instead of the doubling of `Vec`.
#[inline]
pub(in crate::types) fn reserve(bytes: &mut Vec<u8>, extra: usize) {
    let needed = bytes.len() + extra;
    if needed > bytes.capacity() {
        let capacity = (needed + needed / 8).next_multiple_of(16);
        bytes.reserve_exact(capacity - bytes.len());
    }
}

/// Gives memory back if more than half of it, and more than a little, is unused.
pub(in crate::types) fn shrink(bytes: &mut Vec<u8>) {
    if bytes.capacity() > 2 * bytes.len() + 64 {
        bytes.shrink_to(bytes.len() + bytes.len() / 8);
    }
}

/// Makes the bytes at `range` become `len` bytes long, and returns them to be written; what
/// follows moves.
pub(in crate::types) fn resize_range(
    bytes: &mut Vec<u8>,
    range: Range<usize>,
    len: usize,
) -> &mut [u8] {
    let end = bytes.len();
    if len > range.len() {
        let extra = len - range.len();
        reserve(bytes, extra);
        bytes.resize(end + extra, 0);
        bytes.copy_within(range.end..end, range.end + extra);
    } else if len < range.len() {
        bytes.copy_within(range.end..end, range.start + len);
        bytes.truncate(end - (range.len() - len));
        shrink(bytes);
    }
    &mut bytes[range.start..range.start + len]
}
