//! Reading streams.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::rdb::input::Input;
use crate::rdb::{RdbError, kind, listpack};
use crate::types::Element;
use crate::types::stream::{Group, Node, Stream, StreamId, listpack_elements};

const BAD_NODE: RdbError = RdbError::Corrupt("node of a stream");
const BAD_GROUP: RdbError = RdbError::Corrupt("consumer group");

/// Reads a stream of one of the three versions.
pub(in crate::rdb) fn load(version: u8, input: &mut Input<'_>) -> Result<Stream, RdbError> {
    let mut stream = Stream::default();
    let mut last = None;
    for _ in 0..input.count()? {
        let master = (*input.string()?).try_into().map_err(|_| BAD_NODE)?;
        let master = StreamId::from_bytes(master);
        if last.is_some_and(|last| last >= master) {
            return Err(BAD_NODE);
        }
        let packed = input.string()?;
        let node = load_node(master, &listpack::elements(&packed)?)?;
        last = Some(node.last_id(master));
        stream.push_node(master, node);
    }
    let len = input.length()?;
    let last_id = load_id(input)?;
    if len != stream.len() || last.is_some_and(|last| last > last_id) {
        return Err(RdbError::Corrupt("stream"));
    }
    stream.set_last_id(last_id);
    stream.set_entries_added(len);
    if version != kind::STREAM_OF_5 {
        load_id(input)?;
        stream.set_max_deleted_id(load_id(input)?);
        stream.set_entries_added(input.length()?);
    }
    for _ in 0..input.count()? {
        let name = input.string()?;
        let group = load_group(version, input, &stream)?;
        if !stream.add_group(&name, group) {
            return Err(BAD_GROUP);
        }
    }
    Ok(stream)
}

fn load_id(input: &mut Input<'_>) -> Result<StreamId, RdbError> {
    Ok(StreamId { ms: input.length()?, seq: input.length()? })
}

/// The elements of a listpack that are still to be read.
struct Words<'a, 'e> {
    rest: &'e [Element<'a>],
}

impl<'a, 'e> Words<'a, 'e> {
    fn integer(&mut self) -> Result<i64, RdbError> {
        match self.take(1)? {
            [Element::Integer(value)] => Ok(*value),
            _ => Err(BAD_NODE),
        }
    }

    /// A number of elements, of which there are not more than are left.
    fn count(&mut self) -> Result<usize, RdbError> {
        let count = usize::try_from(self.integer()?).map_err(|_| BAD_NODE)?;
        if count <= self.rest.len() { Ok(count) } else { Err(BAD_NODE) }
    }

    fn take(&mut self, count: usize) -> Result<&'e [Element<'a>], RdbError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(BAD_NODE)?;
        self.rest = rest;
        Ok(taken)
    }
}

fn load_node(master: StreamId, elements: &[Element<'_>]) -> Result<Node, RdbError> {
    let mut words = Words { rest: elements };
    let (live, deleted) = (words.count()?, words.count()?);
    let count = words.count()?;
    let fields = words.take(count)?;
    if words.integer()? != 0 || live == 0 {
        return Err(BAD_NODE);
    }
    let mut node = Node::new(fields.iter().copied());
    let mut last = None;
    for _ in 0..live + deleted {
        let id = load_entry(master, &mut words, fields, &mut node)?;
        if id < master || last.is_some_and(|last| id <= last) {
            return Err(BAD_NODE);
        }
        last = Some(id);
    }
    if words.rest.is_empty() && node.live() == live as u64 { Ok(node) } else { Err(BAD_NODE) }
}

/// Reads an entry into its node, and returns its id.
fn load_entry(
    master: StreamId,
    words: &mut Words<'_, '_>,
    master_fields: &[Element<'_>],
    node: &mut Node,
) -> Result<StreamId, RdbError> {
    let flags = words.integer()?;
    let (deleted, same) = match flags {
        0..=3 => (flags & 1 != 0, flags & 2 != 0),
        _ => return Err(BAD_NODE),
    };
    let (ms, seq) = (words.integer()? as u64, words.integer()? as u64);
    let id = StreamId { ms: master.ms.wrapping_add(ms), seq: master.seq.wrapping_add(seq) };
    let at = node.back();
    let count = if same { master_fields.len() } else { words.count()? };
    if same {
        let values = words.take(count)?;
        let pairs = master_fields.iter().copied().zip(values.iter().copied());
        node.push(master, id, pairs);
    } else {
        let pairs = words.take(count.checked_mul(2).ok_or(BAD_NODE)?)?;
        node.push(master, id, pairs.as_chunks::<2>().0.iter().map(|pair| (pair[0], pair[1])));
    }
    if deleted {
        node.delete(at);
    }
    let elements = listpack_elements(count, same);
    if words.integer()? == elements as i64 { Ok(id) } else { Err(BAD_NODE) }
}

fn load_group(version: u8, input: &mut Input<'_>, stream: &Stream) -> Result<Group, RdbError> {
    let last_id = load_id(input)?;
    let entries_read = if version == kind::STREAM_OF_5 {
        stream.entries_up_to(last_id)
    } else {
        match input.length()? as i64 {
            -1 => None,
            read @ 0.. => Some(read),
            _ => return Err(BAD_GROUP),
        }
    };
    let mut group = Group::new(last_id, entries_read);
    let mut pending = BTreeMap::new();
    for _ in 0..input.count()? {
        let id = StreamId::from_bytes(input.array()?);
        let delivered = (i64::from_le_bytes(input.array()?), input.length()?);
        if pending.insert(id, delivered).is_some() {
            return Err(BAD_GROUP);
        }
    }
    for _ in 0..input.count()? {
        load_consumer(version, input, &mut group, &mut pending)?;
    }
    if pending.is_empty() { Ok(group) } else { Err(BAD_GROUP) }
}

/// Reads a consumer, and gives it the pending entries that it owns.
fn load_consumer(
    version: u8,
    input: &mut Input<'_>,
    group: &mut Group,
    pending: &mut BTreeMap<StreamId, (i64, u64)>,
) -> Result<(), RdbError> {
    let name: Vec<u8> = input.string()?.into_owned();
    let seen_at_ms = i64::from_le_bytes(input.array()?);
    // What has no time of its own was active when it was seen.
    let active_at_ms = match version {
        kind::STREAM => i64::from_le_bytes(input.array()?),
        _ => seen_at_ms,
    };
    if !group.add_consumer(&name, seen_at_ms) {
        return Err(BAD_GROUP);
    }
    group.consumer_mut(&name).expect("it was just added").active_at_ms = active_at_ms;
    for _ in 0..input.count()? {
        let id = StreamId::from_bytes(input.array()?);
        let (at_ms, deliveries) = pending.remove(&id).ok_or(BAD_GROUP)?;
        group.deliver(id, &name, at_ms, deliveries);
    }
    Ok(())
}
