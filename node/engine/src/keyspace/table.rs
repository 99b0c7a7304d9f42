//! The hash table of one slot.
//!
//! ```text
//! One   ── a hashbrown table of 8-byte entries; hashes are not stored
//! Many  ── directory, 2^bits places ──┬─ part 0: keys whose position begins with 00…
//!                                     ├─ part 1: … 01…
//!                                     └─ part 2: … 1… (shared by two places of the directory)
//! ```
//!
//! Most slots hold a few dozen keys. One that holds very many, because of a `{tag}`, is split by
//! hash bits into parts that stay small, one at a time (extendible hashing), so that no growth is
//! ever felt.
//!
//! A key's *position* is 48 bits of its hash. Whatever a client can observe of the order of keys
//! (SCAN, KEYS, RANDOMKEY) goes by position, so that it is the same on every replica whatever the
//! capacities are; a cursor that is a position stays valid while tables grow, split and shrink.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use hashbrown::HashTable;

use super::key::KeyHasher;
use super::layout::Entry;

/// How many bits of a hash make a position.
pub(super) const POSITION_BITS: u32 = 48;

/// A part that holds as many entries is split. Small enough for SCAN to sort it at every step.
const PART_LEN_MAX: usize = 896;

/// A table that came below this share of its capacity is shrunk.
const SHRINK_BELOW: usize = 8;

/// Where a hash stands in the order of its slot. The bits are those in the middle: hashbrown
/// finds the bucket by the lowest ones and tells neighbours apart by the highest seven.
#[inline]
pub(super) fn position(hash: u64) -> u64 {
    (hash >> 9) & ((1 << POSITION_BITS) - 1)
}

/// The hash table of one slot.
#[derive(Debug)]
pub(super) enum SlotTable {
    One(HashTable<Entry>),
    Many(Box<Parts>),
}

/// A table that was split.
#[derive(Debug)]
pub(super) struct Parts {
    /// The number of leading bits of a position that choose a place in the directory.
    bits: u32,
    /// Which part holds the positions that begin with the index.
    directory: Vec<u32>,
    list: Vec<Part>,
    len: usize,
}

#[derive(Debug)]
struct Part {
    /// How many leading bits all positions in it share.
    bits: u32,
    table: HashTable<Entry>,
}

/// Where an entry is, as long as nothing is added or removed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    part: usize,
    bucket: usize,
}

impl Default for SlotTable {
    fn default() -> Self {
        SlotTable::One(HashTable::new())
    }
}

