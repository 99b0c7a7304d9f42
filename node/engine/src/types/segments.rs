//! A vector that never moves more than a little of itself.
//!
//! `Vec` doubles: the push that finds it full copies everything, and needs three times the memory
//! meanwhile. Here items stand in segments of [`SEGMENT`]; only the first one grows like a vector,
//! and beyond it nothing moves but the list of segments.

use alloc::vec::Vec;

use crate::keyspace::prefetch;

/// Items of a segment.
const SEGMENT: usize = 1024;

/// Items by number, added and removed at the end.
#[derive(Clone, Debug)]
pub(super) struct Segments<T> {
    /// All but the last are full, and none is empty.
    list: Vec<Vec<T>>,
}

impl<T> Default for Segments<T> {
    fn default() -> Self {
        Segments { list: Vec::new() }
    }
}

impl<T> Segments<T> {
    /// How many items there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.list.last().map_or(0, |last| (self.list.len() - 1) * SEGMENT + last.len())
    }

    /// Item number `at`.
    #[inline]
    pub fn get(&self, at: usize) -> &T {
        &self.list[at / SEGMENT][at % SEGMENT]
    }

    /// Item number `at`, to be changed.
    #[inline]
    pub fn get_mut(&mut self, at: usize) -> &mut T {
        &mut self.list[at / SEGMENT][at % SEGMENT]
    }

    /// Appends an item.
    pub fn push(&mut self, item: T) {
        match self.list.last_mut() {
            Some(last) if last.len() < SEGMENT => {
                if last.len() == last.capacity() {
                    last.reserve_exact((last.len() / 2 + 4).min(SEGMENT - last.len()));
                }
                last.push(item);
            }
            full => {
                // Where there was one, there will soon be as many again.
                let mut segment = Vec::with_capacity(if full.is_some() { SEGMENT } else { 1 });
                segment.push(item);
                self.list.push(segment);
            }
        }
    }

    /// Removes the last item.
    pub fn pop(&mut self) -> Option<T> {
        let last = self.list.last_mut()?;
        let item = last.pop();
        if last.is_empty() {
            self.list.pop();
        } else if self.list.len() == 1 && self.list[0].capacity() > 4 * self.list[0].len() + 4 {
            let few = 2 * self.list[0].len();
            self.list[0].shrink_to(few);
        }
        item
    }

    /// Asks for the list of segments.
    #[inline]
    pub fn prefetch(&self) {
        prefetch(self.list.as_ptr());
    }

    /// Asks for the header of the segment that item `at` is in, or would be.
    #[inline]
    pub fn prefetch_segment(&self, at: usize) {
        prefetch(self.list.as_ptr().wrapping_add(at / SEGMENT));
    }

    /// Asks for item `at`, if its segment is there.
    #[inline]
    pub fn prefetch_item(&self, at: usize) {
        if let Some(segment) = self.list.get(at / SEGMENT) {
            prefetch(segment.as_ptr().wrapping_add(at % SEGMENT));
        }
    }

    /// All items in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.list.iter().flatten()
    }

    /// How many bytes of memory the items take, without their insides.
    pub fn heap_bytes(&self) -> usize {
        self.list.capacity() * size_of::<Vec<T>>()
            + self.list.iter().map(|segment| segment.capacity() * size_of::<T>()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(segments: &Segments<usize>, at: usize) -> *const usize {
        core::ptr::from_ref(segments.get(at))
    }

    #[test]
    fn items_keep_their_numbers_and_full_segments_their_places() {
        let mut segments = Segments::default();
        let mut places = Vec::new();
        for n in 0..5 * SEGMENT + 7 {
            segments.push(n);
            assert_eq!((segments.len(), *segments.get(n)), (n + 1, n));
            if n >= SEGMENT {
                places.push(place(&segments, n));
            }
        }
        let after: Vec<_> = (SEGMENT..segments.len()).map(|n| place(&segments, n)).collect();
        assert_eq!(places, after, "what was pushed once was never moved");
        assert!(segments.iter().copied().eq(0..segments.len()));
        *segments.get_mut(SEGMENT) = 9;
        for n in (0..segments.len()).rev() {
            assert_eq!(segments.pop(), Some(if n == SEGMENT { 9 } else { n }));
        }
        assert_eq!((segments.pop(), segments.len()), (None, 0));
        assert!(segments.heap_bytes() < 1024, "memory is given back");
    }
}
