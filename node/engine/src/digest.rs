//! Digests, by which replicas find out that they differ.
//!
//! The digest of an entry covers its database, key, expiry, encoding and elements in their order:
//! it is a hash of what a snapshot would hold. The digest of a slot is the sum of those of its
//! entries, so that it depends on no order of keys and could be kept up to date entry by entry.
//! What is local to a replica, the record of accesses, is left out; and so is the hash seed, so that
//! clusters that went through the same can be compared. Scripts count as they stand in the cache,
//! libraries of functions by their text.

use alloc::vec::Vec;
use core::hash::Hasher as _;

use siphasher::sip128::{Hasher128 as _, SipHasher13};

use crate::engine::Engine;
use crate::keyspace::Entry;
use crate::slot::Slot;
use crate::snapshot::save_entry;

impl Engine {
    /// The digest of everything that replicas have to agree on.
    pub fn digest(&self) -> u128 {
        let mut hasher = SipHasher13::new();
        let mut buffer = Vec::new();
        let mut sum = 0_u128;
        for db in 0..self.keyspace.database_count() {
            for entry in self.keyspace.database(db).entries() {
                sum = sum.wrapping_add(entry_digest(db, entry, &mut buffer));
            }
        }
        hasher.write(&sum.to_le_bytes());
        hasher.write(&self.last_stamp.now_ms.to_le_bytes());
        self.scripting.save(&mut |name, value| {
            hasher.write(name.as_bytes());
            hasher.write(value);
        });
        for source in self.scripting.functions.sources() {
            hasher.write(&source.len().to_le_bytes());
            hasher.write(source);
        }
        for (name, value) in self.settings.fields() {
            hasher.write(name.as_bytes());
            hasher.write(&value.to_le_bytes());
        }
        hasher.finish128().as_u128()
    }

    /// The digest of a slot in all databases; 0 if it is empty.
    pub fn slot_digest(&self, slot: Slot) -> u128 {
        let mut buffer = Vec::new();
        let mut sum = 0_u128;
        for db in 0..self.keyspace.database_count() {
            for entry in self.keyspace.database(db).slot(slot) {
                sum = sum.wrapping_add(entry_digest(db, entry, &mut buffer));
            }
        }
        sum
    }
}

/// The digest of an entry of a database; `buffer` is only memory to work in.
pub(crate) fn entry_digest(db: u16, entry: &Entry, buffer: &mut Vec<u8>) -> u128 {
    buffer.clear();
    buffer.extend_from_slice(&db.to_le_bytes());
    save_entry(entry, buffer);
    let mut hasher = SipHasher13::new();
    hasher.write(buffer);
    hasher.finish128().as_u128()
}
