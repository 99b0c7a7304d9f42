//! From a key's hash to the number of its entry, growing by one part at a time.
//!
//! This is linear hashing over a handful of small hash tables, the *parts*. With `2^k + j` parts,
//! the first `j` parts have been split and their hashes take `k + 1` bits to tell where they
//! belong, the others take `k`. When the parts hold more than [`PART_LOAD`] entries each on
//! average, part number `j` is split into itself and a new last part. So no part ever holds much
//! more than twice the average, and an insertion rehashes one part at most.
//! Source: Witold Litwin, "Linear hashing: a new tool for file and table addressing", VLDB 1980.

use alloc::vec::Vec;

use hashbrown::HashTable;

use crate::keyspace::prefetch;

/// How many entries a part holds on average before one is split. A little less than 7/8 of a
/// power of two, so that a part that was just split fits the smaller table.
const PART_LOAD: usize = 3400;

/// Numbers of entries by hash.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    parts: Vec<HashTable<u32>>,
    len: usize,
}

impl Index {
    /// The number that is stored under `hash` and satisfies `same`.
    #[inline]
    pub fn find(&self, hash: u64, same: impl FnMut(&u32) -> bool) -> Option<u32> {
        self.parts.get(self.part_of(hash))?.find(hash, same).copied()
    }

    /// Stores a number. `rehash` knows the hash of every number stored.
    pub fn insert(&mut self, hash: u64, at: u32, rehash: impl Fn(u32) -> u64) {
        if self.len >= self.parts.len() * PART_LOAD {
            self.split(&rehash);
        }
        let part = self.part_of(hash);
        let table = &mut self.parts[part];
        if table.len() == table.capacity() {
            let len = (2 * table.len()).max(3);
            let old = core::mem::replace(table, HashTable::with_capacity(len));
            for at in in_order(old) {
                table.insert_unique(rehash(at), at, |&at| rehash(at));
            }
        }
        table.insert_unique(hash, at, |&at| rehash(at));
        self.len += 1;
    }

    /// Removes a number that is stored under `hash`.
    pub fn remove(&mut self, hash: u64, at: u32) {
        let part = self.part_of(hash);
        let found = self.parts[part].find_entry(hash, |&found| found == at);
        found.expect("every entry is indexed").remove();
        self.len -= 1;
    }

    /// Changes a number that is stored under `hash`.
    pub fn renumber(&mut self, hash: u64, from: u32, to: u32) {
        let part = self.part_of(hash);
        let found = self.parts[part].find_mut(hash, |&found| found == from);
        *found.expect("every entry is indexed") = to;
    }

    /// Gives memory back after removals, one part at a time.
    pub fn give_back(&mut self, rehash: impl Fn(u32) -> u64) {
        if self.len >= self.parts.len() * (PART_LOAD / 4) {
            return;
        }
        if self.parts.len() > 1 {
            let last = self.parts.pop().expect("there are several");
            let source = split_from(self.parts.len());
            for at in last {
                self.parts[source].insert_unique(rehash(at), at, |&at| rehash(at));
            }
        } else if self.len < self.parts[0].capacity() / 8 {
            self.parts[0].shrink_to(self.len * 2, |&at| rehash(at));
        }
    }

    /// How many bytes of memory the parts take.
    pub fn heap_bytes(&self) -> usize {
        self.parts.capacity() * size_of::<HashTable<u32>>()
            + self.parts.iter().map(HashTable::allocation_size).sum::<usize>()
    }

    /// Asks for the header of the part that a hash belongs to.
    #[inline]
    pub fn prefetch_part(&self, hash: u64) {
        prefetch(self.parts.as_ptr().wrapping_add(self.part_of(hash)));
    }

    /// How many parts there are.
    pub fn pieces(&self) -> usize {
        self.parts.len()
    }

    /// The part that a hash belongs to. Within a part, hashbrown looks at the lowest and at the
    /// highest bits; the parts are told apart by those from the middle.
    #[inline]
    fn part_of(&self, hash: u64) -> usize {
        let parts = self.parts.len();
        if parts <= 1 {
            return 0;
        }
        let mask = parts.next_power_of_two() - 1;
        let part = (hash >> 32) as usize & mask;
        if part < parts { part } else { part & (mask >> 1) }
    }

    /// Adds a part, and moves what belongs there.
    fn split(&mut self, rehash: &impl Fn(u32) -> u64) {
        let new = self.parts.len();
        self.parts.push(HashTable::new());
        if new == 0 {
            return;
        }
        let source = split_from(new);
        let old = core::mem::take(&mut self.parts[source]);
        for part in [source, new] {
            self.parts[part] = HashTable::with_capacity(old.len() / 2);
        }
        for at in in_order(old) {
            let hash = rehash(at);
            let part = self.part_of(hash);
            self.parts[part].insert_unique(hash, at, |&at| rehash(at));
        }
    }
}

/// The numbers of a part, ascending. Whoever hashes them again reads the records, which a walk in
/// order finds in the cache thirty times out of thirty-two.
fn in_order(part: HashTable<u32>) -> Vec<u32> {
    let mut numbers: Vec<u32> = part.into_iter().collect();
    numbers.sort_unstable();
    numbers
}

/// The part that number `new`, which is not zero, was or will be split from.
fn split_from(new: usize) -> usize {
    new ^ (1 << new.ilog2())
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::*;

    /// Spreads numbers over all bits.
    fn hash_of(at: u32) -> u64 {
        (u64::from(at) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
            ^ u64::from(at).wrapping_mul(0xd6e8_feb8_6659_fd93)
    }

    #[test]
    fn no_insertion_and_no_removal_moves_more_than_a_part() {
        const COUNT: u32 = 300_000;
        // A moved number is one whose hash is asked for again.
        let moved = Cell::new(0);
        let rehash = |at: u32| {
            moved.set(moved.get() + 1);
            hash_of(at)
        };
        let (mut index, mut all) = (Index::default(), 0);
        for at in 0..COUNT {
            moved.set(0);
            index.insert(hash_of(at), at, rehash);
            assert!(moved.get() <= 4 * PART_LOAD, "{} moved for number {at}", moved.get());
            all += moved.get();
        }
        assert!(all > COUNT as usize, "they are counted");
        assert!((0..COUNT).all(|at| index.find(hash_of(at), |&found| found == at) == Some(at)));
        for at in (0..COUNT).rev() {
            moved.set(0);
            index.remove(hash_of(at), at);
            index.give_back(rehash);
            assert!(moved.get() <= 4 * PART_LOAD, "{} moved after number {at}", moved.get());
        }
        assert!(index.heap_bytes() < 64 * PART_LOAD, "memory is given back");
    }
}
