//! Byte buffers that grow and shrink by little, because there may be millions of them.

use alloc::vec::Vec;
use core::ops::Range;

/// Makes room for `extra` more bytes, as many as an allocation for them has anyway, instead of the
/// doubling of `Vec`.
#[inline]
pub(in crate::types) fn reserve(bytes: &mut Vec<u8>, extra: usize) {
    let needed = bytes.len() + extra;
    if needed > bytes.capacity() {
        bytes.reserve_exact(size_class(needed) - bytes.len());
    }
}

/// The size of the allocation that an allocator makes for so many bytes: there are four sizes
/// between a power of two and the next, so growing from one to the next costs a constant share.
const fn size_class(bytes: usize) -> usize {
    let step = bytes.next_power_of_two() / 8;
    bytes.next_multiple_of(if step < 8 { 8 } else { step })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_grows_by_the_sizes_of_allocations() {
        for (bytes, size) in
            [(1, 8), (8, 8), (63, 64), (65, 80), (128, 128), (129, 160), (200, 224), (8190, 8192)]
        {
            assert_eq!(size_class(bytes), size, "{bytes}");
        }
        let (mut bytes, mut moves) = (Vec::new(), 0);
        for len in 1..=100_000 {
            let before = bytes.capacity();
            reserve(&mut bytes, 1);
            bytes.push(0);
            moves += usize::from(bytes.capacity() != before);
            assert!(bytes.capacity() <= len + len / 4 + 8, "{} for {len}", bytes.capacity());
        }
        assert!(moves < 60, "moved {moves} times");
    }
}
