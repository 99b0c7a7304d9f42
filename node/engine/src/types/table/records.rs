//! The entries of a table in order, packed into chunks of 32.
//!
//! A chunk keeps its records one behind the other in one buffer, with their ends beside it, so
//! that an entry has no allocation of its own. A record longer than [`PACKED_MAX`] would make its
//! neighbours expensive to move; it gets an allocation of its own and leaves an empty place in the
//! buffer.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

use crate::types::packed::{Encoded, buffer};

/// Records per chunk.
const CHUNK_RECORDS: usize = 32;
/// The longest record, in bytes, that shares the buffer of its chunk.
const PACKED_MAX: usize = 256;

/// Records by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    #[expect(clippy::vec_box, reason = "growing the vector must move little, even for millions")]
    chunks: Vec<Box<Chunk>>,
    len: usize,
}

impl Records {
    /// How many records there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Record number `at`.
    #[inline]
    pub fn get(&self, at: usize) -> &[u8] {
        self.chunks[at / CHUNK_RECORDS].get(at % CHUNK_RECORDS)
    }

    /// Appends a record of these elements.
    pub fn push(&mut self, record: &[Encoded<'_>]) {
        let place = self.len % CHUNK_RECORDS;
        if place == 0 {
            self.chunks.push(Box::default());
        }
        self.len += 1;
        let chunk = self.chunks.last_mut().expect("there is one with room");
        let size = record.iter().map(Encoded::len).sum::<usize>();
        if size <= PACKED_MAX {
            buffer::reserve(&mut chunk.bytes, size);
            record.iter().for_each(|element| element.append(&mut chunk.bytes));
        } else {
            let mut own = Vec::with_capacity(size);
            record.iter().for_each(|element| element.append(&mut own));
            chunk.long.push((place as u8, own.into_boxed_slice()));
        }
        chunk.ends[place] = chunk.bytes.len() as u16;
    }

    /// Replaces all but the first `kept` bytes of record `at`.
    pub fn replace_tail(&mut self, at: usize, kept: usize, tail: &Encoded<'_>) {
        let place = at % CHUNK_RECORDS;
        let chunk = &mut self.chunks[at / CHUNK_RECORDS];
        let size = kept + tail.len();
        let range = chunk.range(place);
        if size <= PACKED_MAX && !range.is_empty() {
            tail.write(&mut chunk.resize(place, size)[kept..]);
        } else {
            let mut own = Vec::with_capacity(size);
            own.extend_from_slice(&chunk.get(place)[..kept]);
            tail.append(&mut own);
            chunk.store(place, own);
        }
    }

    /// Removes record `at`; the last one takes its place.
    pub fn swap_remove(&mut self, at: usize) {
        let last = self.pop();
        if at < self.len {
            self.chunks[at / CHUNK_RECORDS].store(at % CHUNK_RECORDS, last);
        }
    }

    /// All records in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len).map(|at| self.get(at))
    }

    /// How many bytes of memory the chunks take.
    pub fn heap_bytes(&self) -> usize {
        let chunks = self.chunks.iter().map(|chunk| chunk.heap_bytes()).sum::<usize>();
        self.chunks.capacity() * size_of::<Box<Chunk>>() + chunks
    }

    fn pop(&mut self) -> Vec<u8> {
        self.len -= 1;
        let place = self.len % CHUNK_RECORDS;
        let chunk = self.chunks.last_mut().expect("there is a record to remove");
        let record = chunk.take(place);
        if place == 0 {
            self.chunks.pop();
        }
        record
    }
}

/// Up to 32 records.
#[derive(Clone, Debug, Default)]
struct Chunk {
    /// The packed records, one behind the other.
    bytes: Vec<u8>,
    /// Where each ends in `bytes`; no more than 32 times 256, which fits.
    ends: [u16; CHUNK_RECORDS],
    /// Long records by their place, whose range in `bytes` is empty. No record is empty itself.
    long: Vec<(u8, Box<[u8]>)>,
}

impl Chunk {
    #[inline]
    fn range(&self, place: usize) -> Range<usize> {
        let start = if place == 0 { 0 } else { usize::from(self.ends[place - 1]) };
        start..usize::from(self.ends[place])
    }

    #[inline]
    fn get(&self, place: usize) -> &[u8] {
        let range = self.range(place);
        if range.is_empty() { &self.long[self.long_at(place)].1 } else { &self.bytes[range] }
    }

    fn long_at(&self, place: usize) -> usize {
        let found = self.long.iter().position(|(at, _)| usize::from(*at) == place);
        found.expect("a record is in the buffer or among the long ones")
    }

    /// Makes a place in the buffer `size` bytes long, and returns it.
    fn resize(&mut self, place: usize, size: usize) -> &mut [u8] {
        let range = self.range(place);
        let change = (size as u16).wrapping_sub(range.len() as u16);
        if change != 0 {
            // Places behind the last record hold stale ends; these are written before use.
            for end in &mut self.ends[place..] {
                *end = end.wrapping_add(change);
            }
        }
        buffer::resize_range(&mut self.bytes, range, size)
    }

    /// Stores a record at a place that holds another one.
    fn store(&mut self, place: usize, record: Vec<u8>) {
        if self.range(place).is_empty() {
            let at = self.long_at(place);
            self.long.swap_remove(at);
        }
        if record.len() <= PACKED_MAX {
            self.resize(place, record.len()).copy_from_slice(&record);
        } else {
            self.resize(place, 0);
            self.long.push((place as u8, record.into_boxed_slice()));
        }
    }

    /// Takes the last record out.
    fn take(&mut self, place: usize) -> Vec<u8> {
        let range = self.range(place);
        if range.is_empty() {
            let at = self.long_at(place);
            return self.long.swap_remove(at).1.into_vec();
        }
        let record = self.bytes[range.clone()].to_vec();
        self.bytes.truncate(range.start);
        buffer::shrink(&mut self.bytes);
        record
    }

    fn heap_bytes(&self) -> usize {
        let long = self.long.iter().map(|(_, record)| record.len()).sum::<usize>();
        size_of::<Chunk>()
            + self.bytes.capacity()
            + self.long.capacity() * size_of::<(u8, Box<[u8]>)>()
            + long
    }
}
