//! What of a hash can be seen at some time, and everything that is in it.

use alloc::vec::Vec;
use core::ops::Range;

use super::timed::{Timed, TimedTable, deadline_of};
use super::{Form, Hash};
use crate::types::packed::{Element, Encoded, PackedIter};
use crate::types::table::Table;

/// A field with its value and its deadline, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record<'a> {
    /// The field.
    pub field: Element<'a>,
    /// Its value.
    pub value: Element<'a>,
    /// When it expires.
    pub deadline_ms: Option<u64>,
}

impl Record<'_> {
    fn is_live(&self, now_ms: u64) -> bool {
        self.deadline_ms.is_none_or(|at_ms| at_ms > now_ms)
    }
}

/// The fields of a hash that have not expired at some time.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    hash: &'a Hash,
    now_ms: u64,
}

impl<'a> Fields<'a> {
    pub(super) fn new(hash: &'a Hash, now_ms: u64) -> Self {
        Fields { hash, now_ms }
    }

    /// The hash itself.
    pub fn hash(self) -> &'a Hash {
        self.hash
    }

    /// How many there are.
    #[inline]
    pub fn len(self) -> usize {
        self.hash.len() - self.expired()
    }

    /// Whether all have expired.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    #[inline]
    fn expired(self) -> usize {
        match &self.hash.form {
            Form::Compact(_) | Form::Table(_) => 0,
            Form::Timed(timed) => timed.expired(self.now_ms),
        }
    }

    /// The value of a field.
    #[inline]
    pub fn get(self, field: &[u8]) -> Option<Element<'a>> {
        let field = Encoded::of(field);
        let [_, value] = match &self.hash.form {
            Form::Compact(entries) => entries.at(entries.find(&field)?),
            Form::Table(table) => table.get(table.find(&field)?),
            Form::Timed(_) => return self.live(&field).map(|(value, _)| value),
        };
        Some(value)
    }

    /// Whether there is a field.
    #[inline]
    pub fn contains(self, field: &[u8]) -> bool {
        let field = Encoded::of(field);
        match &self.hash.form {
            Form::Compact(entries) => entries.find(&field).is_some(),
            Form::Table(table) => table.find(&field).is_some(),
            Form::Timed(_) => self.live(&field).is_some(),
        }
    }

    /// When a field expires; the outer `None` if there is no such field.
    pub fn deadline_ms(self, field: &[u8]) -> Option<Option<u64>> {
        match &self.hash.form {
            Form::Timed(_) => self.live(&Encoded::of(field)).map(|(_, deadline)| deadline),
            _ => self.contains(field).then_some(None),
        }
    }

    fn live(self, field: &Encoded<'_>) -> Option<(Element<'a>, Option<u64>)> {
        let Form::Timed(timed) = &self.hash.form else { return None };
        timed.get(field).filter(|(_, deadline)| deadline.is_none_or(|at_ms| at_ms > self.now_ms))
    }

    /// All of them with their values, in order.
    pub fn iter(self) -> impl Iterator<Item = (Element<'a>, Element<'a>)> {
        let mut records = self.hash.records();
        if self.expired() == 0 {
            records = records.without_deadlines();
        }
        let live = records.filter(move |record| record.is_live(self.now_ms));
        live.map(|record| (record.field, record.value))
    }

    /// Those at some places of the hash's order, where expired ones leave gaps.
    pub fn between(self, places: Range<usize>) -> impl Iterator<Item = (Element<'a>, Element<'a>)> {
        let records = self.hash.records().between(places);
        let live = records.filter(move |record| record.is_live(self.now_ms));
        live.map(|record| (record.field, record.value))
    }

    /// Those with these numbers, each below [`Fields::len`], in any order.
    pub fn at(
        self,
        numbers: impl Iterator<Item = usize>,
    ) -> impl Iterator<Item = (Element<'a>, Element<'a>)> {
        let table = match &self.hash.form {
            Form::Table(table) => Some(&**table),
            Form::Timed(timed) => match &**timed {
                Timed::Table(timed) if self.expired() == 0 => Some(&timed.table),
                _ => None,
            },
            Form::Compact(_) => None,
        };
        let walked: Vec<_> = if table.is_some() { Vec::new() } else { self.iter().collect() };
        numbers.map(move |at| match table {
            Some(table) => {
                let [field, value] = table.get(at);
                (field, value)
            }
            None => walked[at],
        })
    }
}

/// Walks over everything in a hash, expired or not.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    walk: Walk<'a>,
    left: usize,
}

#[derive(Clone, Debug)]
enum Walk<'a> {
    Compact(PackedIter<'a, 2>),
    Table(&'a Table<2>, usize),
    TimedCompact(PackedIter<'a, 3>),
    TimedTable(&'a TimedTable, usize),
}

impl<'a> Records<'a> {
    pub(super) fn of(hash: &'a Hash) -> Self {
        let walk = match &hash.form {
            Form::Compact(entries) => Walk::Compact(entries.iter()),
            Form::Table(table) => Walk::Table(table, 0),
            Form::Timed(timed) => match &**timed {
                Timed::Compact(entries) => Walk::TimedCompact(entries.iter()),
                Timed::Table(timed) => Walk::TimedTable(timed, 0),
            },
        };
        Records { walk, left: hash.len() }
    }

    /// The same without looking for deadlines where that takes a search.
    fn without_deadlines(mut self) -> Self {
        if let Walk::TimedTable(timed, at) = self.walk {
            self.walk = Walk::Table(&timed.table, at);
        }
        self
    }

    /// Those at some places only.
    fn between(mut self, places: Range<usize>) -> Self {
        match &mut self.walk {
            Walk::Table(_, at) | Walk::TimedTable(_, at) => *at = places.start,
            Walk::Compact(_) | Walk::TimedCompact(_) => {
                for _ in 0..places.start {
                    self.next();
                }
            }
        }
        self.left = places.len();
        self
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    #[inline]
    fn next(&mut self) -> Option<Record<'a>> {
        self.left = self.left.checked_sub(1)?;
        let ([field, value], deadline_ms) = match &mut self.walk {
            Walk::Compact(entries) => (entries.next()?, None),
            Walk::Table(table, at) => {
                *at += 1;
                (table.get(*at - 1), None)
            }
            Walk::TimedCompact(entries) => {
                let [field, value, deadline] = entries.next()?;
                ([field, value], deadline_of(deadline))
            }
            Walk::TimedTable(timed, at) => {
                *at += 1;
                (timed.table.get(*at - 1), timed.deadlines.of(*at - 1))
            }
        };
        Some(Record { field, value, deadline_ms })
    }
}
