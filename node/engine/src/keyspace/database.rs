//! One numbered database: a table per slot.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::Expiry;
use super::access::Clock;
use super::key::{Key, KeyHasher};
use super::layout::Entry;
use super::prefetch;
use super::table::{POSITION_BITS, SlotTable};
use super::value::{Content, Value};
use crate::slot::{SLOT_COUNT, Slot};

/// Slots are counted in groups, so that a key can be found by its number in few steps.
const GROUP_LEN: usize = 128;

/// One numbered database.
#[derive(Debug, Default)]
pub struct Database {
    /// Empty until the first key arrives, then one table per slot.
    slots: Vec<SlotTable>,
    /// Keys of each group of [`GROUP_LEN`] slots.
    groups: Vec<usize>,
    /// What is known of expiries in each slot; empty until a key gets one.
    expiring: Vec<Expiring>,
    /// No field of a hash in the slot expires earlier than this: a hint like
    /// [`Expiring::earliest_ms`]. Empty until a field gets a deadline.
    deadlines: Vec<u64>,
    keys: usize,
    keys_expiring: usize,
    /// Bytes that the entries occupy, collections excepted.
    entry_bytes: usize,
}

/// What is known of the expiries in a slot.
#[derive(Clone, Copy, Debug)]
struct Expiring {
    /// How many keys have one.
    keys: u32,
    /// None is earlier than this, in milliseconds since the Unix epoch. A hint: it may be too
    /// early, and nothing that a client can observe depends on it.
    earliest_ms: u64,
}

impl Expiring {
    const NONE: Expiring = Expiring { keys: 0, earliest_ms: u64::MAX };
}

