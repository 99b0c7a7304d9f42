//! A consumer group hands every entry to one of its consumers, lets others take it over only when
//! it has been there for as long as they ask, and takes one acknowledgement for it, after which
//! nobody is given it again; at no time do two consumers have it. When the group is drained, every
//! entry has been acknowledged (promises 1 and 2 of the design).
//!
//! That no entry is lost from the stream is checked as for lists. All clocks of a run agree.
//!
//! Source: the description of consumer groups in the documentation of Redis streams; the time for
//! which an entry is left to a consumer is a lease as of Gray and Cheriton, "Leases", SOSP 1989.

use std::collections::{BTreeMap, BTreeSet};

use super::by_key;
use crate::history::{Ask, Operation, Told};

/// Checks every stream. At the end its group has to have been drained.
///
/// # Errors
/// Names the stream and the entry.
pub fn check(history: &[Operation]) -> Result<(), String> {
    for (key, operations) in by_key(history) {
        check_group(&operations).map_err(|problem| format!("stream {key}: {problem}"))?;
    }
    Ok(())
}

/// A consumer was given an entry.
#[derive(Clone, Copy)]
struct Taking<'a> {
    operation: &'a Operation,
    /// How long it had to have been with another, in milliseconds; nothing if it was new.
    idle_ms: Option<u64>,
    from_ms: u64,
    until_ms: u64,
}

/// What happened to an entry.
#[derive(Default)]
struct Fate<'a> {
    takings: Vec<Taking<'a>>,
    acknowledgements: Vec<&'a Operation>,
}

fn check_group(operations: &[&Operation]) -> Result<(), String> {
    if !operations.iter().any(|op| matches!(op.ask, Ask::Deliver { .. })) {
        return Ok(());
    }
    let mut fates = BTreeMap::<u64, Fate<'_>>::new();
    for operation in operations {
        note(operation, &mut fates);
        check_owners(operation)?;
    }
    fates.iter().try_for_each(|(value, fate)| {
        check_takings(&fate.takings).map_err(|problem| format!("{value} {problem}"))?;
        check_acknowledgements(fate).map_err(|problem| format!("{value} {problem}"))
    })
}

fn note<'a>(operation: &'a Operation, fates: &mut BTreeMap<u64, Fate<'a>>) {
    let mut take = |values: &[u64], idle_ms, from_ms, until_ms| {
        for value in values {
            let taking = Taking { operation, idle_ms, from_ms, until_ms };
            fates.entry(*value).or_default().takings.push(taking);
        }
    };
    match (&operation.ask, &operation.told) {
        (Ask::Deliver { at_ms }, Told::Delivered { values, at_ms: until_ms }) => {
            take(values, None, *at_ms, *until_ms);
        }
        (Ask::Claim { idle_ms, at_ms }, Told::Delivered { values, at_ms: until_ms }) => {
            take(values, Some(*idle_ms), *at_ms, *until_ms);
        }
        (Ask::Acknowledge(value), _) => {
            fates.entry(*value).or_default().acknowledgements.push(operation);
        }
        (Ask::Append(value), Told::Ok) => {
            fates.entry(*value).or_default();
        }
        _ => {}
    }
}

/// Whether each pending entry has one owner, in one answer.
fn check_owners(operation: &Operation) -> Result<(), String> {
    let Told::Pending { group, consumers } = &operation.told else { return Ok(()) };
    let mut owned = BTreeSet::new();
    for id in consumers.iter().flatten() {
        if !owned.insert(id) {
            return Err(format!("two consumers have {id}: {operation:?}"));
        }
    }
    if owned != group.iter().collect() {
        return Err(format!(
            "the group and its consumers wait for different entries: {operation:?}"
        ));
    }
    Ok(())
}

