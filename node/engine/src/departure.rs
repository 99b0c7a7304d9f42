//! A key as it leaves for another server, and its removal once it is there.

use alloc::vec::Vec;

use crate::digest::entry_digest;
use crate::engine::Engine;
use crate::keyspace::Entry;
use crate::rdb;

/// What another server needs to have the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departing {
    /// The value, as `RESTORE` takes it.
    pub payload: Vec<u8>,
    /// When it expires, in milliseconds since the Unix epoch, if it does.
    pub expire_at_ms: Option<u64>,
    /// What `quoris.departed` is to find, so that it removes this and nothing newer.
    pub digest: u128,
}

impl Engine {
    /// A key of a database for another server; `None` if it is not there at `now_ms`.
    pub fn departing(&self, db: u16, key: &[u8], now_ms: u64) -> Option<Departing> {
        let entry = self.live(db, key, now_ms)?;
        let digest = entry_digest(db, entry, &mut Vec::new());
        Some(Departing { payload: rdb::dump(entry), expire_at_ms: entry.expire_at_ms(), digest })
    }

    /// Whether a key still is what left.
    pub fn is_unchanged(&self, db: u16, key: &[u8], digest: u128, now_ms: u64) -> bool {
        let current = self.live(db, key, now_ms);
        current.is_some_and(|entry| entry_digest(db, entry, &mut Vec::new()) == digest)
    }

    /// Whether a key is there for another server.
    pub fn can_depart(&self, db: u16, key: &[u8], now_ms: u64) -> bool {
        self.live(db, key, now_ms).is_some()
    }

    fn live(&self, db: u16, key: &[u8], now_ms: u64) -> Option<&Entry> {
        let now_ms = now_ms.max(self.last_stamp.now_ms);
        // It could be selected while there were more of them.
        if db >= self.keyspace.database_count() {
            return None;
        }
        let entry = self.keyspace.database(db).get(&self.keyspace.key(key))?;
        entry.expire_at_ms().is_none_or(|at| at > now_ms).then_some(entry)
    }
}
