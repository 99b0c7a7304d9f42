//! No acknowledged append is lost, none happens twice, none that was refused appears, and appends
//! appear in an order that could have been (promises 1 and 2 of the design).
//!
//! The last read of each list, taken when everything has healed, is what counts.
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
    let final_read = operations.iter().rev().find_map(|op| match &op.told {
        Told::List(list) => Some((op.called, list)),
        _ => None,
    });
    let appends: Vec<(u64, &Operation)> = operations
        .iter()
        .filter_map(|op| match op.ask {
            Ask::Append(value) => Some((value, *op)),
            _ => None,
        })
        .collect();
    let Some((read_at, elements)) = final_read else {
        return if appends.is_empty() { Ok(()) } else { Err("was never read at the end".into()) };
    };
    for (value, append) in &appends {
        let seen = elements.iter().filter(|seen| *seen == value).count();
        match (&append.told, seen) {
            (Told::Ok, 1) | (Told::Unknown, 0 | 1) | (Told::Refused, 0) => {}
            (Told::Ok, 0) if append.returned > read_at => {}
            (told, seen) => {
                return Err(format!("append of {value}, told {told:?}, is there {seen} times"));
            }
        }
    }
    for pair in elements.windows(2) {
        in_order(pair, &appends)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn append(called: u64, returned: u64, value: u64, told: Told) -> Operation {
        Operation { client: 0, key: "l".into(), ask: Ask::Append(value), called, returned, told }
    }

    fn read(list: &[u64]) -> Operation {
        Operation {
            client: 0,
            key: "l".into(),
            ask: Ask::ReadList,
            called: 100,
            returned: 101,
            told: Told::List(list.to_vec()),
        }
    }

    #[test]
    fn what_was_acknowledged_has_to_be_there_once() {
        let one = append(1, 2, 1, Told::Ok);
        assert!(check(&[one.clone(), read(&[1])]).is_ok());
        assert!(check(&[one.clone(), read(&[])]).is_err());
        assert!(check(&[one.clone(), read(&[1, 1])]).is_err());
        assert!(check(&[one]).is_err(), "a list that is never read proves nothing");
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
        let (one, two) = (append(1, 2, 1, Told::Ok), append(3, 4, 2, Told::Ok));
        assert!(check(&[one.clone(), two.clone(), read(&[1, 2])]).is_ok());
        assert!(check(&[one, two, read(&[2, 1])]).is_err());
    }
}
