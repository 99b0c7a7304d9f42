//! One numbered database: a table per slot.

use alloc::vec::Vec;

use hashbrown::HashTable;

use super::entry::Entry;
use super::key::{Key, KeyHasher};
use crate::slot::{SLOT_COUNT, Slot};

/// One numbered database.
#[derive(Debug, Default)]
pub struct Database {
    /// Empty until the first key arrives, then one table per slot.
    slots: Vec<HashTable<Entry>>,
    keys: usize,
}

impl Database {
    /// How many keys there are, expired ones included.
    pub fn len(&self) -> usize {
        self.keys
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.keys == 0
    }

    /// How many keys a slot holds, expired ones included.
    pub fn slot_len(&self, slot: Slot) -> usize {
        self.slots.get(slot.index()).map_or(0, HashTable::len)
    }

    /// The entry of `key`.
    #[inline]
    pub fn get(&self, key: &Key<'_>) -> Option<&Entry> {
        self.slots.get(key.slot.index())?.find(key.hash, |entry| entry.key() == key.bytes)
    }

    /// The entry of `key`.
    #[inline]
    pub fn get_mut(&mut self, key: &Key<'_>) -> Option<&mut Entry> {
        self.slots.get_mut(key.slot.index())?.find_mut(key.hash, |entry| entry.key() == key.bytes)
    }

    /// Adds an entry for a key that is not there.
    pub fn insert(&mut self, key: &Key<'_>, entry: Entry, hasher: &KeyHasher) -> &mut Entry {
        if self.slots.is_empty() {
            self.slots.resize_with(SLOT_COUNT, HashTable::new);
        }
        self.keys += 1;
        self.slots[key.slot.index()]
            .insert_unique(key.hash, entry, |entry| hasher.hash(entry.key()))
            .into_mut()
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: &Key<'_>) -> Option<Entry> {
        let found = self
            .slots
            .get_mut(key.slot.index())?
            .find_entry(key.hash, |entry| entry.key() == key.bytes)
            .ok()?;
        self.keys -= 1;
        Some(found.remove().0)
    }

    /// The entries of a slot, in no order that anyone may rely on.
    pub fn slot(&self, slot: Slot) -> impl Iterator<Item = &Entry> {
        self.slots.get(slot.index()).into_iter().flat_map(HashTable::iter)
    }
}
