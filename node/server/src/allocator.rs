//! The node's allocator: jemalloc with size classes eight bytes apart.
//!
//! An entry of the keyspace is one small allocation, so classes eight bytes
//! apart save memory (`JEMALLOC_SYS_WITH_LG_QUANTUM` in `.cargo/config.toml`).
//! But jemalloc then aligns to eight bytes only, unless it is asked for more,
//! while `tikv_jemallocator` takes sixteen for granted and does not ask. Hash
//! tables read sixteen aligned bytes at a time: they would fault.
//!
//! A class whose size is a multiple of sixteen begins every block at one, since
//! its blocks lie side by side from the start of a page; and all classes above
//! 64 bytes are such. So sixteen is had by rounding sizes up, without asking,
//! which would be slower: Lua wants it for everything.

#![expect(unsafe_code, reason = "an allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout};

use tikv_jemallocator::Jemalloc;

/// The alignment that a size can give.
const ALIGN_OF_SIZE: usize = 16;

/// jemalloc, asked for every alignment that its quantum does not give.
pub struct Allocator;

/// A layout whose alignment jemalloc will see, or has without seeing it. It
/// depends on the layout alone, so a block is freed as it was allocated.
#[inline]
fn visible(layout: Layout) -> Layout {
    if layout.align() != ALIGN_OF_SIZE {
        return layout;
    }
    let size = visible_size(layout, layout.size());
    // Only a size that cannot be allocated anyway cannot be rounded.
    Layout::from_size_align(size, align_of::<u64>()).unwrap_or(layout)
}

/// The size for which a block with this alignment is asked for.
#[inline]
fn visible_size(layout: Layout, size: usize) -> usize {
    if layout.align() == ALIGN_OF_SIZE { size.next_multiple_of(ALIGN_OF_SIZE) } else { size }
}

// SAFETY: every call is handed to jemalloc with the same size and an alignment
// that gives one at least as strict, or with a size that does, the same for a
// block's allocation, growth and release.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises hold for the stricter layout as well.
        unsafe { Jemalloc.alloc(visible(layout)) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        unsafe { Jemalloc.alloc_zeroed(visible(layout)) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block was allocated with `visible(layout)`.
        unsafe { Jemalloc.dealloc(block, visible(layout)) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the block was allocated with `visible(layout)`.
        unsafe { Jemalloc.realloc(block, visible(layout), visible_size(layout, size)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Several blocks at once: the first of a page would be aligned by chance.
    fn blocks(layout: Layout) -> [*mut u8; 8] {
        // SAFETY: the size is not zero.
        [(); 8].map(|()| unsafe { Allocator.alloc_zeroed(layout) })
    }

    #[test]
    fn every_block_is_aligned_as_asked_and_keeps_its_bytes() {
        for (align, size) in
            [1, 8, 16, 32, 4096].into_iter().flat_map(|a| (1..5000).map(move |s| (a, s)))
        {
            let layout = Layout::from_size_align(size, align).expect("a small layout");
            let larger = Layout::from_size_align(size + 24, align).expect("a small layout");
            for block in blocks(layout) {
                // SAFETY: `block` has `size` bytes, and is released with the
                // layout that it was last given.
                unsafe {
                    assert!(!block.is_null() && block.addr() % align == 0, "{size} at {align}");
                    block.add(size - 1).write(7);
                    let grown = Allocator.realloc(block, layout, larger.size());
                    assert!(!grown.is_null() && grown.addr() % align == 0, "{size} at {align}");
                    assert_eq!(grown.add(size - 1).read(), 7);
                    Allocator.dealloc(grown, larger);
                }
            }
        }
    }
}
