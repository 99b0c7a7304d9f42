//! Reads and writes of a register look as if each happened at one moment between its call and its
//! return (promises 1 and 3 of the design).
//!
//! Linearizability is local: a history is linearizable if that of each key is, so keys are checked
//! one by one. The search is that of Wing and Gong, with Lowe's memory of visited states.
//!
//! Sources: Herlihy and Wing, "Linearizability", TOPLAS 1990; Wing and Gong, "Testing and
//! verifying concurrent objects", JPDC 1993; Lowe, "Testing for linearizability", 2016.

use std::collections::BTreeSet;

use super::by_key;
use crate::history::{Ask, Operation, Told};

/// Checks every register.
///
/// # Errors
/// Names the register and its operations.
pub fn check(history: &[Operation]) -> Result<(), String> {
    for (key, operations) in by_key(history) {
        let steps: Vec<Step> = operations.iter().filter_map(|op| Step::of(op)).collect();
        if !is_linearizable(&steps) {
            let shown: Vec<_> = operations.iter().map(|op| format!("  {op:?}")).collect();
            return Err(format!("register {key} is not linearizable:\n{}", shown.join("\n")));
        }
    }
    Ok(())
}

/// A read or write as the search sees it.
#[derive(Clone, Copy, Debug)]
struct Step {
    called: u64,
    returned: u64,
    /// The value written, or for a read the value seen.
    effect: Effect,
    /// Whether it certainly happened.
    certain: bool,
}

#[derive(Clone, Copy, Debug)]
enum Effect {
    Write(u64),
    Read(Option<u64>),
}

impl Step {
    /// `None` for what cannot matter: a refused operation, an unanswered read.
    fn of(operation: &Operation) -> Option<Step> {
        let (effect, certain) = match (&operation.ask, &operation.told) {
            (Ask::Write(value), Told::Ok) => (Effect::Write(*value), true),
            (Ask::Write(value), Told::Unknown) => (Effect::Write(*value), false),
            (Ask::Read, Told::Value(value)) => (Effect::Read(*value), true),
            _ => return None,
        };
        Some(Step { called: operation.called, returned: operation.returned, effect, certain })
    }
}

/// Which steps have been placed, one bit each.
type Placed = Vec<u64>;
/// States that lead nowhere.
type Visited = BTreeSet<(Placed, Option<u64>)>;

fn is_linearizable(steps: &[Step]) -> bool {
    let mut placed: Placed = vec![0; steps.len().div_ceil(64)];
    search(steps, &mut placed, None, &mut Visited::default())
}

fn search(steps: &[Step], placed: &mut Placed, value: Option<u64>, visited: &mut Visited) -> bool {
    let open = |at: &usize| placed[at / 64] & (1 << (at % 64)) == 0;
    let left: Vec<usize> = (0..steps.len()).filter(open).collect();
    if left.iter().all(|at| !steps[*at].certain) {
        return true;
    }
    if !visited.insert((placed.clone(), value)) {
        return false;
    }
    // Only what was called before the first return may come next.
    let first_return = left.iter().map(|at| steps[*at].returned).min().unwrap_or(u64::MAX);
    for at in left.into_iter().filter(|at| steps[*at].called < first_return) {
        let next = match steps[at].effect {
            Effect::Write(written) => Some(written),
            Effect::Read(seen) if seen == value => value,
            Effect::Read(_) => continue,
        };
        placed[at / 64] |= 1 << (at % 64);
        let found = search(steps, placed, next, visited);
        placed[at / 64] &= !(1 << (at % 64));
        if found {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(called: u64, returned: u64, ask: Ask, told: Told) -> Operation {
        Operation { client: 0, key: "r".into(), ask, called, returned, told }
    }

    fn write(called: u64, returned: u64, value: u64) -> Operation {
        step(called, returned, Ask::Write(value), Told::Ok)
    }

    fn read(called: u64, returned: u64, value: Option<u64>) -> Operation {
        step(called, returned, Ask::Read, Told::Value(value))
    }

    #[test]
    fn a_history_in_sequence_is_accepted() {
        let history = [read(1, 2, None), write(3, 4, 1), read(5, 6, Some(1)), write(7, 8, 2)];
        assert!(check(&history).is_ok());
    }

    #[test]
    fn overlapping_operations_may_take_effect_in_either_order() {
        let one = [write(1, 10, 1), write(2, 9, 2), read(11, 12, Some(1))];
        let other = [write(1, 10, 1), write(2, 9, 2), read(11, 12, Some(2))];
        assert!(check(&one).is_ok() && check(&other).is_ok());
    }

    #[test]
    fn a_stale_read_is_found() {
        assert!(check(&[write(1, 2, 1), write(3, 4, 2), read(5, 6, Some(1))]).is_err());
    }

    #[test]
    fn a_lost_write_is_found() {
        assert!(check(&[write(1, 2, 1), read(3, 4, None)]).is_err());
    }

    #[test]
    fn a_read_that_goes_back_in_time_is_found() {
        let history = [write(1, 20, 1), read(2, 3, Some(1)), read(4, 5, None)];
        assert!(check(&history).is_err());
    }

    #[test]
    fn an_unknown_write_may_happen_late_or_never_but_not_twice() {
        let unknown = step(3, u64::MAX, Ask::Write(2), Told::Unknown);
        let never = [write(1, 2, 1), unknown.clone(), read(4, 5, Some(1))];
        let late = [write(1, 2, 1), unknown.clone(), read(4, 5, Some(1)), read(6, 7, Some(2))];
        let undone =
            [write(1, 2, 1), unknown, read(4, 5, Some(2)), write(6, 7, 3), read(8, 9, Some(2))];
        assert!(check(&never).is_ok() && check(&late).is_ok());
        assert!(check(&undone).is_err());
    }

    #[test]
    fn a_refused_write_must_not_be_seen() {
        let refused = step(1, 2, Ask::Write(7), Told::Refused);
        assert!(check(&[refused, read(3, 4, Some(7))]).is_err());
    }
}