impl SlotTable {
    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        match self {
            SlotTable::One(table) => table.len(),
            SlotTable::Many(parts) => parts.len,
        }
    }

    /// The bytes that the table itself occupies.
    pub(super) fn allocated(&self) -> usize {
        match self {
            SlotTable::One(table) => table.allocation_size(),
            SlotTable::Many(parts) => parts.allocated(),
        }
    }

    /// The table that holds a hash.
    #[inline]
    pub(super) fn part(&self, hash: u64) -> &HashTable<Entry> {
        match self {
            SlotTable::One(table) => table,
            SlotTable::Many(parts) => &parts.list[parts.part_of(position(hash))].table,
        }
    }

    /// The entry of a key.
    #[inline]
    pub(super) fn find(&self, hash: u64, key: &[u8]) -> Option<&Entry> {
        self.part(hash).find(hash, |entry| entry.key() == key)
    }

    /// Where the entry of a key is; valid until the table is changed.
    #[inline]
    pub(super) fn place(&self, hash: u64, key: &[u8]) -> Option<Place> {
        let (part, table) = match self {
            SlotTable::One(table) => (0, table),
            SlotTable::Many(parts) => {
                let part = parts.part_of(position(hash));
                (part, &parts.list[part].table)
            }
        };
        let bucket = table.find_bucket_index(hash, |entry| entry.key() == key)?;
        Some(Place { part, bucket })
    }

    /// The entry at a place that was just found.
    #[inline]
    pub(super) fn at_mut(&mut self, place: Place) -> &mut Entry {
        let table = match self {
            SlotTable::One(table) => table,
            SlotTable::Many(parts) => &mut parts.list[place.part].table,
        };
        table.get_bucket_mut(place.bucket).expect("the table has not changed since")
    }

    /// The entry of a key.
    #[inline]
    pub(super) fn find_mut(&mut self, hash: u64, key: &[u8]) -> Option<&mut Entry> {
        let table = match self {
            SlotTable::One(table) => table,
            SlotTable::Many(parts) => {
                let part = parts.part_of(position(hash));
                &mut parts.list[part].table
            }
        };
        table.find_mut(hash, |entry| entry.key() == key)
    }

    /// Adds an entry for a key that is not there.
    pub(super) fn insert(&mut self, hash: u64, entry: Entry, hasher: &KeyHasher) -> &mut Entry {
        if let SlotTable::One(table) = self
            && table.len() >= PART_LEN_MAX
        {
            let parts = Parts::of(core::mem::take(table));
            *self = SlotTable::Many(Box::new(parts));
        }
        let rehash = |entry: &Entry| hasher.hash(entry.key());
        match self {
            SlotTable::One(table) => table.insert_unique(hash, entry, rehash).into_mut(),
            SlotTable::Many(parts) => {
                parts.len += 1;
                let part = parts.part_with_room(position(hash), hasher);
                parts.list[part].table.insert_unique(hash, entry, rehash).into_mut()
            }
        }
    }

    /// Takes the entry of a key out.
    pub(super) fn remove(&mut self, hash: u64, key: &[u8], hasher: &KeyHasher) -> Option<Entry> {
        let table = match self {
            SlotTable::One(table) => table,
            SlotTable::Many(parts) => {
                let part = parts.part_of(position(hash));
                &mut parts.list[part].table
            }
        };
        let found = table.find_entry(hash, |entry| entry.key() == key).ok()?;
        let (entry, _) = found.remove();
        shrink(table, hasher);
        if let SlotTable::Many(parts) = self {
            parts.len -= 1;
            if parts.len < PART_LEN_MAX / 2 {
                *self = SlotTable::One(parts.merged(hasher));
            }
        }
        Some(entry)
    }

    /// All entries, in no order that anyone may observe.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        let (one, many) = match self {
            SlotTable::One(table) => (Some(table), None),
            SlotTable::Many(parts) => (None, Some(&parts.list)),
        };
        let parts = many.into_iter().flatten().map(|part| &part.table);
        one.into_iter().chain(parts).flat_map(HashTable::iter)
    }

    /// Calls `each` with the entries whose position is at least `from`, by position (and by key
    /// where positions are equal), until it breaks.
    pub(super) fn walk<'a>(
        &'a self,
        from: u64,
        hasher: &KeyHasher,
        each: &mut dyn FnMut(u64, &'a Entry) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut row = Vec::new();
        match self {
            SlotTable::One(table) => walk_part(table, from, hasher, &mut row, each),
            SlotTable::Many(parts) => {
                let mut place = parts.place_of(from);
                while place < parts.directory.len() {
                    let part = &parts.list[parts.directory[place] as usize];
                    walk_part(&part.table, from, hasher, &mut row, each)?;
                    let shared = (1 << (parts.bits - part.bits)) - 1;
                    place = (place | shared) + 1;
                }
                ControlFlow::Continue(())
            }
        }
    }
}

