//! What an operator may look at in one entry: how it is kept, what it occupies, its digest.

use alloc::vec::Vec;
use core::hash::Hasher as _;

use siphasher::sip128::{Hasher128 as _, SipHasher13};

use crate::engine::Engine;
use crate::keyspace::{Entry, ValueRef, access};
use crate::rdb::save_value;

/// What an operator may look at in one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// What `OBJECT ENCODING` answers.
    pub encoding: &'static str,
    /// Bytes of the value in a snapshot.
    pub serialized_bytes: usize,
    /// Bytes of memory, the key and the insides of a collection included.
    pub memory_bytes: usize,
    /// Seconds since it was used, where that is tracked.
    pub idle_seconds: u32,
    /// A hash of the value alone: keys with equal values have equal ones.
    pub digest: u128,
}

impl Engine {
    /// Looks at the entry of a key of a database, which exists, without counting as a use.
    pub fn inspect(&self, db: u16, key: &[u8], now_ms: u64) -> Option<Inspection> {
        let now_ms = now_ms.max(self.last_stamp.now_ms);
        let entry = self.keyspace.database(db).get(&self.keyspace.key(key))?;
        if entry.expire_at_ms().is_some_and(|at| at <= now_ms) {
            return None;
        }
        let mut bytes = Vec::new();
        save_value(entry, &mut bytes);
        let mut hasher = SipHasher13::new();
        hasher.write(&bytes);
        Some(Inspection {
            encoding: entry.encoding(),
            serialized_bytes: bytes.len(),
            memory_bytes: memory_bytes(entry),
            idle_seconds: access::idle_seconds(entry.access(), now_ms),
            digest: hasher.finish128().as_u128(),
        })
    }

    /// The sum of the digests of all slots: what is in the databases, and nothing else.
    pub fn content_digest(&self) -> u128 {
        let slots = (0..crate::SLOT_COUNT as u16).filter_map(crate::Slot::new);
        slots.fold(0, |sum, slot| sum.wrapping_add(self.slot_digest(slot)))
    }
}

/// Bytes that an entry and everything in it occupy.
pub fn memory_bytes(entry: &Entry) -> usize {
    let inside = match entry.value() {
        ValueRef::String(_) => 0,
        ValueRef::List(list) => list.memory_bytes(),
        ValueRef::Set(set) => set.memory_bytes(),
        ValueRef::SortedSet(set) => set.memory_bytes(),
        ValueRef::Hash(hash) => hash.memory_bytes(),
        ValueRef::Stream(stream) => stream.memory_bytes(),
    };
    entry.allocated() + inside
}
