//! Removing the oldest entries.

use alloc::vec::Vec;

use super::{Node, References, Stream, StreamId};
use crate::types::Removed;

/// What may stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// So many entries.
    Length(u64),
    /// Entries whose ids are not smaller.
    Id(StreamId),
}

/// How to trim a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trim {
    /// What may stay.
    pub threshold: Threshold,
    /// Whether only whole nodes go.
    pub approximate: bool,
    /// The most entries to remove; 0 for any number.
    pub limit: u64,
    /// What becomes of references by consumer groups.
    pub references: References,
}

/// Entries that were removed together.
#[derive(Debug, Default)]
#[must_use = "dropping them may take long"]
pub struct RemovedEntries {
    len: u64,
    /// The nodes that held no others.
    nodes: Vec<Node>,
}

impl RemovedEntries {
    /// How many they are.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Removed for RemovedEntries {
    fn pieces(&self) -> usize {
        self.nodes.len()
    }
}

impl Stream {
    /// Removes the oldest entries.
    pub fn trim(&mut self, trim: Trim) -> RemovedEntries {
        let mut removed = RemovedEntries::default();
        removed.len = match trim.references {
            References::Acknowledged if self.has_groups() => self.trim_acknowledged(trim),
            _ => self.trim_oldest(trim, &mut removed.nodes),
        };
        self.find_first_if(removed.len > 0);
        removed
    }

    fn trim_oldest(&mut self, trim: Trim, nodes: &mut Vec<Node>) -> u64 {
        let mut gone = 0;
        while let Some((&master, node)) = self.nodes.first_key_value() {
            let entries = node.live();
            let enough = matches!(trim.threshold, Threshold::Length(most) if self.len <= most);
            if enough || trim.limit > 0 && gone + entries > trim.limit {
                break;
            }
            let whole = match trim.threshold {
                Threshold::Length(most) => self.len - entries >= most,
                Threshold::Id(id) => node.last_id(master) < id,
            };
            if !whole {
                if !trim.approximate {
                    gone += self.trim_within(master, trim);
                }
                break;
            }
            self.release_node(master, trim.references);
            nodes.push(self.take_node(master));
            self.len -= entries;
            gone += entries;
        }
        gone
    }

    fn take_node(&mut self, master: StreamId) -> Node {
        let node = self.nodes.remove(&master).expect("the caller has seen it");
        self.node_bytes -= node.heap_bytes();
        node
    }

    /// Drops the references to all entries of a node, if that is wanted.
    fn release_node(&mut self, master: StreamId, references: References) {
        if references == References::Keep || !self.has_groups() {
            return;
        }
        let last = self.nodes[&master].last_id(master);
        let ids: Vec<_> = self.range(master, last).map(|entry| entry.id).collect();
        ids.into_iter().for_each(|id| {
            self.release(id);
        });
    }

    /// Removes entries one by one from a node that keeps some.
    fn trim_within(&mut self, master: StreamId, trim: Trim) -> u64 {
        let mut gone = 0;
        let node = self.nodes.get_mut(&master).expect("the caller has seen it");
        let mut at = node.front();
        let mut released = Vec::new();
        while at < node.back() {
            let (entry, next) = node.read(master, at);
            let (id, deleted) = (entry.id, entry.is_deleted());
            let stays = match trim.threshold {
                Threshold::Length(most) => self.len <= most,
                Threshold::Id(bound) => id >= bound,
            };
            if stays {
                break;
            }
            if !deleted {
                node.delete(at);
                self.len -= 1;
                gone += 1;
                released.push(id);
            }
            at = next;
        }
        if trim.references == References::Delete {
            released.into_iter().for_each(|id| {
                self.release(id);
            });
        }
        gone
    }

    /// Removes only what all groups are done with, and passes over the rest.
    fn trim_acknowledged(&mut self, trim: Trim) -> u64 {
        let mut gone = 0;
        let mut from = Some(StreamId::MIN);
        while let Some(start) = from
            && let Some((&master, node)) = self.nodes.range(start..).next()
        {
            let last = node.last_id(master);
            let within = self.surplus_of(master, last, trim);
            let free = |id: &StreamId| !self.is_referenced(*id);
            let whole = within.len() as u64 == node.live() && within.iter().all(free);
            let ids: Vec<_> = within.into_iter().filter(free).collect();
            let too_many = trim.limit > 0 && gone + ids.len() as u64 > trim.limit;
            if too_many || trim.approximate && !whole {
                break;
            }
            let mut reached = false;
            for id in ids {
                reached = matches!(trim.threshold, Threshold::Length(most) if self.len <= most);
                if reached {
                    break;
                }
                self.erase(id);
                gone += 1;
            }
            let beyond = matches!(trim.threshold, Threshold::Id(bound) if last >= bound);
            let done = matches!(trim.threshold, Threshold::Length(most) if self.len <= most);
            if reached || beyond || done {
                break;
            }
            from = last.next();
        }
        gone
    }

    /// The ids of a node's entries that the threshold alone would let go.
    fn surplus_of(&self, master: StreamId, last: StreamId, trim: Trim) -> Vec<StreamId> {
        let most = match trim.threshold {
            // Only whole nodes go, so a node that reaches over the threshold stays.
            Threshold::Length(most) if trim.approximate => self.len.saturating_sub(most),
            _ => u64::MAX,
        };
        let ids = self.range(master, last).map(|entry| entry.id);
        let below = ids.take_while(|id| match trim.threshold {
            Threshold::Length(_) => true,
            Threshold::Id(bound) => *id < bound,
        });
        below.take(usize::try_from(most).unwrap_or(usize::MAX)).collect()
    }
}
