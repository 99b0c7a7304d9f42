//! What was pushed is popped at most once, and if the push was acknowledged exactly once by the
//! time the queue is empty, in the order pushed (promises 1 and 2 of the design).
//!
//! A pop whose outcome is unknown may have taken one item with it.
//!
//! Source: the total-queue checker of Jepsen; the order is that of a queue in Herlihy and Wing,
//! "Linearizability", TOPLAS 1990.

use std::collections::BTreeMap;

use super::by_key;
use crate::history::{Ask, Operation, Told};

/// Checks every queue. The last pop has to have found it empty.
///
/// # Errors
/// Names the queue and the item.
pub fn check(history: &[Operation]) -> Result<(), String> {
    for (key, operations) in by_key(history) {
        check_queue(&operations).map_err(|problem| format!("queue {key}: {problem}"))?;
    }
    Ok(())
}

/// An item's way through the queue.
#[derive(Clone, Copy)]
struct Item<'a> {
    push: &'a Operation,
    pop: &'a Operation,
}

fn check_queue(operations: &[&Operation]) -> Result<(), String> {
    let pushes: BTreeMap<u64, &Operation> = operations
        .iter()
        .filter_map(|op| match op.ask {
            Ask::Push(value) => Some((value, *op)),
            _ => None,
        })
        .collect();
    let mut items = BTreeMap::new();
    for pop in operations {
        let Told::Popped(Some(value)) = pop.told else { continue };
        let Some(push) = pushes.get(&value) else {
            return Err(format!("{value} was never pushed: {pop:?}"));
        };
        if push.told == Told::Refused || pop.returned < push.called {
            return Err(format!("{pop:?} although {push:?}"));
        }
        if items.insert(value, Item { push, pop }).is_some() {
            return Err(format!("{value} was popped twice, at last by {pop:?}"));
        }
    }
    check_losses(operations, &pushes, &items)?;
    check_order(&items.into_values().collect::<Vec<_>>())
}

fn check_losses(
    operations: &[&Operation],
    pushes: &BTreeMap<u64, &Operation>,
    items: &BTreeMap<u64, Item<'_>>,
) -> Result<(), String> {
    let is_lost =
        |(value, push): &(&u64, &&Operation)| push.told == Told::Ok && !items.contains_key(value);
    let lost: Vec<u64> = pushes.iter().filter(is_lost).map(|(value, _)| *value).collect();
    let may_have_popped = |op: &&&Operation| op.ask == Ask::Pop && op.told == Told::Unknown;
    let excuses = operations.iter().filter(may_have_popped).count();
    if lost.len() > excuses {
        return Err(format!("{lost:?} are lost, and only {excuses} pops are unknown"));
    }
    Ok(())
}

/// Of two items, the one that was certainly pushed first must not certainly be popped last.
fn check_order(items: &[Item<'_>]) -> Result<(), String> {
    for early in items {
        let overtaken = |late: &&Item<'_>| {
            early.push.returned < late.push.called && late.pop.returned < early.pop.called
        };
        if let Some(late) = items.iter().find(overtaken) {
            return Err(format!("{:?} overtook {:?}", late.pop, early.pop));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(called: u64, ask: Ask, told: Told) -> Operation {
        let returned = if told == Told::Unknown { u64::MAX } else { called + 1 };
        Operation { client: 0, key: "q".into(), ask, called, returned, told }
    }

    fn push(called: u64, value: u64) -> Operation {
        step(called, Ask::Push(value), Told::Ok)
    }

    fn pop(called: u64, value: u64) -> Operation {
        step(called, Ask::Pop, Told::Popped(Some(value)))
    }

    #[test]
    fn a_second_delivery_is_found() {
        assert!(check(&[push(1, 1), pop(3, 1)]).is_ok());
        assert!(check(&[push(1, 1), pop(3, 1), pop(5, 1)]).is_err());
    }

    #[test]
    fn a_loss_is_found_unless_an_unknown_pop_explains_it() {
        let unknown = step(3, Ask::Pop, Told::Unknown);
        assert!(check(&[push(1, 1)]).is_err());
        assert!(check(&[push(1, 1), unknown.clone()]).is_ok());
        assert!(check(&[push(1, 1), push(1, 2), unknown]).is_err());
    }

    #[test]
    fn items_from_nowhere_are_found() {
        assert!(check(&[pop(3, 1)]).is_err());
        assert!(check(&[step(1, Ask::Push(1), Told::Refused), pop(3, 1)]).is_err());
        assert!(check(&[step(1, Ask::Push(1), Told::Unknown), pop(3, 1)]).is_ok());
        assert!(check(&[pop(1, 1), push(3, 1)]).is_err());
    }

    #[test]
    fn an_item_that_overtakes_is_found() {
        assert!(check(&[push(1, 1), push(3, 2), pop(5, 1), pop(7, 2)]).is_ok());
        assert!(check(&[push(1, 1), push(3, 2), pop(5, 2), pop(7, 1)]).is_err());
    }
}
