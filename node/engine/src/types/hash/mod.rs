//! The hash: values by field, in insertion order.
//!
//! A short hash with short fields and values is one buffer of packed pairs, searched from the
//! front; a longer one is a [`Table`]. Both keep the same order: a new field comes last, a field
//! that is overwritten stays where it is, and a removed one is replaced by the last. So the order
//! is a function of the history alone, and a hash that is rebuilt by inserting in iteration order
//! has it too. The form only ever changes from compact to table.
//!
//! A hash of which fields expire has forms of its own ([`timed`]), so that all others pay nothing.
//! The hash knows no time: it keeps deadlines, and whoever asks for [`Fields`] says what time it is.

mod deadlines;
mod fields;
#[cfg(test)]
mod tests;
mod timed;

use alloc::boxed::Box;

use self::timed::Timed;
use super::encoding::Encoding;
use super::packed::{Encoded, Entries};
use super::table::{Search, Table};
use crate::keyspace::{Expiry, KeyHasher, prefetch_whole};
use crate::settings::Settings;

pub use fields::{Fields, Record, Records};

/// When a hash stops being compact, and how its fields are hashed then.
#[derive(Clone, Copy, Debug)]
pub struct HashLimits {
    entries_max: usize,
    value_bytes_max: usize,
    seed: [u8; 16],
}

impl HashLimits {
    /// The limits that the shard's settings give, and the seed that it hashes with.
    pub fn new(settings: &Settings, hasher: &KeyHasher) -> Self {
        HashLimits {
            entries_max: settings.hash_compact_entries as usize,
            value_bytes_max: settings.hash_compact_value as usize,
            seed: hasher.seed(),
        }
    }
}

/// A hash value.
#[derive(Clone, Debug, Default)]
pub struct Hash {
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Compact(Entries<2>),
    Table(Box<Table<2>>),
    Timed(Box<Timed>),
}

impl Default for Form {
    fn default() -> Self {
        Form::Compact(Entries::default())
    }
}

