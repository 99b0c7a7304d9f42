//! The chunks of a long list by number, in blocks.
//!
//! ```text
//! blocks   512 chunks │ 512 chunks │ … │ up to 512 chunks      either end may be open
//! ```
//!
//! One queue of all chunks would double: the push that finds it full moves every entry. Here
//! nothing moves but the entries of one block, and of the queue of blocks, which is so much
//! shorter. Whole blocks leave a list without being looked at.

use alloc::collections::VecDeque;
use core::ops::{Index, IndexMut, Range};

use super::chunk::Chunk;

/// The most chunks of a block.
const BLOCK_MAX: usize = 512;

/// Chunks by number, added and removed anywhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    /// None is empty.
    blocks: VecDeque<VecDeque<Chunk>>,
    len: usize,
}

impl Directory {
    /// How many chunks there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The first chunk.
    pub fn front_mut(&mut self) -> Option<&mut Chunk> {
        self.blocks.front_mut()?.front_mut()
    }

    /// The last chunk.
    pub fn back_mut(&mut self) -> Option<&mut Chunk> {
        self.blocks.back_mut()?.back_mut()
    }

    /// The chunk with a number, if there is one.
    pub fn get(&self, number: usize) -> Option<&Chunk> {
        (number < self.len).then(|| &self[number])
    }

    /// Puts a chunk before the first.
    pub fn push_front(&mut self, chunk: Chunk) {
        self.len += 1;
        match self.blocks.front_mut() {
            Some(first) if first.len() < BLOCK_MAX => first.push_front(chunk),
            _ => self.blocks.push_front(VecDeque::from([chunk])),
        }
    }

    /// Puts a chunk behind the last.
    pub fn push_back(&mut self, chunk: Chunk) {
        self.len += 1;
        match self.blocks.back_mut() {
            Some(last) if last.len() < BLOCK_MAX => last.push_back(chunk),
            _ => self.blocks.push_back(VecDeque::from([chunk])),
        }
    }

    /// Puts a chunk before the one with this number, or behind the last for [`Directory::len`].
    pub fn insert(&mut self, number: usize, chunk: Chunk) {
        if number == self.len {
            return self.push_back(chunk);
        }
        let (mut block, mut at) = self.place_of(number);
        if self.blocks[block].len() == BLOCK_MAX {
            let upper = self.blocks[block].split_off(BLOCK_MAX / 2);
            self.blocks.insert(block + 1, upper);
            (block, at) = self.place_of(number);
        }
        self.blocks[block].insert(at, chunk);
        self.len += 1;
    }

    /// Takes out the chunk with this number.
    pub fn remove(&mut self, number: usize) -> Chunk {
        let (block, at) = self.place_of(number);
        let chunk = self.blocks[block].remove(at).expect("the number is below the length");
        self.len -= 1;
        if self.blocks[block].is_empty() {
            self.blocks.remove(block);
        } else {
            self.join(block);
        }
        chunk
    }

    /// Takes out the chunks with these numbers.
    pub fn take(&mut self, numbers: Range<usize>) -> Directory {
        if numbers.is_empty() {
            return Directory::default();
        }
        let behind = self.split_off(numbers.end);
        let taken = self.split_off(numbers.start);
        self.append(behind);
        taken
    }

    /// The chunks in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Chunk> {
        self.blocks.iter().flatten()
    }

    /// How many bytes of memory the chunks take.
    pub fn heap_bytes(&self) -> usize {
        let blocks = self.blocks.capacity() * size_of::<VecDeque<Chunk>>();
        let entries: usize = self.blocks.iter().map(VecDeque::capacity).sum();
        let chunks: usize = self.iter().map(Chunk::heap_bytes).sum();
        blocks + entries * size_of::<Chunk>() + chunks
    }

    /// Takes out everything from a number on.
    fn split_off(&mut self, number: usize) -> Directory {
        if number == self.len {
            return Directory::default();
        }
        let (block, at) = self.place_of(number);
        let mut blocks = self.blocks.split_off(block);
        if at > 0 {
            let rest = blocks[0].split_off(at);
            self.blocks.push_back(core::mem::replace(&mut blocks[0], rest));
        }
        let taken = Directory { blocks, len: self.len - number };
        self.len = number;
        taken
    }

    fn append(&mut self, mut behind: Directory) {
        let seam = self.blocks.len();
        self.blocks.append(&mut behind.blocks);
        self.len += behind.len;
        if seam > 0 {
            self.join(seam - 1);
        }
    }

    /// Makes one block of two neighbours if both together are small.
    fn join(&mut self, block: usize) {
        let Some(next) = self.blocks.get(block + 1) else { return };
        if self.blocks[block].len() + next.len() <= BLOCK_MAX / 2 {
            let mut next = self.blocks.remove(block + 1).expect("it was just there");
            self.blocks[block].append(&mut next);
        }
    }

    /// The block of a chunk, and the chunk's place in it. Walks from the nearer end.
    fn place_of(&self, number: usize) -> (usize, usize) {
        if number < self.len / 2 {
            let mut before = 0;
            for (block, chunks) in self.blocks.iter().enumerate() {
                if number < before + chunks.len() {
                    return (block, number - before);
                }
                before += chunks.len();
            }
        } else {
            let mut before = self.len;
            for (block, chunks) in self.blocks.iter().enumerate().rev() {
                before -= chunks.len();
                if number >= before {
                    return (block, number - before);
                }
            }
        }
        unreachable!("the number is below the length")
    }
}

