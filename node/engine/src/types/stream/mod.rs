//! The stream: entries in the order of their ids, and consumer groups that read them.
//!
//! ```text
//! Stream ── sorted map of nodes ── node: about a hundred entries, packed
//!        └─ groups by name ── group ── pending entries by id
//!                                   └─ consumers by name, each with its pending ids
//! ```
//!
//! Entries are packed into [`Node`]s, which are kept by the id of their first entry: appending looks
//! at the last node only, and anything else finds its node in logarithmic time and walks inside. A
//! node is full when its listpack in Redis would be (`stream-node-max-bytes`,
//! `stream-node-max-entries`), because approximate trimming removes whole nodes. Where nodes begin
//! is hence part of the state, and a snapshot keeps it.
//!
//! A stream stays when it is empty: its last id and its groups live on.

mod group;
mod groups;
mod id;
mod node;
mod progress;
mod trim;
mod varint;
mod walk;

#[cfg(test)]
mod tests;

pub use group::{Consumer, Group, Pending};
pub use groups::References;
pub use id::StreamId;
pub use node::{Entry, Pairs};
pub(crate) use node::{Node, listpack_elements};
pub use trim::{RemovedEntries, Threshold, Trim};
pub use walk::{Backwards, Forwards};

use alloc::collections::BTreeMap;

use self::groups::Groups;
use super::packed::Element;
use crate::settings::Settings;

/// The most bytes that the fields and values of one entry can have, and that a node can take.
pub const ENTRY_BYTES_MAX: u64 = 1 << 30;

/// When a node is full.
#[derive(Clone, Copy, Debug)]
pub struct StreamLimits {
    bytes: u64,
    entries: u64,
}

impl StreamLimits {
    /// The limits that the shard's settings give; 0 is none.
    pub fn new(settings: &Settings) -> Self {
        let bytes = match settings.stream_node_bytes {
            0 => ENTRY_BYTES_MAX,
            bytes => bytes.min(ENTRY_BYTES_MAX),
        };
        let entries = match settings.stream_node_entries {
            0 => u64::MAX,
            entries => entries,
        };
        StreamLimits { bytes, entries }
    }

    fn are_reached_by(self, node: &Node, more_bytes: u64) -> bool {
        node.listpack_bytes() + more_bytes >= self.bytes
            || node.live() + node.deleted() >= self.entries
    }
}

/// A stream value.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    nodes: BTreeMap<StreamId, Node>,
    len: u64,
    last_id: StreamId,
    first_id: StreamId,
    max_deleted_id: StreamId,
    entries_added: u64,
    /// Bytes of memory of all nodes' buffers.
    node_bytes: usize,
    groups: Groups,
}

impl Stream {
    /// How many entries there are.
    #[inline]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are no entries. The stream is there all the same.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The greatest id that was ever given out, or what `XSETID` made of it.
    #[inline]
    pub fn last_id(&self) -> StreamId {
        self.last_id
    }

    /// The id of the first entry, `0-0` if there is none.
    pub fn first_id(&self) -> StreamId {
        self.first_id
    }

    /// The greatest id of an entry that was deleted, not trimmed; `0-0` if none was.
    pub fn max_deleted_id(&self) -> StreamId {
        self.max_deleted_id
    }

    /// How many entries were ever added.
    pub fn entries_added(&self) -> u64 {
        self.entries_added
    }

    /// How many nodes the entries are packed into.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Bytes of memory inside the stream, estimated for what maps take beside their contents.
    pub fn memory_bytes(&self) -> usize {
        // The nodes of a B-tree are two thirds full as a rule.
        let map = self.nodes.len() * size_of::<(StreamId, Node)>() * 3 / 2;
        self.node_bytes + map + self.groups.memory_bytes()
    }

    /// How many allocations it consists of, about.
    pub fn pieces(&self) -> usize {
        self.nodes.len() + self.groups().map(|(_, group)| group.pieces()).sum::<usize>()
    }

    /// Sets the id from which new ones go on; not smaller than that of the last entry.
    pub fn set_last_id(&mut self, id: StreamId) {
        assert!(self.last_entry_id().is_none_or(|last| last <= id), "ids only grow");
        self.last_id = id;
    }

    /// Sets how many entries were ever added.
    pub fn set_entries_added(&mut self, count: u64) {
        self.entries_added = count;
    }

    /// Sets the greatest id of an entry that was deleted.
    pub fn set_max_deleted_id(&mut self, id: StreamId) {
        self.max_deleted_id = id;
    }