fn check_takings(takings: &[Taking<'_>]) -> Result<(), String> {
    let fresh = takings.iter().filter(|taking| taking.idle_ms.is_none()).count();
    if fresh > 1 {
        return Err(format!("was delivered {fresh} times as if it were new"));
    }
    for (at, one) in takings.iter().enumerate() {
        for other in &takings[at + 1..] {
            let apart_ms = one.until_ms.max(other.until_ms) - one.from_ms.min(other.from_ms);
            // Whichever was first: what is taken over has to have been left alone for that long.
            let least_ms = [one.idle_ms, other.idle_ms].into_iter().flatten().min();
            if least_ms.is_some_and(|least_ms| apart_ms < least_ms) {
                let [one, other] = [one, other].map(|taking| taking.operation);
                return Err(format!("was two consumers' at a time: {one:?}, {other:?}"));
            }
        }
    }
    Ok(())
}

fn check_acknowledgements(fate: &Fate<'_>) -> Result<(), String> {
    let told = |told: Told| move |op: &&&Operation| op.told == told;
    let acknowledgements = fate.acknowledgements.iter();
    let first = acknowledgements.clone().filter(told(Told::Acknowledged(true))).count();
    if first > 1 {
        return Err(format!("was acknowledged for the first time {first} times"));
    }
    if first + acknowledgements.clone().filter(told(Told::Unknown)).count() == 0 {
        return Err("was never acknowledged".into());
    }
    for done in acknowledgements.filter(|op| matches!(op.told, Told::Acknowledged(_))) {
        let again = fate.takings.iter().find(|taking| done.returned < taking.operation.called);
        if let Some(again) = again {
            return Err(format!("came back after {done:?}: {:?}", again.operation));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(called: u64, ask: Ask, told: Told) -> Operation {
        Operation { client: 0, key: "s".into(), ask, called, returned: called + 1, told }
    }

    fn add() -> Operation {
        step(1, Ask::Append(7), Told::Ok)
    }

    fn deliver(called: u64, at_ms: u64) -> Operation {
        let told = Told::Delivered { values: vec![7], at_ms: at_ms + 5 };
        step(called, Ask::Deliver { at_ms }, told)
    }

    fn claim(called: u64, at_ms: u64) -> Operation {
        let told = Told::Delivered { values: vec![7], at_ms: at_ms + 5 };
        step(called, Ask::Claim { idle_ms: 300, at_ms }, told)
    }

    fn acknowledge(called: u64, told: Told) -> Operation {
        step(called, Ask::Acknowledge(7), told)
    }

    const FIRST: Told = Told::Acknowledged(true);
    const AGAIN: Told = Told::Acknowledged(false);

    #[test]
    fn an_entry_is_new_once() {
        assert!(check(&[add(), deliver(3, 10), acknowledge(9, FIRST)]).is_ok());
        assert!(check(&[add(), deliver(3, 10), deliver(5, 900), acknowledge(9, FIRST)]).is_err());
    }

    #[test]
    fn an_entry_is_left_to_its_consumer_for_a_while() {
        let claimed =
            |at_ms| check(&[add(), deliver(3, 10), claim(5, at_ms), acknowledge(9, FIRST)]);
        assert!(claimed(310).is_ok());
        assert!(claimed(290).is_err());
        let twice = |at_ms| {
            check(&[add(), deliver(3, 10), claim(5, 400), claim(6, at_ms), acknowledge(9, FIRST)])
        };
        assert!(twice(700).is_ok());
        assert!(twice(410).is_err());
    }

    #[test]
    fn one_acknowledgement_is_the_first() {
        let told = |one, other| {
            check(&[add(), deliver(3, 10), acknowledge(5, one), acknowledge(7, other)])
        };
        assert!(told(FIRST, AGAIN).is_ok());
        assert!(told(FIRST, FIRST).is_err());
    }

    #[test]
    fn an_entry_that_comes_back_is_found() {
        for first in [FIRST, AGAIN] {
            let unknown = acknowledge(5, Told::Unknown);
            let done = acknowledge(7, first);
            let history = [add(), deliver(3, 10), unknown, done, claim(9, 900)];
            assert!(check(&history[..4]).is_ok());
            assert!(check(&history).is_err());
        }
    }

    #[test]
    fn an_entry_that_the_group_loses_is_found() {
        assert!(check(&[add(), step(3, Ask::Deliver { at_ms: 1 }, Told::Unknown)]).is_err());
        assert!(check(&[add(), deliver(3, 10), acknowledge(5, AGAIN)]).is_err());
        assert!(check(&[add(), deliver(3, 10), acknowledge(5, Told::Unknown)]).is_ok());
    }

    #[test]
    fn an_entry_with_two_owners_is_found() {
        let shown = |group: &[&str], consumers: &[&[&str]]| {
            let texts = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
            let consumers = consumers.iter().map(|ids| texts(ids)).collect();
            let told = Told::Pending { group: texts(group), consumers };
            let empty = Told::Delivered { values: Vec::new(), at_ms: 1 };
            check(&[step(1, Ask::Deliver { at_ms: 1 }, empty), step(3, Ask::ReadPending, told)])
        };
        assert!(shown(&["1-0", "2-0"], &[&["2-0"], &["1-0"]]).is_ok());
        assert!(shown(&["1-0", "2-0"], &[&["2-0", "1-0"], &["1-0"]]).is_err());
        assert!(shown(&["1-0", "2-0"], &[&["2-0"], &[]]).is_err());
        assert!(shown(&["1-0"], &[&["2-0"], &["1-0"]]).is_err());
    }
}
