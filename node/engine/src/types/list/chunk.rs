//! One node of a list: elements packed into a buffer that is open at both ends.
//!
//! ```text
//! ┌ gap ┬ element │ its size ┬ element │ its size ┬ … ┬ spare ┐
//!       start
//! ```
//!
//! An element is followed by its own size in a form that can be read backwards (seven bits a byte,
//! the lowest last, the high bit set in all bytes but the first), so that a chunk can be walked
//! from either end. The gap makes pushing and popping at the front as cheap as at the back.

use alloc::vec::Vec;
use core::ops::Range;

use crate::types::packed::{Element, Encoded, buffer, element, trailer_len};

/// A sequence of elements, short enough that walking it is cheap.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunk {
    bytes: Vec<u8>,
    start: u32,
    count: u32,
}

impl Chunk {
    /// How many elements there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// How many bytes the elements with their sizes take.
    #[inline]
    pub fn byte_len(&self) -> usize {
        self.bytes.len() - self.front()
    }

    /// How many bytes of memory the buffer takes.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Where the first element begins.
    #[inline]
    pub fn front(&self) -> usize {
        self.start as usize
    }

    /// Where the last element ends.
    #[inline]
    pub fn back(&self) -> usize {
        self.bytes.len()
    }

    /// The element that begins at `at`.
    #[inline]
    pub fn read(&self, at: usize) -> Element<'_> {
        element::first(&self.bytes[at..]).0
    }

    /// Where the elements from number `index` on begin.
    pub fn offsets(&self, index: usize) -> impl Iterator<Item = usize> {
        let first = self.seek(index);
        core::iter::successors(Some(first), |&at| Some(self.next(at))).take(self.len() - index)
    }

    /// Where the elements begin, from the last to the first.
    pub fn offsets_backwards(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).scan(self.back(), |at, _| {
            *at = self.previous(*at);
            Some(*at)
        })
    }

    /// Where the element behind the one at `at` begins.
    #[inline]
    pub fn next(&self, at: usize) -> usize {
        let size = element::size_of_first(&self.bytes[at..]);
        at + size + trailer_len(size)
    }

    /// Where the element before `at` begins.
    #[inline]
    pub fn previous(&self, at: usize) -> usize {
        let (mut size, mut shift, mut end) = (0, 0, at);
        loop {
            end -= 1;
            let byte = self.bytes[end];
            size |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return end - size;
            }
            shift += 7;
        }
    }

    /// Where the element at this index begins; for `index == len()`, where the last one ends.
    pub fn seek(&self, index: usize) -> usize {
        if index <= self.len() / 2 {
            (0..index).fold(self.front(), |at, _| self.next(at))
        } else {
            (index..self.len()).fold(self.back(), |at, _| self.previous(at))
        }
    }

    /// Whether this element begins at `at`.
    #[inline]
    pub fn holds(&self, at: usize, element: &Encoded<'_>) -> bool {
        element.begins(&self.bytes[at..])
    }

    /// Appends an element.
    pub fn push_back(&mut self, element: &Encoded<'_>) {
        buffer::reserve(&mut self.bytes, stored_len(element));
        element.append(&mut self.bytes);
        let (trailer, len) = trailer(element.len());
        self.bytes.extend_from_slice(&trailer[..len]);
        self.count += 1;
    }

    /// Puts an element before the first.
    pub fn push_front(&mut self, element: &Encoded<'_>) {
        let size = stored_len(element);
        if self.front() < size {
            self.widen_gap(size);
        }
        let start = self.front() - size;
        write(element, &mut self.bytes[start..start + size]);
        self.start = start as u32;
        self.count += 1;
    }

    /// Puts an element where another one begins, or at the back.
    pub fn insert(&mut self, at: usize, element: &Encoded<'_>) {
        if at == self.front() {
            return self.push_front(element);
        }
        let size = stored_len(element);
        write(element, buffer::resize_range(&mut self.bytes, at..at, size));
        self.count += 1;
    }

    /// Replaces the element that begins at `at`.
    pub fn replace(&mut self, at: usize, element: &Encoded<'_>) {
        let range = at..self.next(at);
        write(element, buffer::resize_range(&mut self.bytes, range, stored_len(element)));
    }

    /// Removes `count` elements from number `index` on, and returns how many bytes have gone.
    pub fn remove(&mut self, index: usize, count: usize) -> usize {
        let start = self.seek(index);
        let end = if index + count == self.len() {
            self.back()
        } else {
            (0..count).fold(start, |at, _| self.next(at))
        };
        self.remove_bytes(start..end, count);
        end - start
    }

    fn remove_bytes(&mut self, range: Range<usize>, count: usize) {
        self.count -= count as u32;
        if range.start == self.front() {
            self.start = range.end as u32;
            if self.front() > self.bytes.len() / 2 {
                self.close_gap();
            }
        } else {
            buffer::resize_range(&mut self.bytes, range, 0);
        }
    }

    /// Removes up to `most` elements that equal `element`, counted from the front or the back, and
    /// returns how many bytes and how many elements have gone.
    pub fn remove_equal(
        &mut self,
        element: &Encoded<'_>,
        most: usize,
        backwards: bool,
    ) -> (usize, usize) {
        let mut found: Vec<usize> = self.offsets(0).filter(|&at| self.holds(at, element)).collect();
        if backwards {
            found.drain(..found.len().saturating_sub(most));
        } else {
            found.truncate(most);
        }
        let size = stored_len(element);
        let Some(mut to) = found.first().copied() else { return (0, 0) };
        for (nth, &at) in found.iter().enumerate() {
            let kept = at + size..found.get(nth + 1).copied().unwrap_or(self.bytes.len());
            let kept_len = kept.len();
            self.bytes.copy_within(kept, to);
            to += kept_len;
        }
        self.bytes.truncate(to);
        self.count -= found.len() as u32;
        if self.count > 0 {
            buffer::shrink(&mut self.bytes);
        }
        (found.len() * size, found.len())
    }

    /// Takes out everything from `at` on, which is the beginning of element number `index`.
    pub fn split_off(&mut self, at: usize, index: usize) -> Chunk {
        let bytes = self.bytes.split_off(at);
        let count = self.count - index as u32;
        self.count = index as u32;
        self.trim();
        Chunk { bytes, start: 0, count }
    }

    /// Appends all elements of another chunk.
    pub fn append(&mut self, other: &Chunk) {
        let elements = &other.bytes[other.front()..];
        buffer::reserve(&mut self.bytes, elements.len());
        self.bytes.extend_from_slice(elements);
        self.count += other.count;
    }

    /// Gives up gap and spare room: nothing more will be pushed here.
    pub fn trim(&mut self) {
        self.close_gap();
        self.bytes.shrink_to_fit();
    }

    fn close_gap(&mut self) {
        self.bytes.drain(..self.start as usize);
        self.start = 0;
        buffer::shrink(&mut self.bytes);
    }

    /// Makes the gap wide enough for `size` bytes, and an eighth of the elements to spare.
    fn widen_gap(&mut self, size: usize) {
        let extra = (size + self.byte_len() / 8).next_multiple_of(16) - self.front();
        buffer::resize_range(&mut self.bytes, 0..0, extra);
        self.start += extra as u32;
    }
}

/// How many bytes an element takes with its size behind it.
#[inline]
pub(super) fn stored_len(element: &Encoded<'_>) -> usize {
    let size = element.len();
    size + trailer_len(size)
}

#[inline]
fn write(element: &Encoded<'_>, place: &mut [u8]) {
    element.write(place);
    let (trailer, len) = trailer(element.len());
    place[element.len()..].copy_from_slice(&trailer[..len]);
}

/// A size to be read backwards, and how many bytes it takes.
#[inline]
fn trailer(size: usize) -> ([u8; 5], usize) {
    let len = trailer_len(size);
    let mut bytes = [0; 5];
    for (nth, byte) in bytes[..len].iter_mut().rev().enumerate() {
        *byte = (size >> (7 * nth)) as u8 & 0x7f | 0x80;
    }
    bytes[0] &= 0x7f;
    (bytes, len)
}
