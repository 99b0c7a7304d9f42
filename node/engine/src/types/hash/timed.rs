//! The two forms of a hash of which fields expire.
//!
//! The compact one is a buffer of triples: field, value and deadline, 0 for none. As in Redis 7.4
//! those that expire come first, the earliest in front; so here a removed field leaves no gap to be
//! filled, and the order is still a function of the history. The big one is the table of an ordinary
//! hash, with [`Deadlines`] beside it.

use super::deadlines::Deadlines;
use crate::keyspace::Expiry;
use crate::types::packed::{Element, Encoded, Entries};
use crate::types::table::Table;

/// A hash of which fields expire.
#[derive(Clone, Debug)]
pub(super) enum Timed {
    /// A short one.
    Compact(Entries<3>),
    /// A big one.
    Table(TimedTable),
}

/// A table, and when its entries expire.
#[derive(Clone, Debug)]
pub(super) struct TimedTable {
    /// Fields and values.
    pub table: Table<2>,
    /// Deadlines of some of them.
    pub deadlines: Deadlines,
}

impl Timed {
    /// The same fields, none of which expires.
    pub fn of_compact(entries: &Entries<2>) -> Timed {
        let mut timed = Entries::default();
        for [field, value] in entries.iter() {
            timed.push(&[field, value, Element::Integer(0)].map(Encoded::new));
        }
        Timed::Compact(timed)
    }

    /// The same fields, none of which expires.
    pub fn of_table(table: Table<2>) -> Timed {
        Timed::Table(TimedTable { table, deadlines: Deadlines::default() })
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        match self {
            Timed::Compact(entries) => entries.len(),
            Timed::Table(timed) => timed.table.len(),
        }
    }

    /// The value of a field, and when it expires.
    pub fn get(&self, field: &Encoded<'_>) -> Option<(Element<'_>, Option<u64>)> {
        match self {
            Timed::Compact(entries) => {
                let [_, value, deadline] = entries.at(entries.find(field)?);
                Some((value, deadline_of(deadline)))
            }
            Timed::Table(timed) => {
                let at = timed.table.find(field)?;
                let [_, value] = timed.table.get(at);
                Some((value, timed.deadlines.of(at)))
            }
        }
    }

    /// Sets a field; true if it is new.
    pub fn put(&mut self, field: &Encoded<'_>, value: &Encoded<'_>, expiry: Expiry) -> bool {
        match self {
            Timed::Compact(entries) => {
                let Some(range) = entries.find(field) else {
                    place(entries, field, value, new_deadline(expiry, None));
                    return true;
                };
                let [_, _, old] = entries.at(range.clone());
                let (old, at) = (deadline_of(old), range.start);
                let new = new_deadline(expiry, old);
                entries.remove(range);
                if new == old {
                    insert(entries, at, field, value, new);
                } else {
                    place(entries, field, value, new);
                }
                false
            }
            Timed::Table(TimedTable { table, deadlines }) => {
                let found = table.find(field);
                let at = found.unwrap_or(table.len());
                match found {
                    Some(at) => table.replace(at, value),
                    None => table.push(&[*field, *value]),
                }
                if expiry != Expiry::Keep {
                    deadlines.set(at, new_deadline(expiry, None));
                }
                found.is_none()
            }
        }
    }

    /// Sets or clears the deadline of a field that is there.
    pub fn set_deadline(&mut self, field: &Encoded<'_>, deadline_ms: Option<u64>) {
        match self {
            Timed::Compact(entries) => {
                let Some(range) = entries.find(field) else { return };
                let [_, value, _] = entries.at(range.clone());
                let value = value.to_vec();
                entries.remove(range);
                place(entries, field, &Encoded::of(&value), deadline_ms);
            }
            Timed::Table(TimedTable { table, deadlines }) => {
                if let Some(at) = table.find(field) {
                    deadlines.set(at, deadline_ms);
                }
            }
        }
    }

    /// Removes a field; false if there was none.
    pub fn remove(&mut self, field: &Encoded<'_>) -> bool {
        match self {
            Timed::Compact(entries) => {
                let Some(range) = entries.find(field) else { return false };
                entries.remove(range);
            }
            Timed::Table(timed) => {
                let Some(at) = timed.table.find(field) else { return false };
                timed.swap_remove(at);
            }
        }
        true
    }

