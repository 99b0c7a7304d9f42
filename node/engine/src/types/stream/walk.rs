//! Walking over the entries of a stream, from either end of a range.

use alloc::collections::btree_map::{BTreeMap, Range};

use super::StreamId;
use super::node::{Entry, Node};

/// The entries of a range that were not deleted, in ascending order of their ids.
#[derive(Clone, Debug)]
pub struct Forwards<'a> {
    nodes: Range<'a, StreamId, Node>,
    /// The node that is being walked, and where its next entry begins.
    open: Option<(StreamId, &'a Node, usize)>,
    start: StreamId,
    end: StreamId,
}

/// The entries of a range that were not deleted, in descending order of their ids.
#[derive(Clone, Debug)]
pub struct Backwards<'a> {
    nodes: Range<'a, StreamId, Node>,
    /// The node that is being walked, and where its next entry ends.
    open: Option<(StreamId, &'a Node, usize)>,
    start: StreamId,
    end: StreamId,
}

/// The nodes that can hold entries of a range, both ends included.
fn nodes_of(
    nodes: &BTreeMap<StreamId, Node>,
    start: StreamId,
    end: StreamId,
) -> Range<'_, StreamId, Node> {
    let from = nodes.range(..=start).next_back().map_or(start, |(&master, _)| master);
    // An empty range may not end before it begins.
    nodes.range(from..=end.max(from))
}

impl<'a> Forwards<'a> {
    pub(super) fn new(nodes: &'a BTreeMap<StreamId, Node>, start: StreamId, end: StreamId) -> Self {
        Forwards { nodes: nodes_of(nodes, start, end), open: None, start, end }
    }
}

impl<'a> Backwards<'a> {
    pub(super) fn new(nodes: &'a BTreeMap<StreamId, Node>, start: StreamId, end: StreamId) -> Self {
        Backwards { nodes: nodes_of(nodes, start, end), open: None, start, end }
    }
}

impl<'a> Iterator for Forwards<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let Some((master, node, at)) = self.open.filter(|(_, node, at)| *at < node.back())
            else {
                let (&master, node) = self.nodes.next()?;
                self.open = Some((master, node, node.front()));
                continue;
            };
            let (entry, next) = node.read(master, at);
            if entry.id > self.end {
                return None;
            }
            self.open = Some((master, node, next));
            if entry.id >= self.start && !entry.is_deleted() {
                return Some(entry);
            }
        }
    }
}

impl<'a> Iterator for Backwards<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let Some((master, node, at)) = self.open.filter(|(_, node, at)| *at > node.front())
            else {
                let (&master, node) = self.nodes.next_back()?;
                self.open = Some((master, node, node.back()));
                continue;
            };
            let at = node.previous(at);
            let (entry, _) = node.read(master, at);
            if entry.id < self.start {
                return None;
            }
            self.open = Some((master, node, at));
            if entry.id <= self.end && !entry.is_deleted() {
                return Some(entry);
            }
        }
    }
}
