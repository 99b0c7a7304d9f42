//! Which elements there are, and in which order.

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Range;

use super::number;
use super::pattern::{Keys, Pattern};
use super::query::Query;
use crate::error::{CommandError, Result, WRONG_TYPE};
use crate::keyspace::ValueRef;

const NOT_NUMBERS: CommandError =
    CommandError::fixed("ERR One or more scores can't be converted into double");

/// Elements in the order of the reply.
#[derive(Debug, Default)]
pub(super) struct Elements {
    /// Their texts, one behind the other: one allocation serves them all.
    text: Vec<u8>,
    places: Vec<Range<usize>>,
}

impl Elements {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Their texts.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.places.iter().map(|place| &self.text[place.clone()])
    }

    fn push(&mut self, element: &[u8]) {
        let start = self.text.len();
        self.text.extend_from_slice(element);
        self.places.push(start..self.text.len());
    }
}

/// The elements of a collection that the query wants, in its order.
///
/// # Errors
/// `WRONGTYPE`, or that a weight is not a number.
pub(super) fn arrange(
    value: Option<ValueRef<'_>>,
    query: &Query<'_>,
    keys: &Keys<'_>,
) -> Result<Elements> {
    let Some(value) = value else { return Ok(Elements::default()) };
    let len = match value {
        ValueRef::List(list) => list.len(),
        ValueRef::Set(set) => set.len(),
        ValueRef::SortedSet(set) => set.len(),
        _ => return Err(WRONG_TYPE),
    };
    if query.keeps_order() {
        // Redis sorts a set that is to be stored, since its sets have no order of their own.
        if !(matches!(value, ValueRef::Set(_)) && query.store.is_some()) {
            return Ok(collect(value, query.range(len), len, query.descends));
        }
        let mut found = collect(value, 0..len, len, false);
        sort_by(&mut found, query, |one, other| one.1.cmp(other.1));
        found.places = found.places[query.range(len)].to_vec();
        return Ok(found);
    }
    let mut found = collect(value, 0..len, len, false);
    let by = query.by.map_or(Pattern::Element, Pattern::new);
    if query.alpha {
        sort_texts(&mut found, query, &by, keys);
    } else {
        sort_numbers(&mut found, query, &by, keys)?;
    }
    found.places = found.places[query.range(len)].to_vec();
    Ok(found)
}

/// The elements at some places of the collection's own order, or of its reverse. A set has none that
/// could be reversed.
fn collect(value: ValueRef<'_>, range: Range<usize>, len: usize, reversed: bool) -> Elements {
    let mut found = Elements::default();
    let behind = len - range.end..len - range.start;
    match value {
        ValueRef::List(list) if reversed => {
            let elements = list.range(behind.start, behind.len());
            elements.for_each(|element| element.with_bytes(|text| found.push(text)));
            found.places.reverse();
        }
        ValueRef::List(list) => {
            let elements = list.range(range.start, range.len());
            elements.for_each(|element| element.with_bytes(|text| found.push(text)));
        }
        ValueRef::SortedSet(set) if reversed => {
            set.descend(behind.start, behind.end, |member, _| found.push(member));
        }
        ValueRef::SortedSet(set) => {
            set.ascend(range.start, range.end, |member, _| found.push(member));
        }
        ValueRef::Set(set) => {
            let members = set.members_at(range);
            members.for_each(|member| member.with_bytes(|text| found.push(text)));
        }
        ValueRef::String(_) | ValueRef::Hash(_) | ValueRef::Stream(_) => {
            unreachable!("the type was checked")
        }
    }
    found
}

/// An element without a weight counts as zero; of equal weights, the elements decide.
fn sort_numbers(
    found: &mut Elements,
    query: &Query<'_>,
    by: &Pattern<'_>,
    keys: &Keys<'_>,
) -> Result {
    let weight = |text: Option<&[u8]>| text.map_or(Some(0.0), number::parse);
    let weights: Option<Vec<f64>> =
        found.iter().map(|element| by.with(keys, element, weight)).collect();
    let weights = weights.ok_or(NOT_NUMBERS)?;
    sort_by(found, query, |one, other| {
        let by_weight = weights[one.0].partial_cmp(&weights[other.0]).expect("NaN was refused");
        by_weight.then_with(|| one.1.cmp(other.1))
    });
    Ok(())
}

/// An element without a weight comes first. Those of equal weights stay in their order.
fn sort_texts(found: &mut Elements, query: &Query<'_>, by: &Pattern<'_>, keys: &Keys<'_>) {
    if query.by.is_none() {
        return sort_by(found, query, |one, other| one.1.cmp(other.1));
    }
    let weight = |text: Option<&[u8]>| text.map(<[u8]>::to_vec);
    let weights: Vec<_> = found.iter().map(|element| by.with(keys, element, weight)).collect();
    sort_by(found, query, |one, other| weights[one.0].cmp(&weights[other.0]));
}

/// Sorts elements; they are compared with the numbers that they had before.
fn sort_by(
    found: &mut Elements,
    query: &Query<'_>,
    compare: impl Fn((usize, &[u8]), (usize, &[u8])) -> Ordering,
) {
    let Elements { text, places } = &*found;
    let element = |at: usize| (at, &text[places[at].clone()]);
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|&one, &other| {
        let ordering = compare(element(one), element(other));
        if query.descends { ordering.reverse() } else { ordering }
    });
    found.places = order.into_iter().map(|at| places[at].clone()).collect();
}
