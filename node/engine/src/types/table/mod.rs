//! The form of a big hash or set: entries in insertion order, and an index over their keys.
//!
//! ```text
//! records   chunk of 32 entries │ chunk of 32 entries │ …      in order, packed
//! index     part │ part │ …                                    key hash → number of the entry
//! ```
//!
//! An entry costs its packed elements, about 3 bytes in its chunk, and 6 to 12 bytes in the
//! index, which stores no hashes. The order is that of insertion; a removed entry is replaced by
//! the last one. It is a function of the history alone: no capacity and no hash has a say in it.
//!
//! Nothing here ever stops to rehash everything: the index grows by one part at a time, and of the
//! records nothing but the list of chunks ever moves.

mod index;
mod records;

use core::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use self::index::Index;
use self::records::Records;
use super::packed::{Element, Encoded, element, words};

/// Entries of `WORDS` elements each; the first element of an entry is its key.
#[derive(Clone, Debug)]
pub(in crate::types) struct Table<const WORDS: usize> {
    hasher: SipHasher13,
    index: Index,
    records: Records,
}

impl<const WORDS: usize> Table<WORDS> {
    /// An empty table that hashes its keys under `seed`.
    pub fn new(seed: [u8; 16]) -> Self {
        let hasher = SipHasher13::new_with_key(&seed);
        Table { hasher, index: Index::default(), records: Records::default() }
    }

    /// How many entries there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// How many bytes of memory the entries and the index take, about.
    pub fn heap_bytes(&self) -> usize {
        self.index.heap_bytes() + self.records.heap_bytes()
    }

    /// The number of the entry with this key.
    #[inline]
    pub fn find(&self, key: &Encoded<'_>) -> Option<usize> {
        let same = |&at: &u32| key.begins(self.records.get(at as usize));
        self.index.find(hash_of_key(self.hasher, key), same).map(|at| at as usize)
    }

    /// The elements of an entry.
    #[inline]
    pub fn get(&self, at: usize) -> [Element<'_>; WORDS] {
        words(self.records.get(at))
    }

    /// Appends an entry whose key is not there yet.
    pub fn push(&mut self, entry: &[Encoded<'_>; WORDS]) {
        let at = u32::try_from(self.records.len()).expect("memory ends before 4 billion entries");
        self.records.push(entry);
        let hash = hash_of_key(self.hasher, &entry[0]);
        let (hasher, records) = (self.hasher, &self.records);
        self.index.insert(hash, at, |at| hash_of_record(hasher, records.get(at as usize)));
    }

    /// Replaces what follows the key of an entry.
    pub fn replace(&mut self, at: usize, value: &Encoded<'_>) {
        let key_size = element::size_of_first(self.records.get(at));
        self.records.replace_tail(at, key_size, value);
    }

    /// Removes an entry; the last one takes its place.
    pub fn swap_remove(&mut self, at: usize) {
        let last = self.records.len() - 1;
        let hash = hash_of_record(self.hasher, self.records.get(at));
        self.index.remove(hash, at as u32);
        if at != last {
            let hash = hash_of_record(self.hasher, self.records.get(last));
            self.index.renumber(hash, last as u32, at as u32);
        }
        self.records.swap_remove(at);
        let (hasher, records) = (self.hasher, &self.records);
        self.index.give_back(|at| hash_of_record(hasher, records.get(at as usize)));
    }

    /// All entries in order.
    pub fn iter(&self) -> impl Iterator<Item = [Element<'_>; WORDS]> {
        self.records.iter().map(words)
    }
}

/// Hashes a key as if it stood in a record: the hasher sees one stream of bytes.
#[inline]
fn hash_of_key(mut hasher: SipHasher13, key: &Encoded<'_>) -> u64 {
    let (head, tail) = key.parts();
    hasher.write(head);
    hasher.write(tail);
    hasher.finish()
}

#[inline]
fn hash_of_record(mut hasher: SipHasher13, record: &[u8]) -> u64 {
    hasher.write(&record[..element::size_of_first(record)]);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_hashes_the_same_in_a_request_and_in_a_record() {
        let hasher = SipHasher13::new_with_key(&[7; 16]);
        for len in [0, 1, 6, 7, 8, 9, 15, 62, 63, 64, 65, 4095, 4096] {
            let text = alloc::vec![b'k'; len];
            let key = Encoded::of(&text);
            let mut record = alloc::vec::Vec::new();
            key.append(&mut record);
            Encoded::of(b"value").append(&mut record);
            assert_eq!(hash_of_key(hasher, &key), hash_of_record(hasher, &record), "{len}");
        }
    }
}
