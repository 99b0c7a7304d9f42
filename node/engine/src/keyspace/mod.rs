//! Where keys live: one small hash table per slot, per numbered database.
//!
//! ```text
//! Keyspace ── Database 0 ── slot 0     ── table of entries ── entry: key, expiry, value
//!          │              ├ slot 1
//!          │              └ … 16383
//!          └─ Database 1 …
//! ```
//!
//! No table is ever big enough for its growth to be felt, counting and listing a slot is free, and
//! migration, snapshots and digests go slot by slot.
//!
//! The keyspace knows nothing of time: whether an entry has expired is asked by its callers, who
//! bring the time along.

pub mod access;
mod database;
mod garbage;
mod header;
mod key;
mod layout;
mod prefetch;
mod rebuild;
mod table;
mod value;

pub use database::{Before, Database};
pub use garbage::Garbage;
pub use key::{Key, KeyHasher};
pub use layout::Entry;
pub(crate) use prefetch::{prefetch, prefetch_whole};
pub use rebuild::Rebuild;
pub use value::{
    Collection, Content, StringRef, StringValue, Value, ValueKind, ValueMut, ValueRef,
};

use alloc::vec::Vec;

use crate::types::Removed;

/// What becomes of a key's expiry when its value is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// The key loses it.
    Clear,
    /// The key keeps it.
    Keep,
    /// The key gets this one, in milliseconds since the Unix epoch.
    At(u64),
}

impl Expiry {
    /// The expiry of a key that had none.
    const fn at_ms(self) -> Option<u64> {
        match self {
            Expiry::At(at) => Some(at),
            Expiry::Clear | Expiry::Keep => None,
        }
    }
}

/// All numbered databases of a shard.
#[derive(Debug)]
pub struct Keyspace {
    hasher: KeyHasher,
    databases: Vec<Database>,
    /// What is big and was removed since it was last taken.
    garbage: Vec<Garbage>,
}

impl Keyspace {
    /// `databases` empty databases, whose keys are hashed under `hasher`.
    pub fn new(databases: u16, hasher: KeyHasher) -> Self {
        let databases = (0..databases).map(|_| Database::default()).collect();
        Keyspace { hasher, databases, garbage: Vec::new() }
    }

    /// Computes slot and hash of a key.
    #[inline]
    pub fn key<'a>(&self, bytes: &'a [u8]) -> Key<'a> {
        Key::new(bytes, &self.hasher)
    }

    /// The hasher of this shard, part of the replicated state.
    pub fn hasher(&self) -> &KeyHasher {
        &self.hasher
    }

    /// How many databases there are.
    pub fn database_count(&self) -> u16 {
        self.databases.len() as u16
    }

    /// Makes sure that the database with this number exists, if only as an empty one. How many
    /// there are beyond those that the settings allow is nobody's to see.
    #[inline]
    pub(crate) fn make_room(&mut self, number: u16) {
        if number >= self.database_count() {
            self.databases.resize_with(number as usize + 1, Database::default);
        }
    }

    /// The database with this number, which the caller has checked.
    #[inline]
    pub fn database(&self, number: u16) -> &Database {
        &self.databases[number as usize]
    }

    /// The database with this number, which the caller has checked.
    #[inline]
    pub fn database_mut(&mut self, number: u16) -> &mut Database {
        &mut self.databases[number as usize]
    }

    /// Exchanges two databases.
    pub fn swap(&mut self, one: u16, other: u16) {
        self.databases.swap(one as usize, other as usize);
    }

    /// Stores a value under a key of a database, whatever was there; an entry that has expired by
    /// the clock counts as missing.
    #[inline]
    pub fn upsert(
        &mut self,
        db: u16,
        key: &Key<'_>,
        content: Content<'_>,
        expiry: Expiry,
        clock: access::Clock,
    ) -> Before {
        let (database, hasher) = (&mut self.databases[db as usize], &self.hasher);
        let (before, replaced) = database.upsert(key, content, expiry, clock, hasher);
        if let Some(replaced) = replaced {
            self.discard(replaced);
        }
        before
    }

    /// The entry of a key of a database, for changes that leave its expiry and its size alone;
    /// `make` makes one where there is none.
    #[inline]
    pub fn get_or_insert(
        &mut self,
        db: u16,
        key: &Key<'_>,
        make: impl FnOnce() -> Entry,
    ) -> &mut Entry {
        self.databases[db as usize].get_or_insert(key, &self.hasher, make)
    }

    /// Adds an entry for a key that is not in a database.
    pub fn insert(&mut self, db: u16, key: &Key<'_>, entry: Entry) -> &mut Entry {
        self.databases[db as usize].insert(key, entry, &self.hasher)
    }

    /// Takes an entry out of a database.
    pub fn remove(&mut self, db: u16, key: &Key<'_>) -> Option<Entry> {
        self.databases[db as usize].remove(key, &self.hasher)
    }

    /// Drops an entry that was taken out, at once or as garbage.
    #[inline]
    pub fn discard(&mut self, entry: Entry) {
        self.garbage.extend(Garbage::of_entry(entry));
    }

    /// Drops what was taken out of a value, at once or as garbage.
    #[inline]
    pub fn discard_part(&mut self, part: impl Removed) {
        self.garbage.extend(Garbage::of_part(part));
    }

    /// Removes everything from a database.
    pub fn clear(&mut self, db: u16) {
        let database = core::mem::take(self.database_mut(db));
        if !database.was_never_used() {
            self.garbage.push(Garbage::of_databases(alloc::vec![database]));
        }
    }

    /// What is big and was removed since this was last asked for.
    #[inline]
    pub(crate) fn take_garbage(&mut self) -> Vec<Garbage> {
        core::mem::take(&mut self.garbage)
    }

    /// All that there is, to be dropped.
    pub(crate) fn into_garbage(self) -> Garbage {
        Garbage::of_databases(self.databases)
    }

    /// Bytes that all entries and tables occupy, without the insides of collections.
    pub fn used_bytes(&self) -> usize {
        self.databases.iter().map(|database| database.entry_bytes() + database.table_bytes()).sum()
    }
}
