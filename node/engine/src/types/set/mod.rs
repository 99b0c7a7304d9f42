//! The set: members in insertion order.
//!
//! A short set of integers is a vector of them, another short set one buffer of packed members,
//! both searched from the front; a longer one is a [`Table`]. All three keep the same order: a new
//! member comes last, and a removed one is replaced by the last. So the order is a function of the
//! history alone, and a set that is rebuilt by inserting in iteration order has it too.

mod integers;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::vec::Vec;

use self::integers::Integers;
use super::encoding::Encoding;
use super::packed::{Element, Encoded, Entries};
use super::table::{Search, Table};
use crate::keyspace::{KeyHasher, prefetch_whole};
use crate::settings::Settings;

/// The most integers that are searched one by one. Whoever configures larger integer sets gets
/// them, under the name that Redis gives them, but in a table.
const SWEPT_MAX: usize = 1024;

/// When a set changes its form, and how its members are hashed in a table.
#[derive(Clone, Copy, Debug)]
pub struct SetLimits {
    integers_max: usize,
    entries_max: usize,
    value_bytes_max: usize,
    seed: [u8; 16],
}

impl SetLimits {
    /// The limits that the shard's settings give, and the seed that it hashes with.
    pub fn new(settings: &Settings, hasher: &KeyHasher) -> Self {
        SetLimits {
            integers_max: settings.set_intset_entries as usize,
            entries_max: settings.set_compact_entries as usize,
            value_bytes_max: settings.set_compact_value as usize,
            seed: hasher.seed(),
        }
    }
}

/// A set value.
#[derive(Clone, Debug)]
pub struct Set {
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Integers(Integers),
    Compact(Entries<1>),
    /// The encoding is [`Encoding::Intset`] for integers that are too many to be swept.
    Table(Box<Table<1>>, Encoding),
}

impl Default for Set {
    fn default() -> Self {
        Set { form: Form::Integers(Integers::default()) }
    }
}

