//! The node's allocator: jemalloc with size classes eight bytes apart.
//!
//! An entry of the keyspace is one small allocation, so classes eight bytes
//! apart save memory (`JEMALLOC_SYS_WITH_LG_QUANTUM` in `.cargo/config.toml`).
//! But jemalloc then aligns to eight bytes only, unless it is asked for more,
//! while `tikv_jemallocator` takes sixteen for granted and does not ask. Hash
//! tables read sixteen aligned bytes at a time: they would fault.

#![expect(unsafe_code, reason = "an allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout};

use tikv_jemallocator::Jemalloc;

/// Alignments from this one on are always asked for.
const ALIGN_ASKED_FOR: usize = 32;

/// jemalloc, asked for every alignment that its quantum does not give.
pub struct Allocator;

/// A layout whose alignment jemalloc will see. It depends on the layout alone,
/// so a block is freed with the alignment that it was allocated with.
fn visible(layout: Layout) -> Layout {
    if layout.align() <= align_of::<u64>() {
        return layout;
    }
    // Only a size that cannot be allocated anyway cannot be aligned so.
    layout.align_to(ALIGN_ASKED_FOR).unwrap_or(layout)
}

// SAFETY: every call is handed to jemalloc with the same size and an alignment
// at least as strict, the same for a block's allocation, growth and release.
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
        unsafe { Jemalloc.realloc(block, visible(layout), size) }
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
            [1, 8, 16, 32, 4096].into_iter().flat_map(|a| (1..300).map(move |s| (a, s)))
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
