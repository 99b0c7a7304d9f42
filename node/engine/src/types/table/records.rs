//! The entries of a table in order, packed into chunks of 32.
//!
//! ```text
//! chunk   end of record 0 │ … │ end of record 31 │ record 0 │ record 1 │ …
//! ```
//!
//! A chunk is one buffer, so that an entry has no allocation of its own, and finding one by its
//! number costs two cache misses. A record longer than [`PACKED_MAX`] would make its neighbours
//! expensive to move; it stands in an allocation of its own, and its number there in the chunk.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

use crate::keyspace::prefetch;
use crate::types::packed::{Encoded, buffer};
use crate::types::segments::Segments;

/// Records per chunk.
const CHUNK_RECORDS: usize = 32;
/// How many bytes of a chunk say where its records end.
const ENDS_BYTES: usize = 2 * CHUNK_RECORDS;
/// The longest record, in bytes, that stands in a chunk itself.
const PACKED_MAX: usize = 256;
/// Set in the end of a record that stands elsewhere. No end is as large: 64 + 32 * 256 bytes.
const ELSEWHERE: u16 = 1 << 15;

/// Records by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    chunks: Segments<Chunk>,
    long: Long,
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
        let chunk = self.chunks.get(at / CHUNK_RECORDS);
        match chunk.get(at % CHUNK_RECORDS) {
            Place::Here(range) => &chunk.bytes[range],
            Place::Elsewhere(number) => self.long.get(number),
        }
    }

    /// Appends a record of these elements.
    pub fn push(&mut self, record: &[Encoded<'_>]) {
        let (number, place) = (self.len / CHUNK_RECORDS, self.len % CHUNK_RECORDS);
        if place == 0 {
            self.begin_chunk();
        }
        self.len += 1;
        let size = record.iter().map(Encoded::len).sum::<usize>();
        let chunk = self.chunks.get_mut(number);
        if size <= PACKED_MAX {
            buffer::reserve(&mut chunk.bytes, size);
            record.iter().for_each(|element| element.append(&mut chunk.bytes));
            chunk.set_end(place, chunk.bytes.len() as u16);
        } else {
            let mut own = Vec::with_capacity(size);
            record.iter().for_each(|element| element.append(&mut own));
            let number = self.long.add(own);
            chunk.bytes.extend_from_slice(&number.to_le_bytes());
            chunk.set_end(place, chunk.bytes.len() as u16 | ELSEWHERE);
        }
    }

    /// Begins a chunk. It will be about as long as the one before, which is full now and gives up
    /// what it has to spare.
    fn begin_chunk(&mut self) {
        let mut capacity = ENDS_BYTES;
        if let Some(last) = self.chunks.len().checked_sub(1) {
            let full = &mut self.chunks.get_mut(last).bytes;
            full.shrink_to_fit();
            capacity = full.len();
        }
        let mut bytes = Vec::with_capacity(capacity);
        bytes.resize(ENDS_BYTES, 0);
        self.chunks.push(Chunk { bytes });
    }

    /// Replaces all but the first `kept` bytes of record `at`.
    pub fn replace_tail(&mut self, at: usize, kept: usize, tail: &Encoded<'_>) {
        let place = at % CHUNK_RECORDS;
        let chunk = self.chunks.get_mut(at / CHUNK_RECORDS);
        let size = kept + tail.len();
        if size <= PACKED_MAX && matches!(chunk.get(place), Place::Here(_)) {
            tail.write(&mut chunk.resize(place, size)[kept..]);
        } else {
            let mut own = Vec::with_capacity(size);
            own.extend_from_slice(&self.get(at)[..kept]);
            tail.append(&mut own);
            self.take(at);
            self.store(at, own);
        }
    }

    /// Removes record `at`; the last one takes its place.
    pub fn swap_remove(&mut self, at: usize) {
        let last = self.len - 1;
        let record = self.take(last);
        self.len = last;
        if last.is_multiple_of(CHUNK_RECORDS) {
            self.chunks.pop();
        } else {
            buffer::shrink(&mut self.chunks.get_mut(last / CHUNK_RECORDS).bytes);
        }
        if at < last {
            self.take(at);
            self.store(at, record);
        }
    }

    /// Asks for the list of the chunks' segments.
    #[inline]
    pub fn prefetch(&self) {
        self.chunks.prefetch();
    }

    /// Asks for the header of the segment that record `at` is in, or would be.
    #[inline]
    pub fn prefetch_segment(&self, at: usize) {
        self.chunks.prefetch_segment(at / CHUNK_RECORDS);
    }

    /// Asks for the header of the record's chunk.
    #[inline]
    pub fn prefetch_chunk(&self, at: usize) {
        self.chunks.prefetch_item(at / CHUNK_RECORDS);
    }

    /// Asks for the record, or for the place behind the last one.
    #[inline]
    pub fn prefetch_record(&self, at: usize) {
        let (number, place) = (at / CHUNK_RECORDS, at % CHUNK_RECORDS);
        if number >= self.chunks.len() {
            return;
        }
        let bytes = &self.chunks.get(number).bytes;
        prefetch(bytes.as_ptr());
        // Where exactly it stands is known only when the first line has come.
        let last = if at < self.len { CHUNK_RECORDS } else { place.max(1) };
        let about = ENDS_BYTES + bytes.len().saturating_sub(ENDS_BYTES) * place / last;
        prefetch(bytes.as_ptr().wrapping_add(about));
    }

    /// All records in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len).map(|at| self.get(at))
    }

    /// How many bytes of memory the records take.
    pub fn heap_bytes(&self) -> usize {
        let chunks = self.chunks.iter().map(|chunk| chunk.bytes.capacity()).sum::<usize>();
        self.chunks.heap_bytes() + chunks + self.long.heap_bytes()
    }

    /// How many allocations the records take; one more for every 64 KiB of a very long one.
    pub fn pieces(&self) -> usize {
        self.chunks.len() + self.long.pieces()
    }

    /// Takes a record out, and leaves its place in the chunk without bytes until something is
    /// stored there.
    fn take(&mut self, at: usize) -> Vec<u8> {
        let (chunk, place) = (self.chunks.get_mut(at / CHUNK_RECORDS), at % CHUNK_RECORDS);
        let record = match chunk.get(place) {
            Place::Here(range) => chunk.bytes[range].to_vec(),
            Place::Elsewhere(number) => self.long.take(number),
        };
        chunk.resize(place, 0);
        record
    }

    /// Stores a record at a place without bytes.
    fn store(&mut self, at: usize, record: Vec<u8>) {
        let (chunk, place) = (self.chunks.get_mut(at / CHUNK_RECORDS), at % CHUNK_RECORDS);
        if record.len() <= PACKED_MAX {
            chunk.resize(place, record.len()).copy_from_slice(&record);
        } else {
            let number = self.long.add(record).to_le_bytes();
            chunk.resize(place, number.len()).copy_from_slice(&number);
            chunk.set_end(place, chunk.end(place) as u16 | ELSEWHERE);
        }
    }
}

