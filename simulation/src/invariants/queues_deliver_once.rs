//! What was pushed is popped at most once, and if the push was acknowledged exactly once by the
//! time the queue is empty, in the order pushed (promises 1 and 2 of the design).
//!
//! A pop whose outcome is unknown may have taken one item with it. But nothing is popped for a
//! client that has gone: the item has to have been pushed before the node can have noticed that.
//!
//! Source: the total-queue checker of Jepsen; the order is that of a queue in Herlihy and Wing,
//! "Linearizability", TOPLAS 1990.

use std::collections::BTreeMap;

use super::by_key;
use crate::history::{Ask, Operation, Told};

/// The time in which a node notices that a client has gone, in milliseconds: more than a packet is
/// under way, since clients are never cut off.
const NOTICED_MS: u64 = 50;

/// Checks all queues. The last pop of each has to have found it empty.
///
/// # Errors
/// Names the queues and the item.
pub fn check(history: &[Operation]) -> Result<(), String> {
    for (key, operations) in by_key(history) {
        check_queues(&operations).map_err(|problem| format!("queues {key}: {problem}"))?;
    }
    Ok(())
}

/// An item that was pushed.
#[derive(Clone, Copy)]
struct Item<'a> {
    push: &'a Operation,
    queue: usize,
    at_ms: u64,
    /// What took it.
    pop: Option<&'a Operation>,
}

fn check_queues(operations: &[&Operation]) -> Result<(), String> {
    let pushes = operations.iter().filter_map(|op| match op.ask {
        Ask::Push { queue, value, at_ms } => {
            Some((value, Item { push: op, queue, at_ms, pop: None }))
        }
        _ => None,
    });
    let mut items: BTreeMap<u64, Item<'_>> = pushes.collect();
    for pop in operations.iter().filter(|op| op.ask == Ask::Pop) {
        let Told::Popped(Some((queue, value))) = pop.told else { continue };
        let item = items.get_mut(&value).filter(|item| item.queue == queue);
        let Some(item) = item else {
            return Err(format!("{value} was never pushed there: {pop:?}"));
        };
        if item.push.told == Told::Refused || pop.returned < item.push.called {
            return Err(format!("{pop:?} although {:?}", item.push));
        }
        if item.pop.replace(pop).is_some() {
            return Err(format!("{value} was popped twice, at last by {pop:?}"));
        }
    }
    check_losses(operations, &items)?;
    check_order(&items.into_values().collect::<Vec<_>>())
}

/// Each item that is lost needs an unknown pop of its own that can have taken it.
fn check_losses(operations: &[&Operation], items: &BTreeMap<u64, Item<'_>>) -> Result<(), String> {
    let is_lost = |(_, item): &(&u64, &Item<'_>)| item.push.told == Told::Ok && item.pop.is_none();
    let mut lost: Vec<(u64, u64)> =
        items.iter().filter(is_lost).map(|(value, item)| (item.at_ms, *value)).collect();
    lost.sort_unstable();
    let pops = operations.iter().filter(|op| op.ask == Ask::Pop);
    let excuses: Vec<u64> = pops
        .filter_map(|pop| match pop.told {
            Told::Gone { at_ms } => Some(at_ms + NOTICED_MS),
            Told::Unknown => Some(u64::MAX),
            _ => None,
        })
        .collect();
    for (later, (pushed_ms, value)) in lost.iter().rev().enumerate() {
        let may_have_popped = excuses.iter().filter(|until_ms| *until_ms >= pushed_ms).count();
        if may_have_popped <= later {
            let lost: Vec<u64> = lost.iter().map(|(_, value)| *value).collect();
            return Err(format!(
                "{lost:?} are lost, and only {may_have_popped} unknown pops can have taken {value} \
                 or what was pushed after it"
            ));
        }
    }
    Ok(())
}

/// Of two items, the one that was certainly pushed first must not certainly be popped last.
fn check_order(items: &[Item<'_>]) -> Result<(), String> {
    for early in items {
        let Some(early_pop) = early.pop else { continue };
        let overtaken = |late: &&Item<'_>| {
            early.queue == late.queue
                && early.push.returned < late.push.called
                && late.pop.is_some_and(|late_pop| late_pop.returned < early_pop.called)
        };
        if let Some(late) = items.iter().find(overtaken) {
            return Err(format!("{:?} overtook {early_pop:?}", late.pop));
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

    fn ask(called: u64, value: u64) -> Ask {
        Ask::Push { queue: 0, value, at_ms: called * 100 }
    }

    fn push(called: u64, value: u64) -> Operation {
        step(called, ask(called, value), Told::Ok)
    }

    fn pop(called: u64, value: u64) -> Operation {
        step(called, Ask::Pop, Told::Popped(Some((0, value))))
    }

    fn gone(called: u64, at_ms: u64) -> Operation {
        step(called, Ask::Pop, Told::Gone { at_ms })
    }

    #[test]
    fn a_second_delivery_is_found() {
        assert!(check(&[push(1, 1), pop(3, 1)]).is_ok());
        assert!(check(&[push(1, 1), pop(3, 1), pop(5, 1)]).is_err());
    }

    #[test]
    fn a_loss_is_found_unless_an_unknown_pop_explains_it() {
        assert!(check(&[push(1, 1)]).is_err());
        for unknown in [step(3, Ask::Pop, Told::Unknown), gone(3, 1000)] {
            assert!(check(&[push(1, 1), unknown.clone()]).is_ok());
            assert!(check(&[push(1, 1), push(1, 2), unknown]).is_err());
        }
    }

    #[test]
    fn an_item_that_is_popped_for_a_client_that_has_gone_is_found() {
        assert!(check(&[push(1, 1), gone(1, 60)]).is_ok());
        assert!(check(&[push(1, 1), gone(1, 40)]).is_err());
        let goners = [gone(1, 60), gone(1, 1000)];
        assert!(check(&[&[push(1, 1), push(3, 2)], &goners[..]].concat()).is_ok());
        assert!(check(&[&[push(2, 1), push(3, 2)], &goners[..]].concat()).is_err());
    }

    #[test]
    fn items_from_nowhere_are_found() {
        assert!(check(&[pop(3, 1)]).is_err());
        assert!(check(&[step(1, ask(1, 1), Told::Refused), pop(3, 1)]).is_err());
        assert!(check(&[step(1, ask(1, 1), Told::Unknown), pop(3, 1)]).is_ok());
        assert!(check(&[pop(1, 1), push(3, 1)]).is_err());
        let elsewhere = step(3, Ask::Pop, Told::Popped(Some((1, 1))));
        assert!(check(&[push(1, 1), elsewhere]).is_err());
    }

    #[test]
    fn an_item_that_overtakes_is_found() {
        assert!(check(&[push(1, 1), push(3, 2), pop(5, 1), pop(7, 2)]).is_ok());
        assert!(check(&[push(1, 1), push(3, 2), pop(5, 2), pop(7, 1)]).is_err());
    }
}
