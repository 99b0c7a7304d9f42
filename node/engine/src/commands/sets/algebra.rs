//! Intersection, union and difference.
//!
//! The order of a result is a function of the order of the sets and of their sizes: intersections
//! come in the order of the smallest set, unions and differences in the order of the request.

use alloc::vec::Vec;

use crate::types::{Element, Set, SetLimits};

/// What to make of several sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// Members of all.
    Intersection,
    /// Members of any.
    Union,
    /// Members of the first that are in no other.
    Difference,
}

impl Operation {
    /// Calls `each` for every member of the result. A missing set is an empty one.
    pub fn for_each<'a>(
        self,
        sets: &[Option<&'a Set>],
        limits: &SetLimits,
        each: impl FnMut(Element<'a>),
    ) {
        match self {
            Operation::Intersection => intersection(sets).for_each(each),
            Operation::Union => union(sets, limits, each),
            Operation::Difference => difference(sets, limits, each),
        }
    }

    /// The result as a set.
    pub fn collect(self, sets: &[Option<&Set>], limits: &SetLimits) -> Set {
        let mut result = Set::default();
        self.for_each(sets, limits, |member| {
            result.insert(member, limits);
        });
        result
    }
}

/// The members that all sets have, in the order of the smallest. The members of that one are
/// looked up in the others, from the small to the big.
pub(super) fn intersection<'a>(sets: &[Option<&'a Set>]) -> impl Iterator<Item = Element<'a>> {
    let mut present: Vec<&Set> = if sets.iter().any(Option::is_none) {
        Vec::new()
    } else {
        sets.iter().copied().flatten().collect()
    };
    present.sort_by_key(|set| set.len());
    let smallest = present.first().copied();
    smallest
        .into_iter()
        .flat_map(Set::iter)
        .filter(move |&member| present[1..].iter().all(|set| set.contains_element(member)))
}

fn union<'a>(sets: &[Option<&'a Set>], limits: &SetLimits, mut each: impl FnMut(Element<'a>)) {
    let mut seen = Set::default();
    let present: Vec<&Set> = sets.iter().copied().flatten().collect();
    for (nth, set) in present.iter().enumerate() {
        // Nothing comes after the last set that could repeat a member of it.
        let is_last = nth + 1 == present.len();
        for member in set.iter() {
            let new =
                if is_last { !seen.contains_element(member) } else { seen.insert(member, limits) };
            if new {
                each(member);
            }
        }
    }
}

fn difference<'a>(sets: &[Option<&'a Set>], limits: &SetLimits, each: impl FnMut(Element<'a>)) {
    let Some((Some(first), others)) = sets.split_first() else { return };
    let others: Vec<&Set> = others.iter().copied().flatten().collect();
    let together = others.iter().map(|set| set.len()).sum::<usize>();
    let mut removed = Set::default();
    // Many small sets are cheaper to gather once than to ask for every member.
    let gather = others.len() > 1 && together < first.len();
    if gather {
        for member in others.iter().flat_map(|set| set.iter()) {
            if first.contains_element(member) {
                removed.insert(member, limits);
            }
        }
    }
    let stays = |member: &Element<'_>| {
        if gather {
            !removed.contains_element(*member)
        } else {
            others.iter().all(|set| !set.contains_element(*member))
        }
    };
    first.iter().filter(stays).for_each(each);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyspace::KeyHasher;
    use crate::settings::Settings;

    fn set(members: impl IntoIterator<Item = i64>) -> Set {
        let mut set = Set::default();
        for member in members {
            set.insert(Element::Integer(member), &limits());
        }
        set
    }

    fn limits() -> SetLimits {
        SetLimits::new(&Settings::default(), &KeyHasher::new([1; 16]))
    }

    fn result(operation: Operation, sets: &[Option<&Set>]) -> Vec<Element<'static>> {
        let mut members = Vec::new();
        operation.for_each(sets, &limits(), |member| match member {
            Element::Integer(value) => members.push(Element::Integer(value)),
            Element::Bytes(_) => unreachable!("only integers were added"),
        });
        members
    }

    #[test]
    fn results_have_the_documented_order() {
        let (one, two) = (set([3, 1, 2, 9]), set([2, 3, 8, 7, 6]));
        let (big, six) = (set((0..100).rev()), set([6]));
        let all = [Some(&one), Some(&two), None, Some(&six)];
        let integers =
            |members: &[i64]| -> Vec<_> { members.iter().copied().map(Element::Integer).collect() };
        for (operation, sets, expected) in [
            (Operation::Intersection, &all[..2], &[3, 2][..]),
            (Operation::Intersection, &all[..3], &[]),
            (Operation::Intersection, &[Some(&big), Some(&two)], &[2, 3, 8, 7, 6]),
            (Operation::Intersection, &[], &[]),
            (Operation::Union, &all, &[3, 1, 2, 9, 8, 7, 6]),
            (Operation::Difference, &all[..2], &[1, 9]),
            (Operation::Difference, &[Some(&two), Some(&six), Some(&one)], &[8, 7]),
            (Operation::Difference, &[Some(&two), Some(&six), Some(&six)], &[2, 3, 8, 7]),
            (Operation::Difference, &[None, Some(&one)], &[]),
            (Operation::Difference, &[Some(&six), None], &[6]),
        ] {
            assert_eq!(result(operation, sets), integers(expected), "{operation:?} of {sets:?}");
        }
        let collected = Operation::Union.collect(&all, &limits());
        assert_eq!(collected.len(), 7);
    }
}
