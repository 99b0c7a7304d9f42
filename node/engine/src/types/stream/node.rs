//! Some neighbouring entries, packed into one buffer.
//!
//! ```text
//! node    number of master fields │ master field │ … │ entry │ entry │ …
//! entry   size │ flags u8 │ ms, less the master's │ seq, less the master's │ …
//!         … │ value │ …                                    if its fields are the master fields
//!         … │ number of pairs │ field │ value │ …          otherwise
//!         … │ the size, its bytes in reverse
//! ```
//!
//! The master is the first entry that was put into the node: its id is the node's key, and its
//! fields are not repeated by entries that have the same. Numbers are written as [`super::varint`]
//! says, fields and values as elements of a listpack. The size counts what stands between the two
//! sizes, so that a node can be walked from either end. An entry that was deleted is flagged and
//! stays, as in Redis, until its node goes away.
//!
//! Redis packs the same into a listpack with a few more numbers. How large that would be decides
//! when a node is full, which approximate trimming makes visible, so it is counted along.

use alloc::vec::Vec;

use super::StreamId;
use super::varint::{self, fold, unfold};
use crate::types::packed::element::{first, size_of_first};
use crate::types::packed::{Element, Encoded, trailer_len};

/// The flags of Redis.
const DELETED: u8 = 1;
const SAME_FIELDS: u8 = 2;

/// What a listpack takes beyond its elements, in bytes.
const LISTPACK_FRAME: u64 = 7;

/// Neighbouring entries.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    bytes: Vec<u8>,
    /// Bytes of the elements that a listpack would hold, without the numbers of entries.
    listpack: u64,
    entries_at: u32,
    live: u32,
    deleted: u32,
}

impl Node {
    /// A node without entries whose master has these fields.
    pub fn new<'a>(fields: impl ExactSizeIterator<Item = Element<'a>>) -> Node {
        let mut bytes = Vec::new();
        let mut listpack = listpack_integer(fields.len() as i64) + listpack_integer(0);
        varint::push(fields.len() as u64, &mut bytes);
        for field in fields {
            listpack += push_element(field, &mut bytes);
        }
        let entries_at = bytes.len() as u32;
        Node { bytes, listpack, entries_at, live: 0, deleted: 0 }
    }

    /// How many entries are there.
    pub fn live(&self) -> u64 {
        self.live.into()
    }

    /// How many entries were deleted and are still in the buffer.
    pub fn deleted(&self) -> u64 {
        self.deleted.into()
    }

    /// How many bytes of memory the buffer takes.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// How many bytes the node would take as a listpack.
    pub fn listpack_bytes(&self) -> u64 {
        let counts = listpack_integer(self.live.into()) + listpack_integer(self.deleted.into());
        LISTPACK_FRAME + counts + self.listpack
    }

    /// Gives up spare room: nothing more will be put here.
    pub fn seal(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// The fields of the master.
    pub fn master_fields(&self) -> impl ExactSizeIterator<Item = Element<'_>> {
        let (count, at) = varint::read(&self.bytes, 0);
        Elements { rest: &self.bytes[at..], left: count as usize }
    }

    /// All entries, deleted ones too, of the node whose master has this id.
    pub fn entries(&self, master: StreamId) -> impl Iterator<Item = Entry<'_>> {
        let mut at = self.front();
        core::iter::from_fn(move || {
            if at == self.back() {
                return None;
            }
            let (entry, next) = self.read(master, at);
            at = next;
            Some(entry)
        })
    }

    /// Where the first entry begins.
    pub fn front(&self) -> usize {
        self.entries_at as usize
    }

    /// Where the last entry ends.
    pub fn back(&self) -> usize {
        self.bytes.len()
    }

    /// Appends an entry; `master` is the id of the node's first one.
    pub fn push<'a>(
        &mut self,
        master: StreamId,
        id: StreamId,
        pairs: impl ExactSizeIterator<Item = (Element<'a>, Element<'a>)> + Clone,
    ) {
        let same = self.has_fields(pairs.clone().map(|(field, _)| field));
        let (ms, seq) = (id.ms.wrapping_sub(master.ms), id.seq.wrapping_sub(master.seq) as i64);
        let count = pairs.len();
        let start = self.bytes.len();
        let flags = if same { SAME_FIELDS } else { 0 };
        // Most entries are short: the size of one is put here, and a longer one makes room below.
        self.bytes.extend_from_slice(&[0, flags]);
        varint::push(ms, &mut self.bytes);
        varint::push(fold(seq), &mut self.bytes);
        self.listpack += listpack_integer(flags.into())
            + listpack_integer(ms as i64)
            + listpack_integer(seq)
            + listpack_integer(listpack_elements(count, same) as i64);
        if !same {
            varint::push(count as u64, &mut self.bytes);
            self.listpack += listpack_integer(count as i64);
        }
        for (field, value) in pairs {
            if !same {
                self.listpack += push_element(field, &mut self.bytes);
            }
            self.listpack += push_element(value, &mut self.bytes);
        }
        self.close_entry(start);
        self.live += 1;
    }

    /// Writes the size of the entry whose body begins behind `start`, on both of its sides.
    fn close_entry(&mut self, start: usize) {
        let (mut size, len) = varint::encode((self.bytes.len() - start - 1) as u64);
        let size = &mut size[..len];
        if len == 1 {
            self.bytes[start] = size[0];
        } else {
            self.bytes.splice(start..=start, size.iter().copied());
        }
        size.reverse();
        self.bytes.extend_from_slice(size);
    }

    /// Whether the master has these fields.
    fn has_fields<'a>(&self, fields: impl ExactSizeIterator<Item = Element<'a>>) -> bool {
        let (count, mut at) = varint::read(&self.bytes, 0);
        count == fields.len() as u64
            && fields.map(Encoded::new).all(|field| {
                let same = field.begins(&self.bytes[at..]);
                at += field.len();
                same
            })
    }

    /// The entry that begins at `at`, and where it ends.
    #[inline]
    pub fn read(&self, master: StreamId, at: usize) -> (Entry<'_>, usize) {
        let (size, body) = varint::read(&self.bytes, at);
        let end = body + size as usize;
        let flags = self.bytes[body];
        let (ms, at_seq) = varint::read(&self.bytes, body + 1);
        let (seq, at_pairs) = varint::read(&self.bytes, at_seq);
        let id = StreamId {
            ms: master.ms.wrapping_add(ms),
            seq: master.seq.wrapping_add(unfold(seq) as u64),
        };
        let next = end + (body - at);
        let rest = &self.bytes[at_pairs..end];
        (Entry { id, flags, rest, master: &self.bytes[..self.front()] }, next)
    }

    /// Where the entry before `at` begins.
    #[inline]
    pub fn previous(&self, at: usize) -> usize {
        let (size, end) = varint::read_backwards(&self.bytes, at);
        end - size as usize - (at - end)
    }

    /// The id of the last entry, deleted or not.
    pub fn last_id(&self, master: StreamId) -> StreamId {
        self.read(master, self.previous(self.back())).0.id
    }

    /// Where the entry with this id begins, if it is there and was not deleted.
    pub fn find(&self, master: StreamId, id: StreamId) -> Option<usize> {
        let mut at = self.front();
        while at < self.back() {
            let (entry, next) = self.read(master, at);
            if entry.id >= id {
                return (entry.id == id && !entry.is_deleted()).then_some(at);
            }
            at = next;
        }
        None
    }

    /// Flags the entry that begins at `at`, which was not deleted before.
    pub fn delete(&mut self, at: usize) {
        let (_, body) = varint::read(&self.bytes, at);
        assert_eq!(self.bytes[body] & DELETED, 0, "an entry is deleted once");
        self.bytes[body] |= DELETED;
        self.live -= 1;
        self.deleted += 1;
    }
}