/// What stood under a key when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// Nothing.
    Missing,
    /// An entry that had expired.
    Expired,
    /// A value that clients could see.
    Live,
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

    /// How many keys have an expiry.
    pub fn expiring_len(&self) -> usize {
        self.keys_expiring
    }

    /// How many keys a slot holds, expired ones included.
    pub fn slot_len(&self, slot: Slot) -> usize {
        self.slots.get(slot.index()).map_or(0, SlotTable::len)
    }

    /// Bytes that entries occupy, without the insides of collections and without tables.
    pub fn entry_bytes(&self) -> usize {
        self.entry_bytes
    }

    /// Bytes that the tables occupy. Walks all slots.
    pub fn table_bytes(&self) -> usize {
        let tables: usize = self.slots.iter().map(SlotTable::allocated).sum();
        tables + self.slots.capacity() * size_of::<SlotTable>()
    }

    /// Fetches the header of a slot's table into the cache.
    #[inline]
    pub fn prefetch_table(&self, slot: Slot) {
        if let Some(table) = self.slots.get(slot.index()) {
            prefetch(table);
        }
    }

    /// Looks into the bucket of a hash, fetches the first entry there into the cache, and returns
    /// it. Only the bucket is waited for, and the processor waits for several of them at once.
    #[inline]
    pub fn prefetch_entry(&self, slot: Slot, hash: u64) -> Option<&Entry> {
        let entry = self.slots.get(slot.index())?.part(hash).find(hash, |_| true)?;
        prefetch(entry.byte(0));
        Some(entry)
    }

    /// The entry of `key`.
    #[inline]
    pub fn get(&self, key: &Key<'_>) -> Option<&Entry> {
        self.slots.get(key.slot.index())?.find(key.hash, key.bytes)
    }

    /// The entry of `key`, for changes that leave its expiry and its size alone.
    #[inline]
    pub fn get_mut(&mut self, key: &Key<'_>) -> Option<&mut Entry> {
        self.slots.get_mut(key.slot.index())?.find_mut(key.hash, key.bytes)
    }

    /// The entry of `key`, for changes that leave its expiry and its size alone; `make` makes one
    /// where there is none.
    #[inline]
    pub(super) fn get_or_insert(
        &mut self,
        key: &Key<'_>,
        hasher: &KeyHasher,
        make: impl FnOnce() -> Entry,
    ) -> &mut Entry {
        let slot = key.slot.index();
        match self.slots.get(slot).and_then(|table| table.place(key.hash, key.bytes)) {
            Some(place) => self.slots[slot].at_mut(place),
            None => self.insert(key, make(), hasher),
        }
    }

    /// Whether an entry in a slot may have expired at `now_ms`. False is certain.
    #[inline]
    pub fn may_have_expired(&self, slot: Slot, now_ms: u64) -> bool {
        self.expiring.get(slot.index()).is_some_and(|known| known.earliest_ms <= now_ms)
    }

    /// Stores a value under a key, whatever was there; an entry that has expired by the clock counts
    /// as missing, its expiry included. What was replaced as a whole is returned.
    #[inline]
    pub(super) fn upsert(
        &mut self,
        key: &Key<'_>,
        content: Content<'_>,
        expiry: Expiry,
        clock: Clock,
        hasher: &KeyHasher,
    ) -> (Before, Option<Entry>) {
        let found = match self.slots.get_mut(key.slot.index()) {
            Some(table) => table.find_mut(key.hash, key.bytes),
            None => None,
        };
        let Some(entry) = found else {
            let entry = Entry::new(key.bytes, content, expiry.at_ms());
            entry.set_access(clock.fresh());
            self.insert(key, entry, hasher);
            return (Before::Missing, None);
        };
        let (old_bytes, old_expiry) = (entry.allocated(), entry.expire_at_ms());
        let expired = old_expiry.is_some_and(|at| at <= clock.now_ms);
        let is_hash = matches!(content, Content::Owned(Value::Hash(_)));
        let replaced = entry.overwrite(content);
        let deadline = if is_hash { entry.earliest_deadline_ms() } else { None };
        entry.set_access(clock.used(entry.access()));
        let new_expiry = match expiry {
            Expiry::Keep if !expired => old_expiry,
            other => other.at_ms(),
        };
        if new_expiry != old_expiry {
            entry.set_expiry(new_expiry);
        }
        self.entry_bytes = self.entry_bytes + entry.allocated() - old_bytes;
        self.note_expiry(key.slot, old_expiry, new_expiry);
        if let Some(at_ms) = deadline {
            self.note_deadline(key.slot, at_ms);
        }
        (if expired { Before::Expired } else { Before::Live }, replaced)
    }

    /// Adds an entry for a key that is not there.
    pub fn insert(&mut self, key: &Key<'_>, entry: Entry, hasher: &KeyHasher) -> &mut Entry {
        if self.slots.is_empty() {
            self.slots.resize_with(SLOT_COUNT, SlotTable::default);
            self.groups.resize(SLOT_COUNT / GROUP_LEN, 0);
        }
        self.note_expiry(key.slot, None, entry.expire_at_ms());
        if let Some(at_ms) = entry.earliest_deadline_ms() {
            self.note_deadline(key.slot, at_ms);
        }
        self.keys += 1;
        self.groups[key.slot.index() / GROUP_LEN] += 1;
        self.entry_bytes += entry.allocated();
        self.slots[key.slot.index()].insert(key.hash, entry, hasher)
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: &Key<'_>, hasher: &KeyHasher) -> Option<Entry> {
        let table = self.slots.get_mut(key.slot.index())?;
        let entry = table.remove(key.hash, key.bytes, hasher)?;
        self.note_expiry(key.slot, entry.expire_at_ms(), None);
        self.keys -= 1;
        self.groups[key.slot.index() / GROUP_LEN] -= 1;
        self.entry_bytes -= entry.allocated();
        Some(entry)
    }

    /// Sets or clears the expiry of a key; false if there is no such key.
    pub fn set_expiry(&mut self, key: &Key<'_>, at_ms: Option<u64>) -> bool {
        let Some(entry) = self.get_mut(key) else { return false };
        let (old_bytes, old) = (entry.allocated(), entry.expire_at_ms());
        entry.set_expiry(at_ms);
        let new_bytes = entry.allocated();
        self.entry_bytes = self.entry_bytes + new_bytes - old_bytes;
        self.note_expiry(key.slot, old, at_ms);
        true
    }

    /// The bytes of a string that is there, with zeros appended until there are at least `len`.
    pub fn grow_string(&mut self, key: &Key<'_>, len: usize) -> Option<&mut [u8]> {
        let table = self.slots.get_mut(key.slot.index())?;
        let entry = table.find_mut(key.hash, key.bytes)?;
        let old_bytes = entry.allocated();
        let len = entry.grow_string(len).len();
        self.entry_bytes = self.entry_bytes + entry.allocated() - old_bytes;
        Some(entry.grow_string(len))
    }

    /// Whether no key has ever been here, so that there is nothing to drop.
    pub(super) fn was_never_used(&self) -> bool {
        self.slots.is_empty()
    }

    fn note_expiry(&mut self, slot: Slot, old: Option<u64>, new: Option<u64>) {
        if old.is_none() && new.is_none() {
            return;
        }
        if self.expiring.is_empty() {
            self.expiring.resize(SLOT_COUNT, Expiring::NONE);
        }
        let known = &mut self.expiring[slot.index()];
        if old.is_some() {
            known.keys -= 1;
            self.keys_expiring -= 1;
        }
        if let Some(at_ms) = new {
            known.keys += 1;
            self.keys_expiring += 1;
            known.earliest_ms = known.earliest_ms.min(at_ms);
        }
        if known.keys == 0 {
            known.earliest_ms = u64::MAX;
        }
    }

    /// Records that a hash in a slot has a field that expires at `at_ms`.
    pub fn note_deadline(&mut self, slot: Slot, at_ms: u64) {
        if self.deadlines.is_empty() {
            self.deadlines.resize(SLOT_COUNT, u64::MAX);
        }
        let earliest_ms = &mut self.deadlines[slot.index()];
        *earliest_ms = at_ms.min(*earliest_ms);
    }

    /// The entries of a slot, in no order that anyone may rely on.
    pub fn slot(&self, slot: Slot) -> impl Iterator<Item = &Entry> {
        self.slots.get(slot.index()).into_iter().flat_map(SlotTable::iter)
    }

    /// Calls `each` with the entries of a slot in the order of their hashes, until it breaks.
    pub fn walk_slot<'a>(
        &'a self,
        slot: Slot,
        hasher: &KeyHasher,
        each: &mut dyn FnMut(&'a Entry) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match self.slots.get(slot.index()) {
            Some(table) => table.walk(0, hasher, &mut |_, entry| each(entry)),
            None => ControlFlow::Continue(()),
        }
    }

    /// Calls `each` with all entries, slot by slot and in the order of their hashes, until it
    /// breaks.
    pub fn walk<'a>(
        &'a self,
        hasher: &KeyHasher,
        each: &mut dyn FnMut(&'a Entry) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.occupied().try_for_each(|table| table.walk(0, hasher, &mut |_, entry| each(entry)))
    }

    /// All entries, in no order that anyone may rely on.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.occupied().flat_map(SlotTable::iter)
    }

    /// The tables that are not empty, by slot.
    fn occupied(&self) -> impl Iterator<Item = &SlotTable> {
        let groups = self.slots.chunks(GROUP_LEN).zip(&self.groups);
        let tables = groups.filter(|(_, keys)| **keys > 0).flat_map(|(tables, _)| tables);
        tables.filter(|table| table.len() > 0)
    }

    /// Calls `each` with at least `count` entries from `cursor` on, and returns the cursor behind
    /// them; 0 begins and ends a scan. An entry that is there during a whole scan is returned at
    /// least once, however the tables change meanwhile.
    pub fn scan<'a>(
        &'a self,
        cursor: u64,
        count: usize,
        hasher: &KeyHasher,
        each: &mut dyn FnMut(&'a Entry),
    ) -> u64 {
        let mut seen = 0;
        let mut last = None;
        let (first, mut from) = cursor_parts(cursor);
        for slot in first..self.slots.len() {
            let ended = self.slots[slot].walk(from, hasher, &mut |position, entry| {
                // Keys at one position are not told apart by a cursor: they go together.
                if seen >= count && last != Some((slot, position)) {
                    last = Some((slot, position));
                    return ControlFlow::Break(());
                }
                last = Some((slot, position));
                seen += 1;
                each(entry);
                ControlFlow::Continue(())
            });
            if let (ControlFlow::Break(()), Some((slot, position))) = (ended, last) {
                return cursor_of(slot, position);
            }
            from = 0;
        }
        0
    }

    /// The key that is number `index` by slot and hash, below [`Database::len`].
    pub fn nth(&self, mut index: usize, hasher: &KeyHasher) -> Option<&Entry> {
        let group = self.groups.iter().position(|&len| skip(&mut index, len))?;
        let slots = &self.slots[group * GROUP_LEN..];
        let table = slots.iter().find(|table| skip(&mut index, table.len()))?;
        let mut found = None;
        let _ = table.walk(0, hasher, &mut |_, entry| {
            if index == 0 {
                found = Some(entry);
                return ControlFlow::Break(());
            }
            index -= 1;
            ControlFlow::Continue(())
        });
        found
    }

    /// Appends keys that have expired at `now_ms`, or are hashes of which fields have, to `found`
    /// until there are `limit`, beginning at slot `from`; returns the slot to go on with, 0 after the
    /// last.
    pub fn expired(
        &mut self,
        from: usize,
        now_ms: u64,
        limit: usize,
        found: &mut Vec<Vec<u8>>,
    ) -> usize {
        let times = !self.deadlines.is_empty();
        for slot in from..self.expiring.len().max(self.deadlines.len()) {
            let keys = self.expiring.get(slot).is_some_and(|known| known.earliest_ms <= now_ms);
            let fields = times && self.deadlines[slot] <= now_ms;
            if !keys && !fields {
                continue;
            }
            let (mut first_key, mut first_field) = (u64::MAX, u64::MAX);
            for entry in self.slots[slot].iter() {
                let key = entry.expire_at_ms().unwrap_or(u64::MAX);
                let field = if times { entry.earliest_deadline_ms() } else { None };
                let field = field.unwrap_or(u64::MAX);
                (first_key, first_field) = (first_key.min(key), first_field.min(field));
                if key.min(field) <= now_ms {
                    if found.len() >= limit {
                        return slot;
                    }
                    found.push(entry.key().to_vec());
                }
            }
            if let Some(known) = self.expiring.get_mut(slot) {
                known.earliest_ms = first_key;
            }
            if times {
                self.deadlines[slot] = first_field;
            }
        }
        0
    }
}

/// False, and `index` becomes relative to what follows, if it is beyond `len`.
fn skip(index: &mut usize, len: usize) -> bool {
    let within = *index < len;
    if !within {
        *index -= len;
    }
    within
}

/// The slot is in the low bits, as cluster-aware clients know it from other servers.
fn cursor_of(slot: usize, position: u64) -> u64 {
    position * SLOT_COUNT as u64 + slot as u64
}

fn cursor_parts(cursor: u64) -> (usize, u64) {
    let position = (cursor / SLOT_COUNT as u64) & ((1 << POSITION_BITS) - 1);
    ((cursor % SLOT_COUNT as u64) as usize, position)
}
