//! The members of a big sorted set, and the index by which they are found.
//!
//! Members stand in chunks that never move, so that adding one never copies the others. The index
//! maps a member's hash to its id. It is a directory of small tables, chosen by the high bits of
//! the hash; a table that outgrows its bound is split in two, so that no insertion rehashes more
//! than one small table, however big the set is.
//!
//! A walk through the members goes by hash, which depends on the shard's seed alone: every replica
//! sees the same order, and a walk goes on where it stopped however much the set has grown or
//! shrunk meanwhile.

use alloc::boxed::Box;
use alloc::vec::Vec;

use hashbrown::HashTable;

use crate::keyspace::KeyHasher;
use crate::types::segments::Segments;

const CHUNK: usize = 512;
/// Entries above which a table of the directory is split: what 4096 buckets hold at most, so that
/// the halves fill theirs.
const TABLE_MAX: usize = 3584;

/// Stands for a member as long as it is in the set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemberId(u32);

/// A member and its score.
#[derive(Debug)]
struct Stored {
    score: f64,
    bytes: Box<[u8]>,
}

/// All members of a set.
#[derive(Debug)]
pub struct Members {
    hasher: KeyHasher,
    chunks: Vec<Vec<Stored>>,
    free: Segments<MemberId>,
    /// `2^bits` entries, each the number of a table.
    directory: Vec<u32>,
    bits: u32,
    tables: Vec<Table>,
    /// How many entries of the index were moved.
    #[cfg(test)]
    moved: usize,
}

#[derive(Debug)]
struct Table {
    /// How many high bits of the hash all its entries share.
    bits: u32,
    ids: HashTable<MemberId>,
}

impl Members {
    /// No members; hashes are keyed by `hasher`.
    pub fn new(hasher: KeyHasher) -> Self {
        Members {
            hasher,
            chunks: Vec::new(),
            free: Segments::default(),
            directory: alloc::vec![0],
            bits: 0,
            tables: alloc::vec![Table { bits: 0, ids: HashTable::new() }],
            #[cfg(test)]
            moved: 0,
        }
    }

    /// The bytes of a member.
    #[inline]
    pub fn bytes(&self, id: MemberId) -> &[u8] {
        &self.stored(id).bytes
    }

    /// The score of a member.
    #[inline]
    pub fn score(&self, id: MemberId) -> f64 {
        self.stored(id).score
    }

    /// Changes the score of a member.
    pub fn set_score(&mut self, id: MemberId, score: f64) {
        let at = id.0 as usize;
        self.chunks[at / CHUNK][at % CHUNK].score = score;
    }

    /// Finds a member.
    pub fn find(&self, bytes: &[u8]) -> Option<MemberId> {
        let hash = self.hasher.hash(bytes);
        let table = &self.tables[self.table_of(hash)];
        table.ids.find(in_table(hash), |id| self.bytes(*id) == bytes).copied()
    }

    /// Adds a member that is not there.
    pub fn insert(&mut self, bytes: &[u8], score: f64) -> MemberId {
        let id = self.store(Stored { score, bytes: bytes.into() });
        let hash = self.hasher.hash(bytes);
        let mut table = self.table_of(hash);
        while self.tables[table].ids.len() >= TABLE_MAX && self.tables[table].bits < 16 {
            self.split(table);
            table = self.table_of(hash);
        }
        #[cfg(test)]
        {
            let ids = &self.tables[table].ids;
            self.moved += if ids.len() == ids.capacity() { ids.len() } else { 0 };
        }
        let Members { hasher, chunks, tables, .. } = self;
        let rehash = |id: &MemberId| in_table(hash_of(hasher, chunks, *id));
        tables[table].ids.insert_unique(in_table(hash), id, rehash);
        id
    }

    /// Removes a member, after which its id may stand for another one, and returns its bytes.
    pub fn remove(&mut self, id: MemberId) -> Box<[u8]> {
        let hash = hash_of(&self.hasher, &self.chunks, id);
        let table = self.table_of(hash);
        let found = self.tables[table].ids.find_entry(in_table(hash), |other| *other == id);
        found.expect("a stored member is in the index").remove();
        let at = id.0 as usize;
        self.free.push(id);
        core::mem::take(&mut self.chunks[at / CHUNK][at % CHUNK].bytes)
    }

    /// How many allocations there are beside those of the members' bytes.
    pub fn frames(&self) -> usize {
        self.chunks.len() + self.tables.len()
    }

    /// At least `count` members whose hash is not below `from`, by hash, and where to go on; `None`
    /// when that was all.
    pub fn walk(&self, from: u64, count: usize) -> (Vec<MemberId>, Option<u64>) {
        let mut found = Vec::new();
        let mut from = from;
        loop {
            let table = &self.tables[self.table_of(from)];
            let mut here: Vec<(u64, MemberId)> = table
                .ids
                .iter()
                .map(|id| (hash_of(&self.hasher, &self.chunks, *id), *id))
                .filter(|(hash, _)| *hash >= from)
                .collect();
            here.sort_unstable_by(|one, other| {
                one.0.cmp(&other.0).then_with(|| self.bytes(one.1).cmp(self.bytes(other.1)))
            });
            for (at, (hash, id)) in here.iter().enumerate() {
                // Members that share a hash are never separated.
                if found.len() >= count && (at == 0 || here[at - 1].0 != *hash) {
                    return (found, Some(*hash));
                }
                found.push(*id);
            }
            match end_of(from, table.bits) {
                Some(next) => from = next,
                None => return (found, None),
            }
        }
    }

