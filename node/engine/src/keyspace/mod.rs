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
//! The keyspace knows nothing of time: whether an entry has expired is asked by its callers.

mod database;
mod entry;
mod key;
mod value;

pub use database::Database;
pub use entry::Entry;
pub use key::{Key, KeyHasher};
pub use value::{Collection, StringRef, StringValue, Value, ValueKind, ValueRef};

use alloc::boxed::Box;
use alloc::vec::Vec;

/// All numbered databases of a shard.
#[derive(Debug)]
pub struct Keyspace {
    hasher: KeyHasher,
    databases: Vec<Box<Database>>,
}

impl Keyspace {
    /// `databases` empty databases, whose keys are hashed under `hasher`.
    pub fn new(databases: u16, hasher: KeyHasher) -> Self {
        Keyspace {
            hasher,
            databases: (0..databases).map(|_| Box::new(Database::default())).collect(),
        }
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
}
