//! A long list: chunks of about 8 KiB in a double-ended queue.

use super::chunk::{Chunk, stored_len};
use super::directory::Directory;
use crate::types::packed::Encoded;
use crate::types::{PIECE_BYTES, Removed};

/// How many bytes of elements a chunk takes before another one is begun. A longer element has a
/// chunk to itself.
const CHUNK_BYTES: usize = 8192;

/// Chunks in order, none of them empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    chunks: Directory,
    len: usize,
    byte_len: usize,
}

/// Where an element is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The number of its chunk.
    pub chunk: usize,
    /// Its number in the chunk.
    pub index: usize,
}

impl Chain {
    /// A chain of one chunk.
    pub fn of(chunk: Chunk) -> Self {
        let (len, byte_len) = (chunk.len(), chunk.byte_len());
        Chain { chunks: Some(chunk).filter(|_| len > 0).into_iter().collect(), len, byte_len }
    }

    /// All elements in one chunk.
    pub fn to_chunk(&self) -> Chunk {
        let mut all = Chunk::default();
        self.chunks.iter().for_each(|chunk| all.append(chunk));
        all
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// How many bytes the elements with their sizes take.
    pub fn byte_len(&self) -> usize {
        self.byte_len
    }

    /// How many chunks there are.
    pub fn pieces(&self) -> usize {
        self.chunks.len()
    }

    /// The chunks in order.
    pub fn chunks(&self) -> impl DoubleEndedIterator<Item = &Chunk> {
        self.chunks.iter()
    }

    /// How many bytes of memory the chunks take.
    pub fn heap_bytes(&self) -> usize {
        self.chunks.heap_bytes()
    }

    /// Appends an element.
    pub fn push_back(&mut self, element: &Encoded<'_>) {
        match self.chunks.back_mut() {
            Some(last) if has_room(last, element) => last.push_back(element),
            full => {
                if let Some(last) = full {
                    last.trim();
                }
                self.chunks.push_back(only(element));
            }
        }
        self.count(element);
    }

    /// Puts an element before the first.
    pub fn push_front(&mut self, element: &Encoded<'_>) {
        match self.chunks.front_mut() {
            Some(first) if has_room(first, element) => first.push_front(element),
            full => {
                if let Some(first) = full {
                    first.trim();
                }
                self.chunks.push_front(only(element));
            }
        }
        self.count(element);
    }

    /// Where the element at this index is, which is below `len()`. Walks from the nearer end.
    pub fn seek(&self, index: usize) -> Place {
        if index < self.len / 2 {
            let mut before = 0;
            for (chunk, found) in self.chunks.iter().enumerate() {
                if index < before + found.len() {
                    return Place { chunk, index: index - before };
                }
                before += found.len();
            }
        } else {
            let mut before = self.len;
            for (chunk, found) in (0..self.chunks.len()).rev().zip(self.chunks.iter().rev()) {
                before -= found.len();
                if index >= before {
                    return Place { chunk, index: index - before };
                }
            }
        }
        unreachable!("the index was checked")
    }

    /// Puts an element before the one at this index, which is below `len()`.
    pub fn insert(&mut self, index: usize, element: &Encoded<'_>) {
        let Place { chunk: number, index } = self.seek(index);
        self.count(element);
        if has_room(&self.chunks[number], element) {
            let at = self.chunks[number].seek(index);
            self.chunks[number].insert(at, element);
        } else if index > 0 {
            self.split_for(number, index, element);
        } else if number > 0 && has_room(&self.chunks[number - 1], element) {
            self.chunks[number - 1].push_back(element);
        } else {
            self.chunks.insert(number, only(element));
        }
    }

    /// Puts an element between two halves of a full chunk.
    fn split_for(&mut self, number: usize, index: usize, element: &Encoded<'_>) {
        let chunk = &mut self.chunks[number];
        let mut behind = chunk.split_off(chunk.seek(index), index);
        if has_room(chunk, element) {
            chunk.push_back(element);
        } else if has_room(&behind, element) {
            behind.push_front(element);
        } else {
            self.chunks.insert(number + 1, only(element));
            self.chunks.insert(number + 2, behind);
            return;
        }
        self.chunks.insert(number + 1, behind);
    }

    /// Replaces the element at this index, which is below `len()`.
    pub fn replace(&mut self, index: usize, element: &Encoded<'_>) {
        let place = self.seek(index);
        let chunk = &mut self.chunks[place.chunk];
        let at = chunk.seek(place.index);
        let (old, new) = (chunk.next(at) - at, stored_len(element));
        if chunk.len() == 1 || chunk.byte_len() - old + new <= CHUNK_BYTES {
            chunk.replace(at, element);
            self.byte_len = self.byte_len - old + new;
        } else {
            drop(self.remove(index, 1));
            if index < self.len {
                self.insert(index, element);
            } else {
                self.push_back(element);
            }
        }
    }

    /// Removes `count` elements from this index on; so many there are. Returns the chunks that have
    /// gone as a whole.
    pub fn remove(&mut self, index: usize, count: usize) -> RemovedChunks {
        if count == 0 {
            return RemovedChunks::default();
        }
        let Place { chunk: mut at, index } = self.seek(index);
        self.len -= count;
        let mut left = count;
        if index > 0 {
            let here = left.min(self.chunks[at].len() - index);
            self.byte_len -= self.chunks[at].remove(index, here);
            left -= here;
            at += 1;
        }
        let (mut end, mut byte_len) = (at, 0);
        while let Some(whole) = self.chunks.get(end).filter(|chunk| chunk.len() <= left) {
            left -= whole.len();
            byte_len += whole.byte_len();
            end += 1;
        }
        self.byte_len -= byte_len;
        let chunks = self.chunks.take(at..end);
        if left > 0 {
            self.byte_len -= self.chunks[at].remove(0, left);
        }
        self.merge_with_next(at);
        if at > 0 {
            self.merge_with_next(at - 1);
        }
        RemovedChunks { chunks, byte_len }
    }

    /// Removes up to `most` elements that equal `element`, counted from one of the ends, and
    /// returns how many there were, and the chunks that held no others.
    pub fn remove_equal(
        &mut self,
        element: &Encoded<'_>,
        most: usize,
        backwards: bool,
    ) -> (usize, RemovedChunks) {
        let mut left = most;
        for nth in 0..self.chunks.len() {
            let at = if backwards { self.chunks.len() - 1 - nth } else { nth };
            let (bytes, count) = self.chunks[at].remove_equal(element, left, backwards);
            self.byte_len -= bytes;
            left -= count;
            if left == 0 {
                break;
            }
        }
        let removed = most - left;
        if removed == 0 {
            return (0, RemovedChunks::default());
        }
        self.len -= removed;
        (removed, self.merge_all())
    }

    fn count(&mut self, element: &Encoded<'_>) {
        self.len += 1;
        self.byte_len += stored_len(element);
    }

    /// Merges two neighbours if both together are small.
    fn merge_with_next(&mut self, at: usize) {
        let Some(next) = self.chunks.get(at + 1) else { return };
        if self.chunks[at].byte_len() + next.byte_len() <= CHUNK_BYTES / 2 {
            let next = self.chunks.remove(at + 1);
            self.chunks[at].append(&next);
        }
    }

    /// Takes out empty chunks, and merges small neighbours throughout.
    fn merge_all(&mut self) -> RemovedChunks {
        let mut empty = RemovedChunks::default();
        for chunk in core::mem::take(&mut self.chunks) {
            match self.chunks.back_mut() {
                _ if chunk.len() == 0 => {
                    empty.byte_len += chunk.heap_bytes();
                    empty.chunks.push_back(chunk);
                }
                Some(last) if last.byte_len() + chunk.byte_len() <= CHUNK_BYTES / 2 => {
                    last.append(&chunk);
                }
                _ => self.chunks.push_back(chunk),
            }
        }
        empty
    }
}

/// Chunks that have gone as a whole.
#[derive(Debug, Default)]
#[must_use = "dropping them may take long"]
pub struct RemovedChunks {
    chunks: Directory,
    /// Bytes of elements in them.
    byte_len: usize,
}

impl Removed for RemovedChunks {
    fn pieces(&self) -> usize {
        self.chunks.len() + self.byte_len / PIECE_BYTES
    }
}

fn has_room(chunk: &Chunk, element: &Encoded<'_>) -> bool {
    chunk.byte_len() + stored_len(element) <= CHUNK_BYTES
}

fn only(element: &Encoded<'_>) -> Chunk {
    let mut chunk = Chunk::default();
    chunk.push_back(element);
    chunk
}
