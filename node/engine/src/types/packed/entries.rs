//! A short sequence of entries in one buffer: the compact form of hashes and sets.

use alloc::vec::Vec;
use core::ops::Range;

use super::buffer;
use super::element::{self, Element, Encoded};
use super::search;
use crate::keyspace::prefetch;

/// Entries of `WORDS` elements each, one behind the other; the first element of an entry is its
/// key. Everything is a walk over the buffer, which is why it has to stay short.
#[derive(Clone, Debug, Default)]
pub(in crate::types) struct Entries<const WORDS: usize> {
    bytes: Vec<u8>,
    count: u32,
}

impl<const WORDS: usize> Entries<WORDS> {
    /// How many entries there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// How many bytes of memory the buffer takes.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Where the entry with this key is.
    #[inline]
    pub fn find(&self, key: &Encoded<'_>) -> Option<Range<usize>> {
        search::find::<WORDS>(&self.bytes, key)
    }

    /// The elements of an entry that [`Entries::find`] found.
    #[inline]
    pub fn at(&self, range: Range<usize>) -> [Element<'_>; WORDS] {
        words(&self.bytes[range])
    }

    /// Asks for the beginning of the buffer; the processor follows a walk through it by itself.
    #[inline]
    pub fn prefetch(&self) {
        prefetch(self.bytes.as_ptr());
    }

    /// Makes room for so many more bytes.
    pub fn reserve(&mut self, bytes: usize) {
        buffer::reserve(&mut self.bytes, bytes);
    }

    /// Appends an entry whose key is not there yet.
    #[inline]
    pub fn push(&mut self, entry: &[Encoded<'_>; WORDS]) {
        buffer::reserve(&mut self.bytes, entry.iter().map(Encoded::len).sum());
        for word in entry {
            word.append(&mut self.bytes);
        }
        self.count += 1;
    }

    /// How many bytes the entries take, which is where another one would begin.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds an entry whose key is not there yet, in front of the one that begins at byte `at`.
    pub fn insert(&mut self, at: usize, entry: &[Encoded<'_>; WORDS]) {
        let size = entry.iter().map(Encoded::len).sum();
        let mut place = buffer::resize_range(&mut self.bytes, at..at, size);
        for word in entry {
            word.write(place);
            place = &mut place[word.len()..];
        }
        self.count += 1;
    }

    /// Removes an entry that [`Entries::find`] found; those behind it close the gap.
    pub fn remove(&mut self, range: Range<usize>) {
        buffer::resize_range(&mut self.bytes, range, 0);
        self.count -= 1;
    }

    /// Replaces what follows the key of an entry that [`Entries::find`] found.
    pub fn replace(&mut self, range: Range<usize>, value: &Encoded<'_>) {
        let key_size = element::size_of_first(&self.bytes[range.clone()]);
        let place = range.start + key_size..range.end;
        value.write(buffer::resize_range(&mut self.bytes, place, value.len()));
    }

    /// Removes an entry that [`Entries::find`] found; the last one takes its place.
    pub fn swap_remove(&mut self, range: Range<usize>) {
        let size = range.len();
        let mut last = range.end;
        while last < self.bytes.len() {
            let end = last + entry_size::<WORDS>(&self.bytes[last..]);
            if end == self.bytes.len() {
                break;
            }
            last = end;
        }
        let moved = self.bytes.len() - last;
        self.bytes[range.start..].rotate_right(moved);
        let gap = range.start + moved..range.start + moved + size;
        buffer::resize_range(&mut self.bytes, gap, 0);
        self.count -= 1;
    }

    /// Where the entry at this index is.
    pub fn range_of(&self, index: usize) -> Range<usize> {
        let mut start = 0;
        for _ in 0..index {
            start += entry_size::<WORDS>(&self.bytes[start..]);
        }
        start..start + entry_size::<WORDS>(&self.bytes[start..])
    }

    /// All entries in order.
    pub fn iter(&self) -> Iter<'_, WORDS> {
        Iter { rest: &self.bytes }
    }
}

/// Walks over the entries of a buffer.
#[derive(Clone, Debug)]
pub(in crate::types) struct Iter<'a, const WORDS: usize> {
    rest: &'a [u8],
}

impl<'a, const WORDS: usize> Iterator for Iter<'a, WORDS> {
    type Item = [Element<'a>; WORDS];

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let (entry, rest) = self.rest.split_at(entry_size::<WORDS>(self.rest));
        self.rest = rest;
        Some(words(entry))
    }
}

/// The elements of one entry.
#[inline]
pub(in crate::types) fn words<const WORDS: usize>(mut entry: &[u8]) -> [Element<'_>; WORDS] {
    core::array::from_fn(|_| {
        let (element, size) = element::first(entry);
        entry = &entry[size..];
        element
    })
}

#[inline]
pub(super) fn entry_size<const WORDS: usize>(place: &[u8]) -> usize {
    (0..WORDS).fold(0, |at, _| at + element::size_of_first(&place[at..]))
}