impl Index<usize> for Directory {
    type Output = Chunk;

    fn index(&self, number: usize) -> &Chunk {
        let (block, at) = self.place_of(number);
        &self.blocks[block][at]
    }
}

impl IndexMut<usize> for Directory {
    fn index_mut(&mut self, number: usize) -> &mut Chunk {
        let (block, at) = self.place_of(number);
        &mut self.blocks[block][at]
    }
}

impl FromIterator<Chunk> for Directory {
    fn from_iter<I: IntoIterator<Item = Chunk>>(chunks: I) -> Self {
        let mut directory = Directory::default();
        chunks.into_iter().for_each(|chunk| directory.push_back(chunk));
        directory
    }
}

impl IntoIterator for Directory {
    type Item = Chunk;
    type IntoIter = core::iter::Flatten<alloc::collections::vec_deque::IntoIter<VecDeque<Chunk>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.blocks.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::types::packed::Encoded;

    /// A chunk that can be told from others.
    fn chunk(number: usize) -> Chunk {
        let mut chunk = Chunk::default();
        chunk.push_back(&Encoded::of(alloc::format!("{number}").as_bytes()));
        chunk
    }

    fn numbers(directory: &Directory) -> Vec<usize> {
        let texts = directory.iter().map(|chunk| chunk.read(chunk.front()).to_vec());
        texts.map(|text| core::str::from_utf8(&text).unwrap().parse().unwrap()).collect()
    }

    fn check(directory: &Directory, model: &[usize]) {
        assert_eq!(directory.len(), model.len());
        assert_eq!(numbers(directory), model);
        assert!(directory.blocks.iter().all(|block| (1..=BLOCK_MAX).contains(&block.len())));
    }

    /// Where the entries of all chunks are.
    fn places(directory: &Directory) -> Vec<*const Chunk> {
        directory.iter().map(core::ptr::from_ref).collect()
    }

    #[test]
    fn no_push_moves_more_than_a_block() {
        for at_front in [false, true] {
            let (mut directory, mut before, mut all) = (Directory::default(), Vec::new(), 0);
            for number in 0..5 * BLOCK_MAX {
                if at_front {
                    directory.push_front(chunk(number));
                } else {
                    directory.push_back(chunk(number));
                }
                let mut after = places(&directory);
                let new = if at_front { 0 } else { number };
                let pushed = after.remove(new);
                let moved = before.iter().zip(&after).filter(|(old, new)| old != new).count();
                assert!(moved <= BLOCK_MAX, "{moved} moved for number {number}");
                all += moved;
                after.insert(new, pushed);
                before = after;
            }
            assert!(all > BLOCK_MAX, "they are counted");
        }
    }

    #[test]
    fn it_is_a_sequence() {
        let (mut directory, mut model) = (Directory::default(), Vec::new());
        let mut random = crate::rng::Rng::new(7);
        for number in 0..6000 {
            let at = random.below(model.len() + 1);
            match random.below(5) {
                0 => directory.push_front(chunk(number)),
                1 => directory.push_back(chunk(number)),
                _ => directory.insert(at, chunk(number)),
            }
            let found = numbers(&directory).iter().position(|&found| found == number);
            model.insert(found.expect("it was added"), number);
            if random.below(200) == 0 {
                let end = (at + random.below(900)).min(model.len());
                let taken = directory.take(at.min(end)..end);
                assert_eq!(numbers(&taken), model.drain(at.min(end)..end).collect::<Vec<_>>());
                check(&directory, &model);
            }
        }
        check(&directory, &model);
        assert!(directory.blocks.len() < 4 * model.len().div_ceil(BLOCK_MAX) + 4);
        while !model.is_empty() {
            let at = random.below(model.len());
            assert!(directory.get(at).is_some());
            directory.remove(at);
            model.remove(at);
        }
        check(&directory, &model);
        assert!(directory.get(0).is_none() && directory.blocks.is_empty());
    }
}
