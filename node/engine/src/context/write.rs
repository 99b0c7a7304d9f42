//! The context of a handler that runs inside an entry.

use crate::command::{Args, CommandTable};
use crate::effects::{Effect, Effects, EventClass, Interests};
use crate::error::{Result, WRONG_TYPE};
use crate::keyspace::access::Clock;
use crate::keyspace::{
    Before, Collection, Content, Entry, Expiry, Key, KeyHasher, Keyspace, Rebuild, StringRef,
    Value, ValueRef,
};
use crate::rng::Rng;
use crate::scripting::Scripting;
use crate::settings::Settings;
use crate::types::Removed;

/// What a writing handler may see and do.
pub struct WriteCx<'e> {
    pub(crate) keyspace: &'e mut Keyspace,
    pub(crate) settings: &'e mut Settings,
    pub(crate) scripting: &'e mut Scripting,
    pub(crate) table: &'e CommandTable,
    pub(crate) db: u16,
    pub(crate) now_ms: u64,
    pub(crate) rng: &'e mut Rng,
    pub(crate) effects: &'e mut Effects,
    pub(crate) interests: Interests,
}

impl WriteCx<'_> {
    /// The number of the selected database.
    pub fn db(&self) -> u16 {
        self.db
    }

    /// The entry's time, in milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Replicated settings.
    pub fn settings(&self) -> &Settings {
        self.settings
    }

    /// Replicated settings, for the command that changes them.
    pub fn settings_mut(&mut self) -> &mut Settings {
        self.settings
    }

    /// Announces that the replicated settings have changed.
    pub(crate) fn settings_changed(&mut self) {
        self.effects.list.push(Effect::Settings);
    }

    /// The keyspace, for commands that walk or replace whole databases.
    pub fn keyspace_mut(&mut self) -> &mut Keyspace {
        self.keyspace
    }

    /// The hasher of this shard, keyed by the replicated seed.
    pub fn hasher(&self) -> &KeyHasher {
        self.keyspace.hasher()
    }

    /// The generator that the entry's stamp seeds.
    pub fn rng(&mut self) -> &mut Rng {
        self.rng
    }

    /// The same context on another database, whose number the caller has checked.
    pub fn in_database(&mut self, db: u16) -> WriteCx<'_> {
        WriteCx {
            keyspace: self.keyspace,
            settings: self.settings,
            scripting: self.scripting,
            table: self.table,
            db,
            now_ms: self.now_ms,
            rng: self.rng,
            effects: self.effects,
            interests: self.interests,
        }
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

    pub(super) fn is_live(&self, entry: &Entry) -> bool {
        entry.expire_at_ms().is_none_or(|at| at > self.now_ms)
    }

    /// The entry of a key, unless it has expired.
    #[inline]
    pub fn entry(&self, key: &Key<'_>) -> Option<&Entry> {
        self.keyspace.database(self.db).get(key).filter(|entry| self.is_live(entry))
    }

    /// The value of a key.
    #[inline]
    pub fn value(&self, key: &Key<'_>) -> Option<ValueRef<'_>> {
        self.entry(key).map(Entry::value)
    }

    /// The string at a key.
    ///
    /// # Errors
    /// `WRONGTYPE`.
    pub fn string(&self, key: &Key<'_>) -> Result<Option<StringRef<'_>>> {
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
    pub fn get<T: Collection>(&self, key: &Key<'_>) -> Result<Option<&T>> {
        match self.value(key) {
            None => Ok(None),
            Some(value) => T::in_ref(value).map(Some).ok_or(WRONG_TYPE),
        }
    }

    /// The collection at a key, to be changed.
    ///
    /// # Errors
    /// `WRONGTYPE`.
    pub fn get_mut<T: Collection>(&mut self, key: &Key<'_>) -> Result<Option<&mut T>> {
        self.delete_if_expired(key);
        match self.keyspace.database_mut(self.db).get_mut(key) {
            None => Ok(None),
            Some(entry) => entry.collection_mut().map(Some).ok_or(WRONG_TYPE),
        }
    }

    /// The collection at a key, to be changed; an empty one is made where there is none.
    ///
    /// # Errors
    /// `WRONGTYPE`.
    pub fn get_or_new<T: Collection>(&mut self, key: &Key<'_>) -> Result<&mut T> {
        self.delete_if_expired(key);
        let (clock, interests, db) = (self.clock(), self.interests, self.db);
        let effects = &mut *self.effects;
        let entry = self.keyspace.get_or_insert(db, key, || {
            if interests.notifications {
                effects.notify(EventClass::New, "new", db, key);
            }
            let entry = Entry::new(key.bytes, Content::Owned(T::empty()), None);
            entry.set_access(clock.fresh());
            entry
        });
        entry.collection_mut().ok_or(WRONG_TYPE)
    }

    /// Stores a value under a key, whatever was there.
    pub fn put(&mut self, key: &Key<'_>, value: Value, expiry: Expiry) {
        self.store(key, Content::Owned(value), expiry);
    }

    /// The same for a command that replaces the key as a whole, so that it is announced as new even
    /// if there was one.
    pub fn put_anew(&mut self, key: &Key<'_>, value: Value, expiry: Expiry) {
        let replaces = self.entry(key).is_some();
        self.put(key, value, expiry);
        if replaces {
            self.notify(EventClass::New, "new", key);
        }
    }

    /// Stores a string under a key, whatever was there.
    #[inline]
    pub fn put_string(&mut self, key: &Key<'_>, bytes: &[u8], expiry: Expiry) {
        self.store(key, Content::String(StringRef::of(bytes)), expiry);
    }

    /// Stores a string that stays bytes even if it is the text of an integer.
    pub fn put_text(&mut self, key: &Key<'_>, bytes: &[u8], expiry: Expiry) {
        self.store(key, Content::String(StringRef::Bytes(bytes)), expiry);
    }

    /// Stores an integer under a key, whatever was there.
    #[inline]
    pub fn put_integer(&mut self, key: &Key<'_>, integer: i64, expiry: Expiry) {
        self.store(key, Content::String(StringRef::Integer(integer)), expiry);
    }

    /// The string at a key as bytes that can be changed, with zeros appended until it has at least
    /// `len`; an empty one is made where there is none. The caller has checked `len` against the
    /// limit on strings.
    ///
    /// # Errors
    /// `WRONGTYPE`.
    pub fn grow_string(&mut self, key: &Key<'_>, len: usize) -> Result<&mut [u8]> {
        let old = self.string(key)?.map(StringRef::len);
        if old.is_none() {
            self.put_text(key, b"", Expiry::Clear);
        }
        let database = self.keyspace.database_mut(self.db);
        Ok(database.grow_string(key, len).expect("made if missing"))
    }

    /// Marks the string at a key as changed in place or not; `OBJECT ENCODING` can tell.
    pub(crate) fn mark_raw(&mut self, key: &Key<'_>, raw: bool) {
        if let Some(entry) = self.keyspace.database_mut(self.db).get_mut(key) {
            entry.set_raw(raw);
        }
    }

    /// Makes a key look as if it had been used so long ago, or so often. What is not tracked here is
    /// passed over.
    pub(crate) fn mark_used(&mut self, key: &Key<'_>, idle: Option<u64>, frequency: Option<u8>) {
        let clock = self.clock();
        if let Some(entry) = self.keyspace.database_mut(self.db).get_mut(key)
            && let Some(record) = clock.as_if(idle, frequency)
        {
            entry.set_access(record);
        }
    }

    /// Makes a key live for ever; true if it would have expired.
    pub fn persist(&mut self, key: &Key<'_>) -> bool {
        let expires = self.entry(key).is_some_and(|entry| entry.expire_at_ms().is_some());
        expires && self.set_expiry(key, None)
    }

    /// A copy of the value of a key, and the expiry of the key.
    pub fn copy_of(&self, key: &Key<'_>) -> Option<(Value, Expiry)> {
        let entry = self.entry(key)?;
        let value = Rebuild::new(self.keyspace.hasher()).copy(entry.value());
        Some((value, entry.expire_at_ms().map_or(Expiry::Clear, Expiry::At)))
    }

    /// Removes all keys of a database, whose number the caller has checked.
    pub fn flush(&mut self, db: u16) {
        self.effects.changes += self.keyspace.database(db).len() as u64;
        self.keyspace.clear(db);
    }

    /// Announces that a database, or all of them, was emptied or exchanged.
    pub fn flushed(&mut self, db: Option<u16>) {
        self.effects.changes += 1;
        self.effects.list.push(Effect::Flushed { db });
    }

    /// Removes a key. False if there was none that clients could see.
    pub fn remove(&mut self, key: &Key<'_>) -> bool {
        let Some(entry) = self.take(key) else { return false };
        self.keyspace.discard(entry);
        true
    }

    /// Drops what was taken out of a collection: at once, or where nobody waits for it.
    #[inline]
    pub fn discard(&mut self, part: impl Removed) {
        self.keyspace.discard_part(part);
    }

    /// Removes a key and returns its entry, unless it had expired.
    pub fn take(&mut self, key: &Key<'_>) -> Option<Entry> {
        self.delete_if_expired(key);
        self.keyspace.remove(self.db, key)
    }

    /// Removes a key whose collection has become empty; true if it was.
    pub fn remove_if_empty<T: Collection>(&mut self, key: &Key<'_>) -> bool {
        let value = self.keyspace.database(self.db).get(key).map(Entry::value);
        let empty = value.and_then(T::in_ref).is_some_and(Collection::is_empty);
        if empty {
            self.remove_emptied(key);
        }
        empty
    }

    /// Removes a key whose collection has become empty.
    pub fn remove_emptied(&mut self, key: &Key<'_>) {
        let entry = self.keyspace.remove(self.db, key).expect("it was just emptied");
        self.keyspace.discard(entry);
        self.notify(EventClass::Generic, "del", key);
    }

    /// Sets or clears the expiry of a key; false if there is no such key.
    pub fn set_expiry(&mut self, key: &Key<'_>, at_ms: Option<u64>) -> bool {
        self.delete_if_expired(key);
        self.keyspace.database_mut(self.db).set_expiry(key, at_ms)
    }

    /// Says that a command that can wait for its keys has found nothing in them. What it writes as
    /// its reply is for those who may not wait.
    pub fn found_nothing(&mut self) {
        self.effects.found_nothing = true;
    }

    /// Records that the value of a key was changed, and announces it. To be called once per key
    /// and change, after the change.
    #[inline]
    pub fn changed(&mut self, key: &Key<'_>, class: EventClass, event: &'static str) {
        self.effects.changes += 1;
        if self.interests.touched {
            self.effects.list.push(Effect::Touched { db: self.db, key: key.bytes.to_vec() });
        }
        self.notify(class, event, key);
    }

    /// Records a change that nobody waits for and no `WATCH` or cache needs to know of.
    pub fn changed_silently(&mut self) {
        self.effects.changes += 1;
    }

    /// Lets those who wait for a key look again. To be called behind a silent change.
    pub fn ready(&mut self, key: &Key<'_>) {
        if self.interests.touched {
            self.effects.list.push(Effect::Ready { db: self.db, key: key.bytes.to_vec() });
        }
    }

    /// Announces something about a key without counting it as a change.
    #[inline]
    pub fn notify(&mut self, class: EventClass, event: &'static str, key: &Key<'_>) {
        if self.interests.notifications {
            self.effects.notify(class, event, self.db, key);
        }
    }

    #[inline]
    fn clock(&self) -> Clock {
        Clock { now_ms: self.now_ms, track_frequency: self.settings.track_frequency }
    }

    #[inline]
    fn store(&mut self, key: &Key<'_>, content: Content<'_>, expiry: Expiry) {
        let clock = self.clock();
        match self.keyspace.upsert(self.db, key, content, expiry, clock) {
            Before::Live => {}
            Before::Missing => self.notify(EventClass::New, "new", key),
            Before::Expired => {
                self.effects.expired += 1;
                self.changed(key, EventClass::Expired, "expired");
                self.notify(EventClass::New, "new", key);
            }
        }
    }

    /// Deletes the entry of a key that has expired, so that something new can take its place; true
    /// if it had.
    #[inline]
    pub fn delete_if_expired(&mut self, key: &Key<'_>) -> bool {
        let database = self.keyspace.database(self.db);
        database.may_have_expired(key.slot, self.now_ms) && self.delete_expired(key)
    }

    #[cold]
    fn delete_expired(&mut self, key: &Key<'_>) -> bool {
        let found = self.keyspace.database(self.db).get(key);
        let expired = found.is_some_and(|entry| !self.is_live(entry));
        if expired {
            let entry = self.keyspace.remove(self.db, key).expect("it was just seen");
            self.keyspace.discard(entry);
            self.effects.expired += 1;
            self.changed(key, EventClass::Expired, "expired");
        }
        expired
    }
}
