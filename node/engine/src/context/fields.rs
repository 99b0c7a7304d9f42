//! Hashes as handlers see them: a field that has expired at the entry's time is not there.

use super::{ReadCx, WriteCx};
use crate::effects::EventClass;
use crate::error::{Result, WRONG_TYPE};
use crate::keyspace::{Entry, Key, ValueRef};
use crate::types::{Fields, Hash};

/// How many expired fields a command that changes a hash removes besides those that it names, so
/// that a hash which is written gets rid of them without any command becoming slow.
const SWEPT_MAX: usize = 16;

impl<'e> ReadCx<'e> {
    /// The fields of the hash at a key.
    ///
    /// # Errors
    /// `WRONGTYPE`.
    #[inline]
    pub fn fields(&self, key: &Key<'_>) -> Result<Option<Fields<'e>>> {
        Ok(self.get::<Hash>(key)?.map(|hash| hash.at(self.now_ms())))
    }
}

impl WriteCx<'_> {
    /// The hash at a key, to be changed. None of the fields that are `named` has expired: those that
    /// had are removed, and with them a hash that has become empty.
    ///
    /// # Errors
    /// `WRONGTYPE`.
    #[inline]
    pub fn hash_mut<'a>(
        &mut self,
        key: &Key<'_>,
        named: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Option<&mut Hash>> {
        match self.keyspace.database(self.db).get(key) {
            None => return Ok(None),
            Some(entry) if self.is_live(entry) && !is_timed(entry) => {}
            Some(_) => {
                self.expire_fields(key, named, SWEPT_MAX);
                return self.get_mut::<Hash>(key);
            }
        }
        let entry = self.keyspace.database_mut(self.db).get_mut(key).expect("it was just seen");
        entry.collection_mut().map(Some).ok_or(WRONG_TYPE)
    }

    /// The same, with an empty hash made where there is none.
    ///
    /// # Errors
    /// `WRONGTYPE`.
    #[inline]
    pub fn hash_or_new<'a>(
        &mut self,
        key: &Key<'_>,
        named: impl Iterator<Item = &'a [u8]>,
    ) -> Result<&mut Hash> {
        match self.keyspace.database(self.db).get(key) {
            None => return self.get_or_new::<Hash>(key),
            Some(entry) if self.is_live(entry) && !is_timed(entry) => {}
            Some(_) => {
                self.expire_fields(key, named, SWEPT_MAX);
                return self.get_or_new::<Hash>(key);
            }
        }
        let entry = self.keyspace.database_mut(self.db).get_mut(key).expect("it was just seen");
        entry.collection_mut().ok_or(WRONG_TYPE)
    }

    /// Removes fields of the hash at a key that have expired: those that are `named`, and up to
    /// `most` others. Returns how many; the hash goes too if nothing is left.
    pub fn expire_fields<'a>(
        &mut self,
        key: &Key<'_>,
        named: impl Iterator<Item = &'a [u8]>,
        most: usize,
    ) -> usize {
        let now_ms = self.now_ms();
        let Ok(Some(hash)) = self.get_mut::<Hash>(key) else { return 0 };
        let named = named.filter(|field| hash.remove_if_expired(field, now_ms)).count();
        let removed = named + hash.remove_expired(now_ms, most);
        if removed > 0 {
            self.changed(key, EventClass::Hash, "hexpired");
            self.remove_if_empty::<Hash>(key);
        }
        removed
    }

    /// Records that the hash at a key has got a deadline, so that it will be looked at in time.
    ///
    /// # Errors
    /// `WRONGTYPE`.
    pub fn note_deadlines(&mut self, key: &Key<'_>) -> Result {
        let Some(hash) = self.get::<Hash>(key)? else { return Ok(()) };
        if let Some(at_ms) = hash.earliest_ms() {
            self.keyspace.database_mut(self.db).note_deadline(key.slot, at_ms);
        }
        Ok(())
    }
}

fn is_timed(entry: &Entry) -> bool {
    matches!(entry.value(), ValueRef::Hash(hash) if hash.is_timed())
}