    /// Appends an entry. Its id is greater than the last one, and its fields and values have
    /// `bytes` bytes, not more than [`ENTRY_BYTES_MAX`].
    pub fn push<'a>(
        &mut self,
        id: StreamId,
        pairs: impl ExactSizeIterator<Item = (Element<'a>, Element<'a>)> + Clone,
        bytes: u64,
        limits: StreamLimits,
    ) {
        assert!(id > self.last_id, "ids only grow");
        self.append(id, pairs, bytes, limits);
        self.len += 1;
        if self.len == 1 {
            self.first_id = id;
        }
        self.last_id = id;
        self.entries_added = self.entries_added.wrapping_add(1);
    }

    /// Puts an entry into the last node, or into a new one behind it.
    fn append<'a>(
        &mut self,
        id: StreamId,
        pairs: impl ExactSizeIterator<Item = (Element<'a>, Element<'a>)> + Clone,
        bytes: u64,
        limits: StreamLimits,
    ) {
        if let Some(mut last) = self.nodes.last_entry() {
            let master = *last.key();
            let node = last.get_mut();
            let before = node.heap_bytes();
            let full = limits.are_reached_by(node, bytes);
            if full {
                node.seal();
            } else {
                node.push(master, id, pairs.clone());
            }
            self.node_bytes = self.node_bytes - before + node.heap_bytes();
            if !full {
                return;
            }
        }
        let mut node = Node::new(pairs.clone().map(|(field, _)| field));
        node.push(id, id, pairs);
        self.node_bytes += node.heap_bytes();
        self.nodes.insert(id, node);
    }

    /// The nodes, with the ids of their masters.
    pub(crate) fn nodes(&self) -> impl ExactSizeIterator<Item = (StreamId, &Node)> {
        self.nodes.iter().map(|(&master, node)| (master, node))
    }

    /// Appends a node that was read from elsewhere: all its ids are greater than those of the nodes
    /// before, its first one is `master`, and at least one entry is not deleted.
    pub(crate) fn push_node(&mut self, master: StreamId, mut node: Node) {
        assert!(node.live() > 0, "a node without entries goes away");
        assert!(self.nodes.last_key_value().is_none_or(|(&last, _)| last < master), "nodes ascend");
        node.seal();
        let is_first = self.len == 0;
        self.len += node.live();
        self.node_bytes += node.heap_bytes();
        self.nodes.insert(master, node);
        self.find_first_if(is_first);
    }

    /// The entries with ids between two, both included, in ascending order.
    #[inline]
    pub fn range(&self, start: StreamId, end: StreamId) -> Forwards<'_> {
        Forwards::new(&self.nodes, start, end)
    }

    /// The same in descending order.
    #[inline]
    pub fn range_backwards(&self, start: StreamId, end: StreamId) -> Backwards<'_> {
        Backwards::new(&self.nodes, start, end)
    }

    /// The entry with this id.
    pub fn get(&self, id: StreamId) -> Option<Entry<'_>> {
        self.range(id, id).next()
    }

    /// Whether there is an entry with this id.
    pub fn contains(&self, id: StreamId) -> bool {
        self.get(id).is_some()
    }

    /// The id of the last entry.
    pub fn last_entry_id(&self) -> Option<StreamId> {
        self.range_backwards(StreamId::MIN, StreamId::MAX).next().map(|entry| entry.id)
    }

    /// Deletes the entry with this id; false if there is none.
    pub fn remove(&mut self, id: StreamId) -> bool {
        if !self.erase(id) {
            return false;
        }
        self.max_deleted_id = self.max_deleted_id.max(id);
        self.find_first_if(id == self.first_id);
        true
    }

    /// Deletes an entry without keeping account of it.
    fn erase(&mut self, id: StreamId) -> bool {
        let Some((&master, node)) = self.nodes.range_mut(..=id).next_back() else { return false };
        let Some(at) = node.find(master, id) else { return false };
        node.delete(at);
        if node.live() == 0 {
            self.node_bytes -= node.heap_bytes();
            self.nodes.remove(&master);
        }
        self.len -= 1;
        true
    }

    /// Looks again which entry is the first, if it may have gone.
    fn find_first_if(&mut self, gone: bool) {
        if gone || self.len == 0 {
            let first = self.range(StreamId::MIN, StreamId::MAX).next();
            self.first_id = first.map_or(StreamId::MIN, |entry| entry.id);
        }
    }
}
