//! How far a group has read: the logical counter of its last id, and its lag.
//!
//! Counting is exact only while no entry between the group's position and the end was deleted: then
//! every further entry is one more. Otherwise the counter is known for a few ids only, and else
//! unknown until the group reaches one of them.

use super::{Group, Stream, StreamId};

impl Stream {
    /// Whether an entry was deleted, not trimmed, whose id may be `from` or greater.
    fn has_gaps_from(&self, from: StreamId) -> bool {
        !self.is_empty() && self.max_deleted_id != StreamId::MIN && from <= self.max_deleted_id
    }

    /// How many entries were ever added up to and including this id, where that can be told.
    pub fn entries_up_to(&self, id: StreamId) -> Option<i64> {
        let added = self.entries_added as i64;
        if added == 0 {
            return Some(0);
        }
        if self.is_empty() && id <= self.last_id {
            return Some(added);
        }
        if id != StreamId::MIN && id < self.max_deleted_id {
            return None;
        }
        if id >= self.last_id {
            return (id == self.last_id).then_some(added);
        }
        let whole = self.max_deleted_id == StreamId::MIN || self.max_deleted_id < self.first_id;
        let before = added.wrapping_sub(self.len as i64);
        match id.cmp(&self.first_id) {
            core::cmp::Ordering::Less if whole => Some(before),
            core::cmp::Ordering::Equal if whole => Some(before.wrapping_add(1)),
            _ => None,
        }
    }

    /// How many entries a group has yet to read, where that can be told.
    pub fn lag_of(&self, group: &Group) -> Option<i64> {
        if self.entries_added == 0 || self.is_empty() {
            return Some(0);
        }
        if group.last_id < self.first_id && self.max_deleted_id < self.first_id {
            // Whatever was removed lies before all that is there.
            return Some(self.len as i64);
        }
        let counted = group.entries_read.filter(|_| !self.has_gaps_from(group.last_id));
        let read = counted.or_else(|| self.entries_up_to(group.last_id))?;
        Some((self.entries_added as i64).wrapping_sub(read))
    }

    /// Moves a group on to an entry that it reads next.
    pub fn advance(&mut self, name: &[u8], id: StreamId) {
        let Some(group) = self.group(name) else { return };
        if id <= group.last_id {
            return;
        }
        let counts = group.last_id >= self.first_id && !self.has_gaps_from(group.last_id);
        let read = match group.entries_read {
            Some(read) if counts => Some(read.wrapping_add(1)),
            _ if self.entries_added > 0 => self.entries_up_to(id),
            unchanged => unchanged,
        };
        if let Some(group) = self.group_mut(name) {
            group.entries_read = read;
            group.last_id = id;
        }
    }
}
