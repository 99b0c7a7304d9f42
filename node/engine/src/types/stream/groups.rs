//! The consumer groups of a stream, and their references to its entries.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use super::{Group, Stream, StreamId};

/// What becomes of a group's pending entries when the entries of the stream go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum References {
    /// They stay: `KEEPREF`.
    #[default]
    Keep,
    /// They go too: `DELREF`.
    Delete,
    /// Entries go only if no group needs them any more: `ACKED`.
    Acknowledged,
}

/// Groups by name. Most streams have none, and pay a word for it.
#[derive(Clone, Debug, Default)]
#[allow(clippy::box_collection, reason = "an absent map takes one word instead of three")]
pub(super) struct Groups(Option<Box<BTreeMap<Box<[u8]>, Group>>>);

impl Groups {
    pub fn memory_bytes(&self) -> usize {
        let Some(groups) = &self.0 else { return 0 };
        let names: usize = groups.keys().map(|name| name.len()).sum();
        let inside: usize = groups.values().map(Group::memory_bytes).sum();
        names + inside + 2 * groups.len() * size_of::<(Box<[u8]>, Group)>()
    }
}

impl Stream {
    /// Whether there is any group.
    pub fn has_groups(&self) -> bool {
        self.groups.0.is_some()
    }

    /// How many groups there are.
    pub fn group_count(&self) -> usize {
        self.groups.0.as_ref().map_or(0, |groups| groups.len())
    }

    /// The groups, in the order of their names.
    pub fn groups(&self) -> impl Iterator<Item = (&[u8], &Group)> {
        let groups = self.groups.0.iter().flat_map(|groups| groups.iter());
        groups.map(|(name, group)| (&**name, group))
    }

    /// The group with this name.
    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.groups.0.as_ref()?.get(name)
    }

    /// The group with this name, to be changed.
    pub fn group_mut(&mut self, name: &[u8]) -> Option<&mut Group> {
        self.groups.0.as_mut()?.get_mut(name)
    }

    /// Adds a group; false, and nothing has changed, if there is one with this name.
    pub fn add_group(&mut self, name: &[u8], group: Group) -> bool {
        let groups = self.groups.0.get_or_insert_default();
        if groups.contains_key(name) {
            return false;
        }
        groups.insert(name.into(), group);
        true
    }

    /// Removes the group with this name, and returns it.
    pub fn remove_group(&mut self, name: &[u8]) -> Option<Group> {
        let groups = self.groups.0.as_mut()?;
        let found = groups.remove(name);
        if groups.is_empty() {
            self.groups.0 = None;
        }
        found
    }

    /// Whether a group still needs the entry with this id: it has not read it yet, or has not
    /// acknowledged it.
    pub fn is_referenced(&self, id: StreamId) -> bool {
        self.groups().any(|(_, group)| group.last_id < id || group.pending().contains_key(&id))
    }

    /// Ends the pending of an entry in all groups; true if it was pending anywhere.
    pub fn release(&mut self, id: StreamId) -> bool {
        let groups = self.groups.0.iter_mut().flat_map(|groups| groups.values_mut());
        groups.map(|group| group.acknowledge(id)).filter(|&ended| ended).count() > 0
    }
}
