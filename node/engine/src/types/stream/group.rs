//! A consumer group: how far it has read, and which entries are delivered but not acknowledged.
//!
//! A pending entry is kept twice: by the group with its owner, and by its owner, so that either can
//! be walked in the order of ids. Owners are numbers of the group's slots for consumers; which
//! number a consumer has cannot be observed.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::ops::RangeBounds;

use super::StreamId;
use crate::types::Removed;

/// What a map or set takes for each of its elements beside the element, as a factor of its size.
const MAP_FACTOR: usize = 2;

/// A delivered entry that was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// When it was delivered last, in milliseconds since the Unix epoch.
    pub delivered_at_ms: i64,
    /// How often it was delivered.
    pub deliveries: u64,
    owner: u32,
}

/// A consumer of a group.
#[derive(Clone, Debug)]
pub struct Consumer {
    name: Box<[u8]>,
    /// When it last tried to read or claim, in milliseconds since the Unix epoch.
    pub seen_at_ms: i64,
    /// When it last got an entry; -1 if never.
    pub active_at_ms: i64,
    pending: BTreeSet<StreamId>,
}

impl Consumer {
    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The ids of its pending entries, in ascending order.
    pub fn pending(&self) -> &BTreeSet<StreamId> {
        &self.pending
    }
}

impl Removed for Consumer {
    fn pieces(&self) -> usize {
        1 + self.pending.len() / 8
    }
}

impl Removed for Group {
    fn pieces(&self) -> usize {
        Group::pieces(self)
    }
}

/// A consumer group.
#[derive(Clone, Debug)]
pub struct Group {
    /// The last id that was delivered.
    pub last_id: StreamId,
    /// How many entries the group has read since the first ever, if that is known.
    pub entries_read: Option<i64>,
    pending: BTreeMap<StreamId, Pending>,
    consumers: Vec<Option<Consumer>>,
    free: Vec<u32>,
    by_name: BTreeMap<Box<[u8]>, u32>,
}

impl Group {
    /// A group without consumers.
    pub fn new(last_id: StreamId, entries_read: Option<i64>) -> Self {
        Group {
            last_id,
            entries_read,
            pending: BTreeMap::new(),
            consumers: Vec::new(),
            free: Vec::new(),
            by_name: BTreeMap::new(),
        }
    }

    /// The pending entries, in ascending order of their ids.
    pub fn pending(&self) -> &BTreeMap<StreamId, Pending> {
        &self.pending
    }

    /// The consumers, in the order of their names.
    pub fn consumers(&self) -> impl ExactSizeIterator<Item = &Consumer> {
        self.by_name.values().map(|&slot| self.at(slot))
    }

    /// How many consumers there are.
    pub fn consumer_count(&self) -> usize {
        self.by_name.len()
    }

    /// The consumer with this name.
    pub fn consumer(&self, name: &[u8]) -> Option<&Consumer> {
        self.by_name.get(name).map(|&slot| self.at(slot))
    }

    /// The consumer with this name, to be changed.
    pub fn consumer_mut(&mut self, name: &[u8]) -> Option<&mut Consumer> {
        let slot = *self.by_name.get(name)?;
        self.consumers[slot as usize].as_mut()
    }

    /// The owner of a pending entry of this group.
    pub fn owner(&self, pending: &Pending) -> &Consumer {
        self.at(pending.owner)
    }

    fn at(&self, slot: u32) -> &Consumer {
        self.consumers[slot as usize].as_ref().expect("a slot in use has its consumer")
    }

    /// Makes a consumer that has not read anything; false if there is one with this name.
    pub fn add_consumer(&mut self, name: &[u8], now_ms: i64) -> bool {
        if self.by_name.contains_key(name) {
            return false;
        }
        let consumer = Consumer {
            name: name.into(),
            seen_at_ms: now_ms,
            active_at_ms: -1,
            pending: BTreeSet::new(),
        };
        let slot = self.free.pop().unwrap_or_else(|| {
            self.consumers.push(None);
            self.consumers.len() as u32 - 1
        });
        self.consumers[slot as usize] = Some(consumer);
        self.by_name.insert(name.into(), slot);
        true
    }

    /// Removes a consumer with its pending entries, and returns it.
    pub fn remove_consumer(&mut self, name: &[u8]) -> Option<Consumer> {
        let slot = self.by_name.remove(name)?;
        let consumer = self.consumers[slot as usize].take().expect("a named slot is in use");
        self.free.push(slot);
        for id in &consumer.pending {
            self.pending.remove(id);
        }
        Some(consumer)
    }

    /// How many allocations it consists of, about: what is pending stands in two trees, whose nodes
    /// hold eight elements on average.
    pub(super) fn pieces(&self) -> usize {
        1 + self.pending.len() / 4 + self.consumers.len()
    }

    /// Makes an entry pending for a consumer that exists, whoever owned it before.
    pub fn deliver(&mut self, id: StreamId, consumer: &[u8], at_ms: i64, deliveries: u64) {
        let owner = self.by_name[consumer];
        let pending = Pending { delivered_at_ms: at_ms, deliveries, owner };
        let before = self.pending.insert(id, pending);
        if let Some(before) = before.filter(|before| before.owner != owner) {
            self.owner_mut(before.owner).pending.remove(&id);
        }
        self.owner_mut(owner).pending.insert(id);
    }

    fn owner_mut(&mut self, slot: u32) -> &mut Consumer {
        self.consumers[slot as usize].as_mut().expect("a slot in use has its consumer")
    }

    /// Records another delivery of a pending entry to its owner.
    pub fn deliver_again(&mut self, id: StreamId, at_ms: i64) {
        if let Some(pending) = self.pending.get_mut(&id) {
            pending.delivered_at_ms = at_ms;
            pending.deliveries = pending.deliveries.wrapping_add(1);
        }
    }

    /// Ends the pending of an entry; false if it was not.
    pub fn acknowledge(&mut self, id: StreamId) -> bool {
        let Some(pending) = self.pending.remove(&id) else { return false };
        self.owner_mut(pending.owner).pending.remove(&id);
        true
    }

    /// The pending entries of a range, of all consumers or of one.
    pub fn pending_in<'a>(
        &'a self,
        range: impl RangeBounds<StreamId> + Clone + 'a,
        consumer: Option<&'a Consumer>,
    ) -> impl Iterator<Item = (StreamId, &'a Pending)> {
        let all = consumer.is_none();
        let of_group = self.pending.range(range.clone()).take_while(move |_| all);
        let of_consumer = consumer.into_iter().flat_map(move |c| c.pending.range(range.clone()));
        let of_consumer = of_consumer.map(|id| (*id, &self.pending[id]));
        of_group.map(|(id, pending)| (*id, pending)).chain(of_consumer)
    }

    /// Bytes of memory inside the group, estimated.
    pub(super) fn memory_bytes(&self) -> usize {
        let pending = size_of::<(StreamId, Pending)>() + size_of::<StreamId>();
        let names = self.consumers().map(|consumer| 2 * consumer.name.len()).sum::<usize>();
        let slots = self.consumers.capacity() * size_of::<Option<Consumer>>();
        let by_name = self.by_name.len() * size_of::<(Box<[u8]>, u32)>();
        MAP_FACTOR * (self.pending.len() * pending + by_name) + slots + names
    }
}