/// Up to 32 records.
#[derive(Clone, Debug)]
struct Chunk {
    bytes: Vec<u8>,
}

/// Where a record is.
enum Place {
    /// In the chunk.
    Here(Range<usize>),
    /// Among the long ones, under this number.
    Elsewhere(u32),
}

impl Chunk {
    #[inline]
    fn raw_end(&self, place: usize) -> u16 {
        u16::from_le_bytes([self.bytes[2 * place], self.bytes[2 * place + 1]])
    }

    #[inline]
    fn end(&self, place: usize) -> usize {
        usize::from(self.raw_end(place) & !ELSEWHERE)
    }

    fn set_end(&mut self, place: usize, end: u16) {
        self.bytes[2 * place..][..2].copy_from_slice(&end.to_le_bytes());
    }

    #[inline]
    fn range(&self, place: usize) -> Range<usize> {
        let start = if place == 0 { ENDS_BYTES } else { self.end(place - 1) };
        start..self.end(place)
    }

    #[inline]
    fn get(&self, place: usize) -> Place {
        let range = self.range(place);
        if self.raw_end(place) & ELSEWHERE == 0 {
            return Place::Here(range);
        }
        let number = self.bytes[range].try_into().expect("a number has four bytes");
        Place::Elsewhere(u32::from_le_bytes(number))
    }

    /// Makes a place `size` bytes long, and returns it. It counts as a record of the chunk itself.
    fn resize(&mut self, place: usize, size: usize) -> &mut [u8] {
        let range = self.range(place);
        self.set_end(place, (range.start + size) as u16);
        let change = (size as u16).wrapping_sub(range.len() as u16);
        if change != 0 {
            // The ends of places that are not in use change too; they are written before use.
            for end in self.bytes[2 * place + 2..ENDS_BYTES].chunks_exact_mut(2) {
                let moved = u16::from_le_bytes([end[0], end[1]]).wrapping_add(change);
                end.copy_from_slice(&moved.to_le_bytes());
            }
        }
        buffer::resize_range(&mut self.bytes, range, size)
    }
}

/// Records with an allocation of their own, by number.
#[derive(Clone, Debug, Default)]
struct Long {
    records: Segments<Box<[u8]>>,
    free: Segments<u32>,
}

impl Long {
    fn get(&self, number: u32) -> &[u8] {
        self.records.get(number as usize)
    }

    fn add(&mut self, record: Vec<u8>) -> u32 {
        let record = record.into_boxed_slice();
        if let Some(number) = self.free.pop() {
            *self.records.get_mut(number as usize) = record;
            return number;
        }
        self.records.push(record);
        (self.records.len() - 1) as u32
    }

    fn take(&mut self, number: u32) -> Vec<u8> {
        self.free.push(number);
        let record = core::mem::take(self.records.get_mut(number as usize)).into_vec();
        if self.free.len() == self.records.len() {
            *self = Long::default();
        }
        record
    }

    /// Looks at a few records only: if there are many, their number is enough.
    fn pieces(&self) -> usize {
        let looked_at = self.records.iter().take(1024);
        self.records.len() + looked_at.map(|record| record.len() >> 16).sum::<usize>()
    }

    fn heap_bytes(&self) -> usize {
        self.records.heap_bytes()
            + self.free.heap_bytes()
            + self.records.iter().map(|record| record.len()).sum::<usize>()
    }
}
