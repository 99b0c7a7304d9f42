//! No acknowledged append is lost, none happens twice, none that was refused appears, and appends
//! appear in an order that could have been, at the places that clients were told (promises 1 and 2
//! of the design). A read sees everything that was there before it, and nothing from after it
//! (promise 3).
//!
//! The last read of each list, taken when everything has healed, is what the others are held
//! against.
//!
//! Source: the list-append workload of Kingsbury and Alvaro, "Elle", VLDB 2020, reduced to what a
//! single list shows.

use super::by_key;
use crate::history::{Ask, Operation, Told};

/// Checks every list.
///
/// # Errors
/// Names the list and what is wrong with it.
pub fn check(history: &[Operation]) -> Result<(), String> {
    for (key, operations) in by_key(history) {
        check_list(&operations).map_err(|problem| format!("list {key}: {problem}"))?;
    }
    Ok(())
}

fn check_list(operations: &[&Operation]) -> Result<(), String> {
    let reads = operations.iter().filter_map(|op| match &op.told {
        Told::Lists(lists) => Some((*op, lists[0].as_slice())),
        _ => None,
    });
    let reads: Vec<(&Operation, &[u64])> = reads.collect();
    let appends: Vec<(u64, &Operation)> = operations
        .iter()
        .filter_map(|op| match op.ask {
            Ask::Append(value) => Some((value, *op)),
            _ => None,
        })
        .collect();
    let Some((last, elements)) = reads.last() else {
        return if appends.is_empty() { Ok(()) } else { Err("was never read at the end".into()) };
    };
    for append in &appends {
        check_append(append, elements, last.called)?;
    }
    for pair in elements.windows(2) {
        in_order(pair, &appends)?;
    }
    reads.iter().try_for_each(|read| check_read(read, elements, &appends, &reads))
}

fn check_append(
    (value, append): &(u64, &Operation),
    elements: &[u64],
    read_at: u64,
) -> Result<(), String> {
    let seen = elements.iter().filter(|seen| *seen == value).count();
    match (&append.told, seen) {
        (Told::Lengths(lengths), 1) if elements.get(lengths[0] as usize - 1) == Some(value) => {}
        (Told::Ok, 1) | (Told::Unknown, 0 | 1) | (Told::Refused, 0) => {}
        (Told::Lengths(_), 0) if append.returned > read_at => {}
        (told, seen) => {
            return Err(format!("append of {value}, told {told:?}, is there {seen} times"));
        }
    }
    Ok(())
}

/// Whether two neighbours of the list can stand in this order: the later one must not have returned
/// before the earlier one was called.
fn in_order(pair: &[u64], appends: &[(u64, &Operation)]) -> Result<(), String> {
    let find = |value| appends.iter().find(|(v, _)| *v == value).map(|(_, op)| *op);
    let (Some(first), Some(second)) = (find(pair[0]), find(pair[1])) else {
        return Err(format!("{pair:?} holds a value that nobody appended"));
    };
    if second.returned < first.called {
        return Err(format!("{} stands before {}, which had returned before", pair[0], pair[1]));
    }
    Ok(())
}

/// Whether a read saw the beginning of the last one: at least what had been there for certain, and
/// nothing that was appended later.
fn check_read(
    (read, seen): &(&Operation, &[u64]),
    elements: &[u64],
    appends: &[(u64, &Operation)],
    reads: &[(&Operation, &[u64])],
) -> Result<(), String> {
    if !elements.starts_with(seen) {
        return Err(format!("what client {} read is not how the list began", read.client));
    }
    let appended = appends.iter().filter_map(|(_, append)| match &append.told {
        Told::Lengths(lengths) => Some((*append, lengths[0] as usize)),
        _ => None,
    });
    let known = appended.chain(reads.iter().map(|(read, seen)| (*read, seen.len())));
    for (other, length) in known {
        if other.returned < read.called && seen.len() < length {
            return Err(format!("a stale read: {read:?} after {other:?}"));
        }
        let is_append = matches!(other.ask, Ask::Append(_));
        if is_append && read.returned < other.called && seen.len() >= length {
            return Err(format!("a read from the future: {read:?} before {other:?}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(called: u64, returned: u64, value: u64, told: Told) -> Operation {
        Operation { client: 0, key: "l".into(), ask: Ask::Append(value), called, returned, told }
    }

    fn at(length: u64) -> Told {
        Told::Lengths(vec![length])
    }

    fn read(list: &[u64]) -> Operation {
        Operation {
            client: 0,
            key: "l".into(),
            ask: Ask::ReadLists,
            called: 100,
            returned: 101,
            told: Told::Lists(vec![list.to_vec()]),
        }
    }

    #[test]
    fn what_was_acknowledged_has_to_be_there_once() {
        let one = append(1, 2, 1, at(1));
        assert!(check(&[one.clone(), read(&[1])]).is_ok());
        assert!(check(&[one.clone(), read(&[])]).is_err());
        assert!(check(&[one.clone(), read(&[1, 1])]).is_err());
        assert!(check(&[one]).is_err(), "a list that is never read proves nothing");
    }

    #[test]
    fn what_was_acknowledged_without_a_place_has_to_be_there_too() {
        let one = append(1, 2, 1, Told::Ok);
        assert!(check(&[one.clone(), read(&[1])]).is_ok());
        assert!(check(&[one.clone(), read(&[])]).is_err());
        assert!(check(&[one, read(&[1, 1])]).is_err());
    }

    #[test]
    fn what_is_unknown_may_be_there_once_or_not() {
        let unknown = append(1, u64::MAX, 1, Told::Unknown);
        assert!(check(&[unknown.clone(), read(&[])]).is_ok());
        assert!(check(&[unknown.clone(), read(&[1])]).is_ok());
        assert!(check(&[unknown, read(&[1, 1])]).is_err());
    }

    #[test]
    fn what_was_refused_must_not_be_there() {
        assert!(check(&[append(1, 2, 1, Told::Refused), read(&[1])]).is_err());
    }

    #[test]
    fn order_follows_time() {
        let (one, two) = (append(1, 2, 1, at(1)), append(3, 4, 2, at(2)));
        assert!(check(&[one.clone(), two.clone(), read(&[1, 2])]).is_ok());
        assert!(check(&[one, two, read(&[2, 1])]).is_err());
    }

    #[test]
    fn a_length_that_cannot_be_is_found() {
        let (one, two) = (append(1, 2, 1, at(1)), append(3, 4, 2, at(3)));
        assert!(check(&[one, two, read(&[1, 2])]).is_err());
    }

    #[test]
    fn reads_on_the_way_are_held_against_the_last() {
        let early = |called, list: &[u64]| Operation { called, returned: called + 1, ..read(list) };
        let (one, two) = (append(1, 2, 1, at(1)), append(5, 6, 2, at(2)));
        let with = |middle| check(&[one.clone(), middle, two.clone(), read(&[1, 2])]);
        assert!(with(early(3, &[1])).is_ok());
        assert!(with(early(3, &[])).is_err(), "a stale read");
        assert!(with(early(3, &[1, 2])).is_err(), "a read from the future");
        assert!(with(early(7, &[1])).is_err(), "a stale read after the last append");
        assert!(with(early(7, &[2, 1])).is_err(), "another order");
    }
}
