//! What is no longer needed and takes long to free.
//!
//! Freeing a collection of a million elements takes as long as a slow command does. So a big value
//! is not dropped where it is removed: it is handed out with the effects of the entry, and whoever
//! runs the engine drops it where nobody waits. The same goes for parts of a value that go on
//! without them. No result depends on it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::database::Database;
use super::layout::Entry;
use super::value::{StringRef, ValueRef};
use crate::types::{PIECE_BYTES, Removed};

/// Freeing as many pieces of memory takes about as long as handing them to somebody else is worth.
const PIECES_MAX: usize = 512;

/// Something big to drop.
#[derive(Debug)]
pub struct Garbage {
    _dropped: Dropped,
}

#[derive(Debug)]
enum Dropped {
    Entry { _entry: Entry },
    Databases { _databases: Vec<Database> },
    Part { _part: Box<dyn Removed> },
}

impl Garbage {
    /// An entry that is no longer in the keyspace, if dropping it takes long; else it is dropped.
    pub(super) fn of_entry(entry: Entry) -> Option<Garbage> {
        is_big(entry.value()).then(|| Garbage { _dropped: Dropped::Entry { _entry: entry } })
    }

    /// What was taken out of a value, if dropping it takes long; else it is dropped.
    #[inline]
    pub(super) fn of_part(part: impl Removed) -> Option<Garbage> {
        let is_big = part.pieces() > PIECES_MAX;
        is_big.then(|| Garbage { _dropped: Dropped::Part { _part: Box::new(part) } })
    }

    /// All that some databases held.
    pub(super) fn of_databases(databases: Vec<Database>) -> Garbage {
        Garbage { _dropped: Dropped::Databases { _databases: databases } }
    }
}

/// Whether dropping a value takes long.
#[inline]
fn is_big(value: ValueRef<'_>) -> bool {
    let pieces = match value {
        ValueRef::String(StringRef::Integer(_)) => return false,
        ValueRef::String(StringRef::Bytes(bytes)) => bytes.len() / PIECE_BYTES,
        ValueRef::List(list) => list.pieces() + list.byte_len() / PIECE_BYTES,
        ValueRef::Set(set) => set.pieces(),
        ValueRef::SortedSet(set) => set.pieces(),
        ValueRef::Hash(hash) => hash.pieces(),
        ValueRef::Stream(stream) => stream.pieces(),
    };
    pieces > PIECES_MAX
}
