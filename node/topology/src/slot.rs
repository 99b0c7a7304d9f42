//! Slots: which one a key falls into, and which shard owns each.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use crc16::{State, XMODEM};
use serde::{Deserialize, Serialize};

/// How many slots there are; every Redis Cluster client has this built in.
pub const SLOT_COUNT: u16 = 16384;

/// One of the [`SLOT_COUNT`] parts of the key space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Slot(u16);

/// A number that is no slot, or a range that ends before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadSlot;

impl fmt::Display for BadSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("slots are 0 to 16383, and a range starts before it ends")
    }
}

impl core::error::Error for BadSlot {}

impl Slot {
    /// The slot of this number, if it is below [`SLOT_COUNT`].
    pub const fn new(number: u16) -> Option<Self> {
        if number < SLOT_COUNT { Some(Self(number)) } else { None }
    }

    /// Its number, 0 to 16383.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for Slot {
    type Error = BadSlot;

    fn try_from(number: u16) -> Result<Self, BadSlot> {
        Self::new(number).ok_or(BadSlot)
    }
}

impl From<Slot> for u16 {
    fn from(slot: Slot) -> Self {
        slot.0
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The slot of a key: CRC16 of the key or, if it has a non-empty part between
/// the first `{` and the first `}` after it, of that part, modulo 16384.
pub fn key_slot(key: &[u8]) -> Slot {
    Slot(State::<XMODEM>::calculate(hashed_part(key)) % SLOT_COUNT)
}

fn hashed_part(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|byte| *byte == b'{') else { return key };
    let after = &key[open + 1..];
    match after.iter().position(|byte| *byte == b'}') {
        Some(length) if length > 0 => &after[..length],
        _ => key,
    }
}

/// Slots from `start` to `end`, both included. `[0,5460]` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "(Slot, Slot)", into = "(Slot, Slot)")]
pub struct SlotRange {
    start: Slot,
    end: Slot,
}

impl SlotRange {
    /// All slots there are.
    pub const ALL: Self = Self { start: Slot(0), end: Slot(SLOT_COUNT - 1) };

    /// The range of these two numbers.
    ///
    /// # Errors
    /// If one is no slot or `end` lies before `start`.
    pub fn new(start: u16, end: u16) -> Result<Self, BadSlot> {
        (Slot::try_from(start)?, Slot::try_from(end)?).try_into()
    }

    /// The first slot.
    pub const fn start(self) -> Slot {
        self.start
    }

    /// The last slot.
    pub const fn end(self) -> Slot {
        self.end
    }

    /// How many slots it has, at least 1.
    pub const fn slot_count(self) -> u16 {
        self.end.0 - self.start.0 + 1
    }

    /// Whether `slot` is one of them.
    pub const fn contains(self, slot: Slot) -> bool {
        self.start.0 <= slot.0 && slot.0 <= self.end.0
    }

    /// Every slot of the range in order.
    pub fn slots(self) -> impl Iterator<Item = Slot> {
        (self.start.0..=self.end.0).map(Slot)
    }
}

impl TryFrom<(Slot, Slot)> for SlotRange {
    type Error = BadSlot;

    fn try_from((start, end): (Slot, Slot)) -> Result<Self, BadSlot> {
        if start <= end { Ok(Self { start, end }) } else { Err(BadSlot) }
    }
}

impl From<SlotRange> for (Slot, Slot) {
    fn from(range: SlotRange) -> Self {
        (range.start, range.end)
    }
}

/// As in `CLUSTER NODES`: `0-5460`, or `7` for a single slot.
impl fmt::Display for SlotRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start == self.end {
            self.start.fmt(f)
        } else {
            write!(f, "{}-{}", self.start, self.end)
        }
    }
}

/// The owner of every slot, two bytes each: the place of the shard in the
/// topology's list, so that a lookup costs one load.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SlotMap(Box<[u16]>);

const UNOWNED: u16 = u16::MAX;

impl SlotMap {
    /// The map in which nobody owns anything.
    pub(crate) fn empty() -> Self {
        Self(vec![UNOWNED; usize::from(SLOT_COUNT)].into_boxed_slice())
    }

    /// The place of the owner in the list of shards.
    pub(crate) fn owner(&self, slot: Slot) -> Option<usize> {
        let place = self.0[usize::from(slot.0)];
        (place != UNOWNED).then_some(usize::from(place))
    }