impl Set {
    /// How many members it has.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Integers(integers) => integers.len(),
            Form::Compact(entries) => entries.len(),
            Form::Table(table, _) => table.len(),
        }
    }

    /// Whether it holds nothing.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether this is a member.
    #[inline]
    pub fn contains(&self, member: &[u8]) -> bool {
        self.contains_element(Element::of(member))
    }

    /// Whether this is a member.
    #[inline]
    pub fn contains_element(&self, member: Element<'_>) -> bool {
        match &self.form {
            Form::Integers(integers) => match member {
                Element::Integer(value) => integers.contains(value),
                Element::Bytes(_) => false,
            },
            Form::Compact(entries) => entries.find(&Encoded::new(member)).is_some(),
            Form::Table(table, _) => table.find(&Encoded::new(member)).is_some(),
        }
    }

    /// The member at an index of the order, which is below `len()`. A compact set is
    /// walked; to look at many indexes, use [`Set::members_at`].
    pub fn member(&self, index: usize) -> Element<'_> {
        let [member] = match &self.form {
            Form::Integers(integers) => [Element::Integer(integers.get(index))],
            Form::Compact(entries) => entries.at(entries.range_of(index)),
            Form::Table(table, _) => table.get(index),
        };
        member
    }

    /// The members at many indexes, in any order; each index is below `len()`.
    pub fn members_at<'a>(
        &'a self,
        indexes: impl Iterator<Item = usize> + 'a,
    ) -> impl Iterator<Item = Element<'a>> {
        let walked: Vec<_> = match &self.form {
            Form::Compact(_) => self.iter().collect(),
            Form::Integers(_) | Form::Table(..) => Vec::new(),
        };
        indexes.map(move |at| walked.get(at).copied().unwrap_or_else(|| self.member(at)))
    }

    /// Adds a member; true if it is new.
    pub fn insert(&mut self, member: Element<'_>, limits: &SetLimits) -> bool {
        if let Form::Table(table, Encoding::Hashtable) = &mut self.form {
            let encoded = Encoded::new(member);
            let Err(hash) = table.locate(&encoded) else { return false };
            table.push_hashed(hash, &[encoded]);
            return true;
        }
        if self.contains_element(member) {
            return false;
        }
        self.make_room(member, limits);
        let encoded = Encoded::new(member);
        match &mut self.form {
            Form::Integers(integers) => {
                let Element::Integer(value) = member else { unreachable!("room was made") };
                integers.push(value);
            }
            Form::Compact(entries) => entries.push(&[encoded]),
            Form::Table(table, _) => table.push(&[encoded]),
        }
        true
    }

    /// Removes a member; false if it was none. The last member takes its place in the order.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        let member = Element::of(member);
        match &mut self.form {
            Form::Integers(integers) => {
                let Element::Integer(value) = member else { return false };
                let Some(at) = integers.find(value) else { return false };
                integers.swap_remove(at);
            }
            Form::Compact(entries) => {
                let Some(range) = entries.find(&Encoded::new(member)) else { return false };
                entries.swap_remove(range);
            }
            Form::Table(table, _) => {
                let Some(at) = table.find(&Encoded::new(member)) else { return false };
                table.swap_remove(at);
            }
        }
        true
    }

    /// Removes the member at an index, which is below `len()`. The last member takes its place.
    pub fn swap_remove(&mut self, index: usize) {
        match &mut self.form {
            Form::Integers(integers) => integers.swap_remove(index),
            Form::Compact(entries) => entries.swap_remove(entries.range_of(index)),
            Form::Table(table, _) => table.swap_remove(index),
        }
    }

    /// All members in order.
    pub fn iter(&self) -> impl Iterator<Item = Element<'_>> {
        let (integers, compact, table) = match &self.form {
            Form::Integers(integers) => (Some(integers.iter()), None, None),
            Form::Compact(entries) => (None, Some(entries.iter()), None),
            Form::Table(table, _) => (None, None, Some(table.iter())),
        };
        let integers = integers.into_iter().flatten().map(Element::Integer);
        let compact = compact.into_iter().flatten();
        let table = table.into_iter().flatten();
        integers.chain(compact.chain(table).map(|[member]| member))
    }

    /// The form it has.
    pub fn encoding(&self) -> Encoding {
        match &self.form {
            Form::Integers(_) => Encoding::Intset,
            Form::Compact(_) => Encoding::Listpack,
            Form::Table(_, encoding) => *encoding,
        }
    }

    /// Takes this form, unless it has it already or has grown beyond it. A snapshot is restored
    /// with it, if the set had grown once and has shrunk again.
    pub fn take_form(&mut self, encoding: Encoding, limits: &SetLimits) {
        match (encoding, self.encoding()) {
            (Encoding::Listpack, Encoding::Intset) => self.make_compact(),
            (Encoding::Hashtable, _) => self.make_table(Encoding::Hashtable, limits),
            _ => {}
        }
    }

    /// Prepares for a request that adds `added` members, some of which may be there already: one
    /// that alone exceeds the limit of the present form goes to a table at once.
    pub fn expect(&mut self, first: &[u8], added: usize, limits: &SetLimits) {
        let starts_packed = self.is_empty() && matches!(Element::of(first), Element::Bytes(_));
        let most = match self.encoding() {
            Encoding::Intset if starts_packed => limits.entries_max,
            Encoding::Intset => limits.integers_max,
            Encoding::Listpack => limits.entries_max,
            _ => return,
        };
        if added > most {
            self.make_table(Encoding::Hashtable, limits);
        }
    }

    /// How many bytes of memory it takes, about.
    pub fn memory_bytes(&self) -> usize {
        let heap = match &self.form {
            Form::Integers(integers) => integers.heap_bytes(),
            Form::Compact(entries) => entries.heap_bytes(),
            Form::Table(table, _) => size_of::<Table<1>>() + table.heap_bytes(),
        };
        size_of::<Set>() + heap
    }

    /// Asks for the memory behind the form, which is in the cache already.
    #[inline]
    pub fn prefetch(&self) {
        match &self.form {
            Form::Integers(_) => {}
            Form::Compact(entries) => entries.prefetch(),
            Form::Table(table, _) => prefetch_whole(table.as_ref()),
        }
    }

    /// Begins to fetch what a search for this member will need; what [`Set::prefetch`] asked for is
    /// in the cache already.
    #[inline]
    pub(crate) fn begin_search(&self, member: &[u8]) -> Option<Search<'_>> {
        match &self.form {
            Form::Table(table, _) => Some(table.begin_search(&Encoded::of(member))),
            _ => None,
        }
    }

    /// How many allocations it consists of, about.
    pub fn pieces(&self) -> usize {
        match &self.form {
            Form::Integers(_) | Form::Compact(_) => 1,
            Form::Table(table, _) => table.pieces(),
        }
    }

    /// Changes the form, if this new member does not fit the present one.
    fn make_room(&mut self, member: Element<'_>, limits: &SetLimits) {
        let len = self.len() + 1;
        let is_integer = matches!(member, Element::Integer(_));
        let fits_compact = len <= limits.entries_max && member.len() <= limits.value_bytes_max;
        match self.encoding() {
            Encoding::Intset if is_integer => {
                if len > limits.integers_max {
                    self.make_table(Encoding::Hashtable, limits);
                } else if len > SWEPT_MAX {
                    self.make_table(Encoding::Intset, limits);
                }
            }
            Encoding::Intset if fits_compact && self.longest() <= limits.value_bytes_max => {
                self.make_compact();
            }
            Encoding::Listpack if fits_compact => {}
            _ => self.make_table(Encoding::Hashtable, limits),
        }
    }

    /// The length of the longest member of an integer set in decimal digits.
    fn longest(&self) -> usize {
        self.iter().map(Element::len).max().unwrap_or(0)
    }

    fn make_compact(&mut self) {
        let mut entries = Entries::default();
        for member in self.iter() {
            entries.push(&[Encoded::new(member)]);
        }
        self.form = Form::Compact(entries);
    }

    fn make_table(&mut self, reported: Encoding, limits: &SetLimits) {
        if let Form::Table(_, encoding) = &mut self.form {
            *encoding = reported;
            return;
        }
        let mut table = Table::new(limits.seed);
        for member in self.iter() {
            table.push(&[Encoded::new(member)]);
        }
        self.form = Form::Table(Box::new(table), reported);
    }
}
