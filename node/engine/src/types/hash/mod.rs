//! The hash: values by field, in insertion order.
//!
//! A short hash with short fields and values is one buffer of packed pairs, searched from the
//! front; a longer one is a [`Table`]. Both keep the same order: a new field comes last, a field
//! that is overwritten stays where it is, and a removed one is replaced by the last. So the order
//! is a function of the history alone, and a hash that is rebuilt by inserting in iteration order
//! has it too. The form only ever changes from compact to table.

#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::encoding::Encoding;
use super::packed::{Element, Encoded, Entries};
use super::table::Table;
use crate::keyspace::KeyHasher;
use crate::settings::Settings;

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
#[derive(Clone, Debug)]
pub struct Hash {
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Compact(Entries<2>),
    Table(Box<Table<2>>),
}

impl Default for Hash {
    fn default() -> Self {
        Hash { form: Form::Compact(Entries::default()) }
    }
}

impl Hash {
    /// How many fields it holds.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Compact(entries) => entries.len(),
            Form::Table(table) => table.len(),
        }
    }

    /// Whether it holds nothing.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a field.
    #[inline]
    pub fn get(&self, field: &[u8]) -> Option<Element<'_>> {
        let field = Encoded::of(field);
        let [_, value] = match &self.form {
            Form::Compact(entries) => entries.at(entries.find(&field)?),
            Form::Table(table) => table.get(table.find(&field)?),
        };
        Some(value)
    }

    /// Whether it has a field.
    #[inline]
    pub fn contains(&self, field: &[u8]) -> bool {
        let field = Encoded::of(field);
        match &self.form {
            Form::Compact(entries) => entries.find(&field).is_some(),
            Form::Table(table) => table.find(&field).is_some(),
        }
    }

    /// The field and the value at an index of the order, which is below `len()`. A compact hash is
    /// walked; to look at many indexes, use [`Hash::pairs_at`].
    pub fn pair(&self, index: usize) -> (Element<'_>, Element<'_>) {
        let [field, value] = match &self.form {
            Form::Compact(entries) => entries.at(entries.range_of(index)),
            Form::Table(table) => table.get(index),
        };
        (field, value)
    }

    /// Prepares for a request that sets `fields` fields, some of which may be there already: one
    /// that alone exceeds the limit goes to a table at once.
    pub fn expect(&mut self, fields: usize, limits: &HashLimits) {
        if fields > limits.entries_max {
            self.make_table(limits);
        }
    }

    /// The fields and values at many indexes, in any order; each index is below `len()`.
    pub fn pairs_at<'a>(
        &'a self,
        indexes: impl Iterator<Item = usize> + 'a,
    ) -> impl Iterator<Item = (Element<'a>, Element<'a>)> {
        let walked: Vec<_> = match &self.form {
            Form::Compact(_) => self.iter().collect(),
            Form::Table(_) => Vec::new(),
        };
        indexes.map(move |at| walked.get(at).copied().unwrap_or_else(|| self.pair(at)))
    }

    /// Sets a field; true if it is new.
    pub fn insert(&mut self, field: &[u8], value: &[u8], limits: &HashLimits) -> bool {
        if field.len().max(value.len()) > limits.value_bytes_max {
            self.make_table(limits);
        }
        let (field, value) = (Encoded::of(field), Encoded::of(value));
        match &mut self.form {
            Form::Compact(entries) => {
                if let Some(range) = entries.find(&field) {
                    entries.replace(range, &value);
                    return false;
                }
                entries.push(&[field, value]);
                if entries.len() > limits.entries_max {
                    self.make_table(limits);
                }
            }
            Form::Table(table) => {
                if let Some(at) = table.find(&field) {
                    table.replace(at, &value);
                    return false;
                }
                table.push(&[field, value]);
            }
        }
        true
    }

    /// Removes a field; false if there was none. The last field takes its place in the order.
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
        }
        true
    }

    /// All fields with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Element<'_>, Element<'_>)> {
        let (compact, table) = match &self.form {
            Form::Compact(entries) => (Some(entries.iter()), None),
            Form::Table(table) => (None, Some(table.iter())),
        };
        let all = compact.into_iter().flatten().chain(table.into_iter().flatten());
        all.map(|[field, value]| (field, value))
    }

    /// The form it has.
    pub fn encoding(&self) -> Encoding {
        match &self.form {
            Form::Compact(_) => Encoding::Listpack,
            Form::Table(_) => Encoding::Hashtable,
        }
    }

    /// Gives up the compact form. A snapshot is restored with it, if the hash had grown once and
    /// has shrunk again.
    pub fn make_table(&mut self, limits: &HashLimits) {
        let Form::Compact(entries) = &self.form else { return };
        let mut table = Table::new(limits.seed);
        for pair in entries.iter() {
            table.push(&pair.map(Encoded::new));
        }
        self.form = Form::Table(Box::new(table));
    }

    /// How many bytes of memory it takes, about.
    pub fn memory_bytes(&self) -> usize {
        let heap = match &self.form {
            Form::Compact(entries) => entries.heap_bytes(),
            Form::Table(table) => size_of::<Table<2>>() + table.heap_bytes(),
        };
        size_of::<Hash>() + heap
    }
}
