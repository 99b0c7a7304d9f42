//! Makes collections in a given form and order, whatever the present limits are.
//!
//! A copy, and a value that comes back from a snapshot, must equal the original: elements in the
//! same order, and the same encoding even if the thresholds have changed since, or if the
//! collection had grown once and has shrunk again.

use alloc::boxed::Box;

use super::Expiry;
use super::key::KeyHasher;
use super::value::{StringRef, StringValue, Value, ValueRef};
use crate::settings::Settings;
use crate::types::{
    Element, Encoding, End, Hash, HashLimits, List, Set, SetLimits, SortedSet, SortedSetTuning,
};

/// Makes and fills collections.
#[derive(Debug)]
pub struct Rebuild {
    set_limits: SetLimits,
    hash_limits: HashLimits,
    compact: SortedSetTuning,
    big: SortedSetTuning,
}

impl Rebuild {
    /// Collections whose members are hashed by `hasher`.
    pub fn new(hasher: &KeyHasher) -> Self {
        let boundless = Settings {
            hash_compact_entries: u32::MAX,
            hash_compact_value: u32::MAX,
            set_intset_entries: u32::MAX,
            set_compact_entries: u32::MAX,
            set_compact_value: u32::MAX,
            sorted_set_compact_entries: u32::MAX,
            sorted_set_compact_value: u32::MAX,
            ..Settings::default()
        };
        let none = Settings { sorted_set_compact_entries: 0, ..Settings::default() };
        Rebuild {
            set_limits: SetLimits::new(&boundless, hasher),
            hash_limits: HashLimits::new(&boundless, hasher),
            compact: SortedSetTuning::new(&boundless, hasher),
            big: SortedSetTuning::new(&none, hasher),
        }
    }

    /// An empty list.
    pub fn list(&self, encoding: Encoding) -> List {
        let mut list = List::default();
        if encoding == Encoding::Quicklist {
            list.make_chain();
        }
        list
    }

    /// Appends to a list.
    pub fn push(&self, list: &mut List, text: &[u8]) {
        list.push(End::Back, text);
    }

    /// An empty set.
    pub fn set(&self, encoding: Encoding) -> Set {
        let mut set = Set::default();
        set.take_form(encoding, &self.set_limits);
        set
    }

    /// Adds a member to a set; false if it is there already.
    pub fn add(&self, set: &mut Set, member: Element<'_>) -> bool {
        set.insert(member, &self.set_limits)
    }

    /// An empty hash.
    pub fn hash(&self, encoding: Encoding) -> Hash {
        let mut hash = Hash::default();
        match encoding {
            Encoding::Hashtable => hash.make_table(&self.hash_limits),
            Encoding::TimedListpack => hash.make_timed(),
            _ => {}
        }
        hash
    }

    /// Adds a field to a hash, and when it expires; false if it is there already.
    pub fn set_field(
        &self,
        hash: &mut Hash,
        field: &[u8],
        value: &[u8],
        deadline_ms: Option<u64>,
    ) -> bool {
        let expiry = deadline_ms.map_or(Expiry::Clear, Expiry::At);
        hash.put(field, value, expiry, &self.hash_limits)
    }

    /// Adds a member to a sorted set; false if it is there already.
    pub fn rank(&self, set: &mut SortedSet, compact: bool, member: &[u8], score: f64) -> bool {
        set.insert(member, score, if compact { &self.compact } else { &self.big }).is_none()
    }

    /// A copy that shares nothing with the original.
    pub fn copy(&self, value: ValueRef<'_>) -> Value {
        match value {
            ValueRef::String(StringRef::Integer(value)) => {
                Value::String(StringValue::Integer(value))
            }
            ValueRef::String(StringRef::Bytes(bytes)) => {
                Value::String(StringValue::Bytes(bytes.to_vec()))
            }
            ValueRef::List(list) => Value::List(Box::new(self.copy_list(list))),
            ValueRef::Set(set) => {
                let mut copy = self.set(set.encoding());
                set.iter().for_each(|member| {
                    self.add(&mut copy, member);
                });
                Value::Set(Box::new(copy))
            }
            ValueRef::Hash(hash) => Value::Hash(Box::new(hash.clone())),
            ValueRef::Stream(stream) => Value::Stream(Box::new(stream.clone())),
            ValueRef::SortedSet(set) => {
                let compact = set.is_compact();
                let mut copy = SortedSet::default();
                set.ascend(0, set.len(), |member, score| {
                    self.rank(&mut copy, compact, member, score);
                });
                Value::SortedSet(Box::new(copy))
            }
        }
    }

    fn copy_list(&self, list: &List) -> List {
        let mut copy = self.list(list.encoding());
        list.iter().for_each(|element| element.with_bytes(|text| self.push(&mut copy, text)));
        copy
    }
}
