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

mod hasher;
mod index;
mod records;
mod search;

use self::hasher::Hasher;
use self::index::Index;
use self::records::Records;
pub(crate) use self::search::Search;
use super::packed::{Element, Encoded, element, words};

/// Entries of `WORDS` elements each; the first element of an entry is its key.
#[derive(Clone, Debug)]
pub(in crate::types) struct Table<const WORDS: usize> {
    hasher: Hasher,
    index: Index,
    records: Records,
}

impl<const WORDS: usize> Table<WORDS> {
    /// An empty table that hashes its keys under `seed`.
    pub fn new(seed: [u8; 16]) -> Self {
        let hasher = Hasher::new(seed);
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

    /// How many allocations the entries and the index take, about; more for very long entries.
    pub fn pieces(&self) -> usize {
        self.index.pieces() + self.records.pieces()
    }

    /// The number of the entry with this key.
    #[inline]
    pub fn find(&self, key: &Encoded<'_>) -> Option<usize> {
        self.locate(key).ok()
    }

    /// The number of the entry with this key, or the hash that [`Table::push_hashed`] asks for.
    #[inline]
    pub fn locate(&self, key: &Encoded<'_>) -> Result<usize, u64> {
        let hash = self.hasher.of_key(key);
        let same = |&at: &u32| key.begins(self.records.get(at as usize));
        self.index.find(hash, same).map(|at| at as usize).ok_or(hash)
    }

    /// The elements of an entry.
    #[inline]
    pub fn get(&self, at: usize) -> [Element<'_>; WORDS] {
        words(self.records.get(at))
    }

    /// Appends an entry whose key is not there yet.
    pub fn push(&mut self, entry: &[Encoded<'_>; WORDS]) {
        self.push_hashed(self.hasher.of_key(&entry[0]), entry);
    }

    /// Appends an entry whose key is not there yet and has this hash.
    pub fn push_hashed(&mut self, hash: u64, entry: &[Encoded<'_>; WORDS]) {
        let at = u32::try_from(self.records.len()).expect("memory ends before 4 billion entries");
        self.records.push(entry);
        let (hasher, records) = (self.hasher, &self.records);
        self.index.insert(hash, at, |at| hasher.of_record(records.get(at as usize)));
    }

    /// Replaces what follows the key of an entry.
    pub fn replace(&mut self, at: usize, value: &Encoded<'_>) {
        let key_size = element::size_of_first(self.records.get(at));
        self.records.replace_tail(at, key_size, value);
    }

    /// Removes an entry; the last one takes its place.
    pub fn swap_remove(&mut self, at: usize) {
        let last = self.records.len() - 1;
        let hash = self.hasher.of_record(self.records.get(at));
        self.index.remove(hash, at as u32);
        if at != last {
            let hash = self.hasher.of_record(self.records.get(last));
            self.index.renumber(hash, last as u32, at as u32);
        }
        self.records.swap_remove(at);
        let (hasher, records) = (self.hasher, &self.records);
        self.index.give_back(|at| hasher.of_record(records.get(at as usize)));
    }

    /// Asks for the memory that a search for this key begins in.
    #[inline]
    pub fn begin_search(&self, key: &Encoded<'_>) -> Search<'_> {
        Search::begin(self, key)
    }

    /// All entries in order.
    pub fn iter(&self) -> impl Iterator<Item = [Element<'_>; WORDS]> {
        self.records.iter().map(words)
    }
}