impl Hash {
    /// How many fields it holds, expired ones included.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Compact(entries) => entries.len(),
            Form::Table(table) => table.len(),
            Form::Timed(timed) => timed.len(),
        }
    }

    /// Whether it holds nothing.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What can be seen of it at a time.
    #[inline]
    pub fn at(&self, now_ms: u64) -> Fields<'_> {
        Fields::new(self, now_ms)
    }

    /// Everything in it, in order.
    pub fn records(&self) -> Records<'_> {
        Records::of(self)
    }

    /// Whether fields of it can expire.
    #[inline]
    pub fn is_timed(&self) -> bool {
        matches!(self.form, Form::Timed(_))
    }

    /// When the first of its fields expires.
    #[inline]
    pub fn earliest_ms(&self) -> Option<u64> {
        match &self.form {
            Form::Timed(timed) => timed.earliest_ms(),
            _ => None,
        }
    }

    /// Prepares for a request that sets `fields` fields, some of which may be there already: one
    /// that alone exceeds the limit goes to a table at once.
    pub fn expect(&mut self, fields: usize, limits: &HashLimits) {
        if fields > limits.entries_max {
            self.make_table(limits);
        }
    }

    /// Makes room in a new hash for the fields and values of a request, in one piece, if it will
    /// stay compact.
    pub fn reserve<'a>(&mut self, mut texts: impl Iterator<Item = &'a [u8]>, limits: &HashLimits) {
        let Form::Compact(entries) = &mut self.form else { return };
        if entries.len() > 0 {
            return;
        }
        let total = texts.try_fold(0, |total, text| {
            let fits = text.len() <= limits.value_bytes_max;
            fits.then(|| total + Encoded::of(text).len())
        });
        entries.reserve(total.unwrap_or(0));
    }

    /// Sets a field, which then never expires; true if it is new.
    pub fn insert(&mut self, field: &[u8], value: &[u8], limits: &HashLimits) -> bool {
        self.put(field, value, Expiry::Clear, limits)
    }

    /// Sets a field and when it expires; true if it is new.
    pub fn put(&mut self, field: &[u8], value: &[u8], expiry: Expiry, limits: &HashLimits) -> bool {
        if field.len().max(value.len()) > limits.value_bytes_max {
            self.make_table(limits);
        }
        if matches!(expiry, Expiry::At(_)) {
            self.make_timed();
        }
        let (field, value) = (Encoded::of(field), Encoded::of(value));
        match &mut self.form {
            Form::Compact(entries) => {
                if let Some(range) = entries.find(&field) {
                    entries.replace(range, &value);
                    return false;
                }
                entries.push(&[field, value]);
            }
            Form::Table(table) => {
                return match table.locate(&field) {
                    Ok(at) => {
                        table.replace(at, &value);
                        false
                    }
                    Err(hash) => {
                        table.push_hashed(hash, &[field, value]);
                        true
                    }
                };
            }
            Form::Timed(timed) => {
                let is_new = timed.put(&field, &value, expiry);
                if !is_new {
                    self.drop_deadlines();
                    return false;
                }
            }
        }
        if self.len() > limits.entries_max {
            self.make_table(limits);
        }
        true
    }

    /// Sets or clears the deadline of a field that is there.
    pub fn set_deadline(&mut self, field: &[u8], deadline_ms: Option<u64>) {
        if deadline_ms.is_some() {
            self.make_timed();
        }
        if let Form::Timed(timed) = &mut self.form {
            timed.set_deadline(&Encoded::of(field), deadline_ms);
            self.drop_deadlines();
        }
    }

    /// Removes a field; false if there was none. In the forms without deadlines the last field takes
    /// its place in the order.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        let field = Encoded::of(field);
        match &mut self.form {
            Form::Compact(entries) => {
                let Some(range) = entries.find(&field) else { return false };
                entries.swap_remove(range);
            }
            Form::Table(table) => {
                let Some(at) = table.find(&field) else { return false };
                table.swap_remove(at);
            }
            Form::Timed(timed) => {
                if !timed.remove(&field) {
                    return false;
                }
                self.drop_deadlines();
            }
        }
        true
    }

    /// Removes a field if its deadline has come; true if it had.
    pub fn remove_if_expired(&mut self, field: &[u8], now_ms: u64) -> bool {
        let Form::Timed(timed) = &self.form else { return false };
        let found = timed.get(&Encoded::of(field)).and_then(|(_, deadline)| deadline);
        found.is_some_and(|at_ms| at_ms <= now_ms) && self.remove(field)
    }

    /// Removes up to `most` fields whose deadlines have come, the earliest first; returns how many.
    pub fn remove_expired(&mut self, now_ms: u64, most: usize) -> usize {
        let Form::Timed(timed) = &mut self.form else { return 0 };
        let removed = timed.remove_expired(now_ms, most);
        self.drop_deadlines();
        removed
    }

    /// The form it has.
    pub fn encoding(&self) -> Encoding {
        match &self.form {
            Form::Compact(_) => Encoding::Listpack,
            Form::Table(_) => Encoding::Hashtable,
            Form::Timed(timed) => match &**timed {
                Timed::Compact(_) => Encoding::TimedListpack,
                Timed::Table(_) => Encoding::Hashtable,
            },
        }
    }

    /// Whether it is walked at once, because it is short.
    pub fn is_compact(&self) -> bool {
        self.encoding() != Encoding::Hashtable
    }

    /// Gives up the compact form. A snapshot is restored with it, if the hash had grown once and
    /// has shrunk again.
    pub fn make_table(&mut self, limits: &HashLimits) {
        match &mut self.form {
            Form::Compact(entries) => {
                let mut table = Table::new(limits.seed);
                for pair in entries.iter() {
                    table.push(&pair.map(Encoded::new));
                }
                self.form = Form::Table(Box::new(table));
            }
            Form::Table(_) => {}
            Form::Timed(timed) => {
                timed.make_table(limits.seed);
                self.drop_deadlines();
            }
        }
    }

    /// Gets ready to hold deadlines, as a snapshot of a short hash that once held some says.
    pub fn make_timed(&mut self) {
        self.form = match core::mem::take(&mut self.form) {
            Form::Compact(entries) => Form::Timed(Box::new(Timed::of_compact(&entries))),
            Form::Table(table) => Form::Timed(Box::new(Timed::of_table(*table))),
            timed @ Form::Timed(_) => timed,
        };
    }

    /// Becomes an ordinary table when the last deadline of a big hash is gone. A short hash stays
    /// what it is, as in Redis.
    fn drop_deadlines(&mut self) {
        if !matches!(&self.form, Form::Timed(timed) if timed.is_plain_table()) {
            return;
        }
        self.form = match core::mem::take(&mut self.form) {
            Form::Timed(timed) => Form::Table(Box::new(timed.into_table())),
            other => other,
        };
    }

    /// How many bytes of memory it takes, about.
    pub fn memory_bytes(&self) -> usize {
        let heap = match &self.form {
            Form::Compact(entries) => entries.heap_bytes(),
            Form::Table(table) => size_of::<Table<2>>() + table.heap_bytes(),
            Form::Timed(timed) => timed.heap_bytes(),
        };
        size_of::<Hash>() + heap
    }

    /// Asks for the memory behind the form, which is in the cache already.
    #[inline]
    pub fn prefetch(&self) {
        match &self.form {
            Form::Compact(entries) => entries.prefetch(),
            Form::Table(table) => prefetch_whole(table.as_ref()),
            Form::Timed(timed) => prefetch_whole(timed.as_ref()),
        }
    }

    /// Begins to fetch what a search for this field will need; what [`Hash::prefetch`] asked for is
    /// in the cache already.
    #[inline]
    pub(crate) fn begin_search(&self, field: &[u8]) -> Option<Search<'_>> {
        match &self.form {
            Form::Table(table) => Some(table.begin_search(&Encoded::of(field))),
            _ => None,
        }
    }

    /// How many allocations it consists of, about.
    pub fn pieces(&self) -> usize {
        match &self.form {
            Form::Compact(_) => 1,
            Form::Table(table) => table.pieces(),
            Form::Timed(timed) => timed.pieces(),
        }
    }
}