    /// Gives a slot to the shard at `place`, or to nobody.
    pub(crate) fn set(&mut self, slot: Slot, place: Option<usize>) {
        let place = place.map_or(UNOWNED, |place| {
            u16::try_from(place).expect("there are fewer shards than slots")
        });
        self.0[usize::from(slot.0)] = place;
    }

    /// Moves every owner behind `removed` one place down, after the shard
    /// there, which owns nothing, has left the list.
    pub(crate) fn close_gap(&mut self, removed: usize) {
        for place in &mut self.0 {
            assert!(usize::from(*place) != removed, "a shard that owns slots was removed");
            if *place != UNOWNED && usize::from(*place) > removed {
                *place -= 1;
            }
        }
    }

    /// Neighbouring slots of one owner as ranges, in order of slots; unowned
    /// slots are left out.
    pub(crate) fn ranges(&self) -> Vec<(SlotRange, usize)> {
        let mut ranges: Vec<(SlotRange, usize)> = Vec::new();
        for slot in SlotRange::ALL.slots() {
            let Some(owner) = self.owner(slot) else { continue };
            match ranges.last_mut() {
                Some((range, last)) if *last == owner && range.end.0 + 1 == slot.0 => {
                    range.end = slot;
                }
                _ => ranges.push((SlotRange { start: slot, end: slot }, owner)),
            }
        }
        ranges
    }

    /// How many slots have an owner.
    pub(crate) fn assigned_count(&self) -> u16 {
        self.0.iter().filter(|place| **place != UNOWNED).count() as u16
    }
}

/// Even without sixteen thousand lines a failed assertion should be readable.
impl fmt::Debug for SlotMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges = self.ranges();
        f.debug_map().entries(ranges.iter().map(|(range, place)| (range, place))).finish()
    }
}

/// The ranges that cover exactly `slots`, which must ascend.
pub(crate) fn to_ranges(slots: impl IntoIterator<Item = Slot>) -> Vec<SlotRange> {
    let mut map = SlotMap::empty();
    slots.into_iter().for_each(|slot| map.set(slot, Some(0)));
    map.ranges().into_iter().map(|(range, _)| range).collect()
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    /// What `CLUSTER KEYSLOT` of Redis 7.0.15 answers.
    #[test]
    fn keys_fall_into_the_slots_that_redis_gives_them() {
        let table: [(&str, u16); 13] = [
            ("foo", 12182),
            ("bar", 5061),
            ("", 0),
            ("123456789", 12739),
            ("{user1000}.following", 3443),
            ("{user1000}.followers", 3443),
            ("foo{}{bar}", 8363),
            ("foo{{bar}}zap", 4015),
            ("foo{bar}{zap}", 5061),
            ("{}", 15257),
            ("a{", 14311),
            ("{a}", 15495),
            ("}{a}b", 15495),
        ];
        for (key, slot) in table {
            assert_eq!(key_slot(key.as_bytes()).get(), slot, "{key}");
        }
    }

    #[test]
    fn a_range_is_made_of_slots_in_order() {
        assert_eq!(SlotRange::new(0, 16383), Ok(SlotRange::ALL));
        assert_eq!(SlotRange::new(0, 16384), Err(BadSlot));
        assert_eq!(SlotRange::new(2, 1), Err(BadSlot));
        assert_eq!(SlotRange::new(7, 7).expect("in order").to_string(), "7");
        assert_eq!(SlotRange::new(7, 8).expect("in order").to_string(), "7-8");
        assert_eq!(SlotRange::ALL.slot_count(), SLOT_COUNT);
    }

    #[test]
    fn the_map_reports_gaps_and_neighbours() {
        let mut map = SlotMap::empty();
        assert!(map.ranges().is_empty());
        for (number, place) in [(0, 1), (1, 1), (2, 0), (4, 0), (16383, 2)] {
            map.set(Slot(number), Some(place));
        }
        let shown = alloc::format!("{map:?}");
        assert!(shown.contains("SlotRange"), "{shown}");
        let range = |start, end| SlotRange::new(start, end).expect("in order");
        assert_eq!(
            map.ranges(),
            [(range(0, 1), 1), (range(2, 2), 0), (range(4, 4), 0), (range(16383, 16383), 2)]
        );
        assert_eq!(map.assigned_count(), 5);
        map.set(Slot(16383), None);
        map.set(Slot(4), Some(2));
        map.set(Slot(0), None);
        map.set(Slot(1), None);
        map.close_gap(1);
        assert_eq!(map.ranges(), [(range(2, 2), 0), (range(4, 4), 1)]);
    }
}
