//! The context of a handler that cannot change anything.

use core::cell::{Cell, RefCell};

use crate::command::{Args, CommandTable};
use crate::error::{Result, WRONG_TYPE};
use crate::keyspace::access::{self, Clock};
use crate::keyspace::{Collection, Database, Entry, Key, Keyspace, StringRef, ValueRef};
use crate::rng::Rng;
use crate::scripting::Scripting;
use crate::settings::Settings;

/// What a reading handler may see.
pub struct ReadCx<'e> {
    pub(crate) keyspace: &'e Keyspace,
    pub(crate) settings: &'e Settings,
    pub(crate) scripting: &'e Scripting,
    pub(crate) table: &'e CommandTable,
    pub(crate) db: u16,
    pub(crate) now_ms: u64,
    pub(crate) rng: RefCell<Rng>,
    pub(crate) lookups: &'e Lookups,
}

/// How often reads found their key: local statistics, no part of the state.
#[derive(Debug, Default)]
pub struct Lookups {
    /// `keyspace_hits`
    pub hits: Cell<u64>,
    /// `keyspace_misses`
    pub misses: Cell<u64>,
}

impl Lookups {
    /// Counts from zero again.
    pub fn reset(&self) {
        self.hits.set(0);
        self.misses.set(0);
    }
}

impl<'e> ReadCx<'e> {
    /// The number of the selected database.
    pub fn db(&self) -> u16 {
        self.db
    }

    /// The time that counts for expiry, in milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Replicated settings.
    pub fn settings(&self) -> &'e Settings {
        self.settings
    }

    /// The whole keyspace, for commands that walk it.
    pub fn keyspace(&self) -> &'e Keyspace {
        self.keyspace
    }

    /// The selected database, for commands that walk it.
    pub fn database(&self) -> &'e Database {
        self.keyspace.database(self.db)
    }

    /// Slot and hash of a key that stands in `args`.
    #[inline]
    pub fn key<'a>(&self, args: &Args<'a>, word: usize) -> Key<'a> {
        let bytes = args.get(word);
        match args.prepared_for(bytes) {
            Some(ready) => Key { bytes, slot: ready.slot, hash: ready.hash },
            None => self.keyspace.key(bytes),
        }
    }

    /// A random number below `bound`.
    pub fn random_below(&self, bound: usize) -> usize {
        self.rng.borrow_mut().below(bound)
    }

    /// Whether an entry exists as far as clients can tell.
    pub fn is_live(&self, entry: &Entry) -> bool {
        entry.expire_at_ms().is_none_or(|at| at > self.now_ms)
    }

    /// The entry of a key, unless it has expired. Counts as a use of the key.
    #[inline]
    pub fn entry(&self, key: &Key<'_>) -> Option<&'e Entry> {
        let Some(entry) = self.peek(key) else {
            self.lookups.misses.set(self.lookups.misses.get() + 1);
            return None;
        };
        self.lookups.hits.set(self.lookups.hits.get() + 1);
        entry.set_access(self.clock().used(entry.access()));
        Some(entry)
    }

    /// The entry of a key, unless it has expired, for a command that does not use the value.
    #[inline]
    pub fn peek(&self, key: &Key<'_>) -> Option<&'e Entry> {
        self.database().get(key).filter(|entry| self.is_live(entry))
    }

    #[inline]
    fn clock(&self) -> Clock {
        Clock { now_ms: self.now_ms, track_frequency: self.settings.track_frequency }
    }

    /// The seconds since an entry was used, where that is tracked.
    pub fn idle_seconds_of(&self, entry: &Entry) -> u32 {
        access::idle_seconds(entry.access(), self.now_ms)
    }

    /// How often an entry is used, on the logarithmic scale of 0 to 255, where that is tracked.
    pub fn frequency_of(&self, entry: &Entry) -> u8 {
        access::frequency(entry.access(), self.now_ms)
    }

    /// The value of a key.
    #[inline]
    pub fn value(&self, key: &Key<'_>) -> Option<ValueRef<'e>> {
        self.entry(key).map(Entry::value)
    }

    /// The string at a key.
    ///
    /// # Errors
    /// `WRONGTYPE`.
    #[inline]
    pub fn string(&self, key: &Key<'_>) -> Result<Option<StringRef<'e>>> {
        match self.value(key) {
            None => Ok(None),
            Some(ValueRef::String(string)) => Ok(Some(string)),
            Some(_) => Err(WRONG_TYPE),
        }
    }

    /// The collection at a key.
    ///
    /// # Errors
    /// `WRONGTYPE`.
    #[inline]
    pub fn get<T: Collection>(&self, key: &Key<'_>) -> Result<Option<&'e T>> {
        match self.value(key) {
            None => Ok(None),
            Some(value) => T::in_ref(value).map(Some).ok_or(WRONG_TYPE),
        }
    }
}