fn walk_part<'a>(
    table: &'a HashTable<Entry>,
    from: u64,
    hasher: &KeyHasher,
    row: &mut Vec<(u64, &'a Entry)>,
    each: &mut dyn FnMut(u64, &'a Entry) -> ControlFlow<()>,
) -> ControlFlow<()> {
    row.clear();
    row.extend(
        table
            .iter()
            .map(|entry| (position(hasher.hash(entry.key())), entry))
            .filter(|e| e.0 >= from),
    );
    row.sort_unstable_by(|(one, a), (other, b)| one.cmp(other).then_with(|| a.key().cmp(b.key())));
    row.iter().try_for_each(|(position, entry)| each(*position, entry))
}

/// Gives memory back when most of a table is empty.
fn shrink(table: &mut HashTable<Entry>, hasher: &KeyHasher) {
    if table.capacity() > 16 && table.len() < table.capacity() / SHRINK_BELOW {
        table.shrink_to(table.len() * 2, |entry| hasher.hash(entry.key()));
    }
}

impl Parts {
    fn of(table: HashTable<Entry>) -> Parts {
        let len = table.len();
        Parts { bits: 0, directory: vec![0], list: vec![Part { bits: 0, table }], len }
    }

    fn place_of(&self, position: u64) -> usize {
        (position >> (POSITION_BITS - self.bits)) as usize
    }

    #[inline]
    fn part_of(&self, position: u64) -> usize {
        self.directory[self.place_of(position)] as usize
    }

    /// The part for a new entry at `position`, split until it has room.
    fn part_with_room(&mut self, position: u64, hasher: &KeyHasher) -> usize {
        loop {
            let part = self.part_of(position);
            // Keys under a secret seed never share so many bits; the bound is for the directory.
            if self.list[part].table.len() < PART_LEN_MAX || self.list[part].bits >= 32 {
                return part;
            }
            self.split(part, hasher);
        }
    }

    /// Moves the upper half of a part's positions into a new part.
    fn split(&mut self, index: usize, hasher: &KeyHasher) {
        if self.list[index].bits == self.bits {
            self.directory = self.directory.iter().flat_map(|&part| [part, part]).collect();
            self.bits += 1;
        }
        let bits = self.list[index].bits + 1;
        let new = self.list.len() as u32;
        let is_upper = |position: u64| (position >> (POSITION_BITS - bits)) & 1 == 1;
        let old = core::mem::take(&mut self.list[index].table);
        let mut halves = [HashTable::with_capacity(old.len()), HashTable::with_capacity(old.len())];
        for entry in old {
            let hash = hasher.hash(entry.key());
            let half = &mut halves[usize::from(is_upper(position(hash)))];
            half.insert_unique(hash, entry, |entry| hasher.hash(entry.key()));
        }
        let [lower, upper] = halves;
        self.list[index] = Part { bits, table: lower };
        self.list.push(Part { bits, table: upper });
        let shift = self.bits - bits;
        for (place, part) in self.directory.iter_mut().enumerate() {
            if *part as usize == index && (place >> shift) & 1 == 1 {
                *part = new;
            }
        }
    }

    fn merged(&mut self, hasher: &KeyHasher) -> HashTable<Entry> {
        let mut merged = HashTable::with_capacity(self.len);
        for entry in self.list.drain(..).flat_map(|part| part.table) {
            merged.insert_unique(hasher.hash(entry.key()), entry, |e| hasher.hash(e.key()));
        }
        merged
    }

    fn allocated(&self) -> usize {
        let tables: usize = self.list.iter().map(|part| part.table.allocation_size()).sum();
        tables
            + self.list.capacity() * size_of::<Part>()
            + self.directory.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::format;
    use alloc::string::String;

    use super::*;
    use crate::keyspace::{Content, StringRef};

    fn hasher() -> KeyHasher {
        KeyHasher::new([5; 16])
    }

    fn add(table: &mut SlotTable, name: &str) {
        let hasher = hasher();
        let entry = Entry::new(name.as_bytes(), Content::String(StringRef::Integer(1)), None);
        table.insert(hasher.hash(name.as_bytes()), entry, &hasher);
    }

    fn drop_key(table: &mut SlotTable, name: &str) -> bool {
        let hasher = hasher();
        table.remove(hasher.hash(name.as_bytes()), name.as_bytes(), &hasher).is_some()
    }

    fn walked(table: &SlotTable) -> Vec<(u64, String)> {
        let mut found = Vec::new();
        let _ = table.walk(0, &hasher(), &mut |position, entry| {
            found.push((position, String::from_utf8_lossy(entry.key()).into_owned()));
            ControlFlow::Continue(())
        });
        found
    }

    #[test]
    fn a_table_that_splits_and_merges_keeps_every_key_and_the_order() {
        let mut table = SlotTable::default();
        let count = 10 * PART_LEN_MAX;
        for n in 0..count {
            add(&mut table, &format!("key:{n}"));
        }
        let SlotTable::Many(parts) = &table else { panic!("so many keys are split") };
        assert!(parts.list.iter().all(|part| part.table.len() <= PART_LEN_MAX));
        assert_eq!(table.len(), count);
        let all = walked(&table);
        assert!(all.is_sorted(), "by position");
        assert_eq!(all.iter().map(|(_, key)| key).collect::<BTreeSet<_>>().len(), count);

        for n in 100..count {
            assert!(drop_key(&mut table, &format!("key:{n}")), "key:{n} is there");
        }
        assert!(matches!(table, SlotTable::One(_)), "few keys are merged");
        let rest: Vec<_> = all
            .into_iter()
            .filter(|(_, key)| key[4..].parse::<usize>().expect("a number") < 100)
            .collect();
        assert_eq!(walked(&table), rest, "capacity does not show in the order");
        assert!(table.allocated() < 8192, "memory is given back");
    }

    #[test]
    fn every_key_is_found_after_each_insertion() {
        let mut table = SlotTable::default();
        let hasher = hasher();
        for n in 0..3 * PART_LEN_MAX {
            let name = format!("k{n}");
            let hash = hasher.hash(name.as_bytes());
            assert!(table.find(hash, name.as_bytes()).is_none());
            add(&mut table, &name);
            assert!(table.find_mut(hash, name.as_bytes()).is_some());
        }
        for n in 0..3 * PART_LEN_MAX {
            let name = format!("k{n}");
            assert!(table.find(hasher.hash(name.as_bytes()), name.as_bytes()).is_some());
        }
    }
}