    /// Removes up to `most` fields whose deadlines have come, the earliest first; returns how many.
    pub fn remove_expired(&mut self, now_ms: u64, most: usize) -> usize {
        match self {
            Timed::Compact(entries) => {
                let expired = expired(entries, now_ms).min(most);
                (0..expired).for_each(|_| entries.remove(entries.range_of(0)));
                expired
            }
            Timed::Table(timed) => {
                let mut removed = 0;
                while removed < most
                    && let Some(at) = timed.deadlines.first_expired(now_ms)
                {
                    timed.swap_remove(at);
                    removed += 1;
                }
                removed
            }
        }
    }

    /// How many fields have deadlines that have come.
    pub fn expired(&self, now_ms: u64) -> usize {
        match self {
            Timed::Compact(entries) => expired(entries, now_ms),
            Timed::Table(timed) => timed.deadlines.expired(now_ms),
        }
    }

    /// The earliest deadline.
    pub fn earliest_ms(&self) -> Option<u64> {
        match self {
            Timed::Compact(entries) => {
                entries.iter().next().and_then(|[_, _, deadline]| deadline_of(deadline))
            }
            Timed::Table(timed) => timed.deadlines.earliest_ms(),
        }
    }

    /// Whether it is a table without deadlines, which an ordinary one can replace.
    pub fn is_plain_table(&self) -> bool {
        matches!(self, Timed::Table(timed) if timed.deadlines.is_empty())
    }

    /// The table of a big hash, without its deadlines.
    pub fn into_table(self) -> Table<2> {
        match self {
            Timed::Table(timed) => timed.table,
            Timed::Compact(_) => unreachable!("only a table is taken out"),
        }
    }

    /// Gives up the compact form.
    pub fn make_table(&mut self, seed: [u8; 16]) {
        let Timed::Compact(entries) = self else { return };
        let mut timed = TimedTable { table: Table::new(seed), deadlines: Deadlines::default() };
        for (at, [field, value, deadline]) in entries.iter().enumerate() {
            timed.table.push(&[Encoded::new(field), Encoded::new(value)]);
            timed.deadlines.set(at, deadline_of(deadline));
        }
        *self = Timed::Table(timed);
    }

    /// How many allocations it consists of, about.
    pub fn pieces(&self) -> usize {
        match self {
            Timed::Compact(_) => 1,
            Timed::Table(timed) => timed.table.pieces() + timed.deadlines.pieces(),
        }
    }

    /// How many bytes of memory it takes, about.
    pub fn heap_bytes(&self) -> usize {
        size_of::<Timed>()
            + match self {
                Timed::Compact(entries) => entries.heap_bytes(),
                Timed::Table(timed) => timed.table.heap_bytes() + timed.deadlines.heap_bytes(),
            }
    }
}

impl TimedTable {
    fn swap_remove(&mut self, at: usize) {
        self.deadlines.swap_remove(at, self.table.len() - 1);
        self.table.swap_remove(at);
    }
}

/// The deadline that the third element of a triple tells.
pub(super) fn deadline_of(element: Element<'_>) -> Option<u64> {
    match element {
        Element::Integer(at_ms @ 1..) => Some(at_ms as u64),
        _ => None,
    }
}

fn new_deadline(expiry: Expiry, old: Option<u64>) -> Option<u64> {
    match expiry {
        Expiry::Clear => None,
        Expiry::Keep => old,
        Expiry::At(at_ms) => Some(at_ms),
    }
}

/// How many of the first fields have expired.
fn expired(entries: &Entries<3>, now_ms: u64) -> usize {
    let has_come = |[_, _, deadline]: &[Element<'_>; 3]| {
        deadline_of(*deadline).is_some_and(|at_ms| at_ms <= now_ms)
    };
    entries.iter().take_while(has_come).count()
}

/// Adds a field behind those that expire no later.
fn place(
    entries: &mut Entries<3>,
    field: &Encoded<'_>,
    value: &Encoded<'_>,
    deadline: Option<u64>,
) {
    let mut at = entries.byte_len();
    if let Some(new) = deadline {
        let later = |old: Element<'_>| deadline_of(old).is_none_or(|old| old > new);
        let first = entries.iter().position(|[_, _, old]| later(old));
        at = first.map_or(at, |index| entries.range_of(index).start);
    }
    insert(entries, at, field, value, deadline);
}

fn insert(
    entries: &mut Entries<3>,
    at: usize,
    field: &Encoded<'_>,
    value: &Encoded<'_>,
    deadline: Option<u64>,
) {
    let deadline = deadline.map_or(0, |at_ms| i64::try_from(at_ms).expect("below 2^46"));
    entries.insert(at, &[*field, *value, Encoded::new(Element::Integer(deadline))]);
}