    /// Approximate size in bytes.
    pub fn memory_bytes(&self) -> usize {
        let stored: usize = self.chunks.iter().map(Vec::capacity).sum();
        let members: usize =
            self.chunks.iter().flatten().map(|stored| stored.bytes.len().next_multiple_of(8)).sum();
        let index: usize = self.tables.iter().map(|table| table.ids.allocation_size()).sum();
        stored * size_of::<Stored>() + members + index + self.directory.capacity() * 4
    }

    fn stored(&self, id: MemberId) -> &Stored {
        let at = id.0 as usize;
        &self.chunks[at / CHUNK][at % CHUNK]
    }

    fn store(&mut self, stored: Stored) -> MemberId {
        if let Some(id) = self.free.pop() {
            let at = id.0 as usize;
            self.chunks[at / CHUNK][at % CHUNK] = stored;
            return id;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            // The first chunk grows like any vector; the others are wanted whole.
            let whole = if self.chunks.is_empty() { 0 } else { CHUNK };
            self.chunks.push(Vec::with_capacity(whole));
        }
        let chunk = self.chunks.len() - 1;
        self.chunks[chunk].push(stored);
        MemberId((chunk * CHUNK + self.chunks[chunk].len() - 1) as u32)
    }

    fn table_of(&self, hash: u64) -> usize {
        self.directory[high_bits(hash, self.bits)] as usize
    }

    /// Splits a table by the next bit of the hash, doubling the directory if it has to.
    fn split(&mut self, table: usize) {
        if self.tables[table].bits == self.bits {
            self.directory = self.directory.iter().flat_map(|entry| [*entry; 2]).collect();
            self.bits += 1;
        }
        #[cfg(test)]
        {
            self.moved += self.tables[table].ids.len();
        }
        let bits = self.tables[table].bits + 1;
        let Members { hasher, chunks, .. } = self;
        let (mut low, mut high) = (HashTable::new(), HashTable::new());
        for id in &self.tables[table].ids {
            let hash = hash_of(hasher, chunks, *id);
            let half = if high_bits(hash, bits) & 1 == 0 { &mut low } else { &mut high };
            half.insert_unique(in_table(hash), *id, |id| in_table(hash_of(hasher, chunks, *id)));
        }
        let sibling = self.tables.len() as u32;
        self.tables[table] = Table { bits, ids: low };
        self.tables.push(Table { bits, ids: high });
        for (place, entry) in self.directory.iter_mut().enumerate() {
            if *entry as usize == table && (place >> (self.bits - bits)) & 1 == 1 {
                *entry = sibling;
            }
        }
    }
}

fn hash_of(hasher: &KeyHasher, chunks: &[Vec<Stored>], id: MemberId) -> u64 {
    let at = id.0 as usize;
    hasher.hash(&chunks[at / CHUNK][at % CHUNK].bytes)
}

/// What a table sees of a hash. A table looks at the lowest and the seven highest bits; the directory
/// has used up the highest, so the halves change places.
fn in_table(hash: u64) -> u64 {
    hash.rotate_left(32)
}

/// The `bits` high bits of a hash.
fn high_bits(hash: u64, bits: u32) -> usize {
    if bits == 0 { 0 } else { (hash >> (64 - bits)) as usize }
}

/// The first hash behind those that share their `bits` high bits with `hash`.
fn end_of(hash: u64, bits: u32) -> Option<u64> {
    if bits == 0 {
        return None;
    }
    let width = 64 - bits;
    ((hash >> width) + 1).checked_mul(1 << width).filter(|_| (hash >> width) + 1 < 1 << bits)
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn no_insertion_moves_more_than_a_part_of_the_index() {
        let mut members = Members::new(KeyHasher::new([3; 16]));
        for n in 0..200_000 {
            let before = members.moved;
            members.insert(format!("member:{n}").as_bytes(), 0.0);
            let moved = members.moved - before;
            assert!(moved <= 2 * TABLE_MAX, "{moved} entries moved for member {n}");
        }
        assert!(members.moved > 200_000, "they are counted");
        assert!(members.tables.len() > 200_000 / TABLE_MAX);
        for n in (0..200_000).step_by(3) {
            let name = format!("member:{n}");
            members.remove(members.find(name.as_bytes()).expect("it was inserted"));
        }
        for n in 0..200_000 {
            let found = members.find(format!("member:{n}").as_bytes());
            assert_eq!(found.is_some(), n % 3 != 0, "member {n}");
        }
    }
}