/// One entry of a stream.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its id.
    pub id: StreamId,
    flags: u8,
    master: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Entry<'a> {
    /// What a listpack says about it: 1 if it was deleted, and 2 if its fields are the master's.
    pub(crate) fn flags(&self) -> u8 {
        self.flags
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.flags & DELETED != 0
    }

    /// Whether its fields are those of its node's master.
    pub(crate) fn has_master_fields(&self) -> bool {
        self.flags & SAME_FIELDS != 0
    }

    /// Its fields with their values, in the order in which they were given.
    #[inline]
    pub fn pairs(&self) -> Pairs<'a> {
        let from = if self.has_master_fields() { self.master } else { self.rest };
        let (left, at) = varint::read(from, 0);
        let left = left as usize;
        if self.has_master_fields() {
            Pairs { fields: Some(&self.master[at..]), rest: self.rest, left }
        } else {
            Pairs { fields: None, rest: &self.rest[at..], left }
        }
    }
}

/// Fields with their values.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    /// The fields, if they are the master's.
    fields: Option<&'a [u8]>,
    rest: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (Element<'a>, Element<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let field = take(self.fields.as_mut().unwrap_or(&mut self.rest));
        Some((field, take(&mut self.rest)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Pairs<'_> {}

/// Elements, one behind the other.
struct Elements<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        self.left = self.left.checked_sub(1)?;
        Some(take(&mut self.rest))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Elements<'_> {}

#[inline]
fn take<'a>(rest: &mut &'a [u8]) -> Element<'a> {
    let (element, size) = first(rest);
    debug_assert_eq!(size, size_of_first(rest));
    *rest = &rest[size..];
    element
}

/// Appends an element, and returns how many bytes of a listpack it would take.
#[inline]
fn push_element(element: Element<'_>, out: &mut Vec<u8>) -> u64 {
    let encoded = Encoded::new(element);
    encoded.append(out);
    listpack_size(encoded.len())
}

fn listpack_integer(value: i64) -> u64 {
    listpack_size(Encoded::new(Element::Integer(value)).len())
}

fn listpack_size(encoded: usize) -> u64 {
    (encoded + trailer_len(encoded)) as u64
}

/// How many elements of a listpack an entry takes, the number that says so left out.
pub(crate) const fn listpack_elements(pairs: usize, same_fields: bool) -> usize {
    if same_fields { 3 + pairs } else { 4 + 2 * pairs }
}
