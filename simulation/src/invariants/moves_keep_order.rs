//! What moves along a chain of lists is in one of them at any time: an item is moved once from each
//! list at most, ends where it was moved to, and does not overtake another (promises 1 and 2 of the
//! design). There is no excuse: an unknown move has either happened or not.
//!
//! That no item is lost is checked as for lists, on the last list, when everything has been moved.
//!
//! Source: the order of a queue in Herlihy and Wing, "Linearizability", TOPLAS 1990.

use std::collections::BTreeMap;

use super::by_key;
use crate::history::{Ask, Operation, Told};

/// Checks every chain.
///
/// # Errors
/// Names the chain and the item.
pub fn check(history: &[Operation]) -> Result<(), String> {
    for (key, operations) in by_key(history) {
        check_chain(&operations).map_err(|problem| format!("chain {key}: {problem}"))?;
    }
    Ok(())
}

fn check_chain(operations: &[&Operation]) -> Result<(), String> {
    let moves = operations.iter().filter_map(|op| match (&op.ask, &op.told) {
        (Ask::Move, Told::Popped(Some((from, value)))) => Some((*from, *value, *op)),
        _ => None,
    });
    let mut lists = BTreeMap::<usize, BTreeMap<u64, &Operation>>::new();
    for (from, value, operation) in moves {
        if let Some(before) = lists.entry(from).or_default().insert(value, operation) {
            return Err(format!("{value} was moved twice: {before:?}, {operation:?}"));
        }
    }
    let last = operations.iter().rev().find_map(|op| match &op.told {
        Told::Lists(lists) => Some(lists[0].as_slice()),
        _ => None,
    });
    lists.values().try_for_each(|moves| check_order(moves, last.unwrap_or_default()))
}

/// Of two items, the one that certainly left a list first has to be in front in the last list.
fn check_order(moves: &BTreeMap<u64, &Operation>, last: &[u64]) -> Result<(), String> {
    let places: BTreeMap<u64, usize> =
        last.iter().enumerate().map(|(place, value)| (*value, place)).collect();
    for (value, early) in moves {
        let Some(place) = places.get(value) else {
            return Err(format!("{value} did not arrive: {early:?}"));
        };
        let overtook = moves.iter().find(|(other, late)| {
            early.returned < late.called && places.get(other).is_some_and(|at| at < place)
        });
        if let Some((other, _)) = overtook {
            return Err(format!("{other} overtook {value}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(called: u64, ask: Ask, told: Told) -> Operation {
        Operation { client: 0, key: "chain".into(), ask, called, returned: called + 1, told }
    }

    fn moved(called: u64, from: usize, value: u64) -> Operation {
        step(called, Ask::Move, Told::Popped(Some((from, value))))
    }

    fn last(values: &[u64]) -> Operation {
        step(99, Ask::ReadLists, Told::Lists(vec![values.to_vec()]))
    }

    #[test]
    fn an_item_is_moved_once_from_each_list() {
        assert!(check(&[moved(1, 0, 1), moved(3, 1, 1), last(&[1])]).is_ok());
        assert!(check(&[moved(1, 0, 1), moved(3, 0, 1), last(&[1])]).is_err());
    }

    #[test]
    fn an_item_that_does_not_arrive_is_found() {
        assert!(check(&[moved(1, 0, 1), last(&[])]).is_err());
        assert!(check(&[step(1, Ask::Move, Told::Unknown), last(&[])]).is_ok());
    }

    #[test]
    fn an_item_that_overtakes_is_found() {
        let (one, other) = (moved(1, 0, 1), moved(3, 0, 2));
        assert!(check(&[one.clone(), other.clone(), last(&[1, 2])]).is_ok());
        assert!(check(&[one.clone(), other, last(&[2, 1])]).is_err());
        assert!(check(&[one, moved(2, 0, 2), last(&[2, 1])]).is_ok(), "they overlap");
    }
}
