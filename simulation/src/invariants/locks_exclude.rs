//! Nobody is given a lock while somebody else has it, and the numbers that holders draw grow with
//! time (promises 1 to 3 of the design).
//!
//! A client has a lock from the moment it is told so until it begins to release it, but no longer
//! than the time to live, counted from the moment it asked. All clocks of a run agree.
//!
//! Sources: Gray and Cheriton, "Leases", SOSP 1989; the fencing of Kleppmann, "How to do
//! distributed locking", 2016.

use super::by_key;
use crate::history::{Ask, Operation, Told};

/// Checks every lock and every fence.
///
/// # Errors
/// Names two clients that had one lock, or two numbers in the wrong order.
pub fn check(history: &[Operation]) -> Result<(), String> {
    for (key, operations) in by_key(history) {
        check_holds(&holds(&operations)).map_err(|problem| format!("{key}: {problem}"))?;
        check_numbers(&operations).map_err(|problem| format!("{key}: {problem}"))?;
    }
    Ok(())
}

/// A time, in milliseconds, for which a client can count on a lock.
#[derive(Clone, Copy, Debug)]
struct Hold {
    token: u64,
    from_ms: u64,
    until_ms: u64,
}

impl Hold {
    fn describe(&self) -> String {
        format!("{} from {} to {} ms", self.token, self.from_ms, self.until_ms)
    }
}

fn holds(operations: &[&Operation]) -> Vec<Hold> {
    let released = |token| {
        operations.iter().find_map(|operation| match operation.ask {
            Ask::Release { token: it, at_ms } if it == token => Some(at_ms),
            _ => None,
        })
    };
    let hold = |operation: &&Operation| match (&operation.ask, &operation.told) {
        (&Ask::Acquire { token, until_ms }, &Told::Held { from_ms }) => {
            let until_ms = released(token).unwrap_or(until_ms).min(until_ms);
            Some(Hold { token, from_ms, until_ms })
        }
        _ => None,
    };
    operations.iter().filter_map(hold).collect()
}

fn check_holds(holds: &[Hold]) -> Result<(), String> {
    for (at, one) in holds.iter().enumerate() {
        for other in &holds[at + 1..] {
            if one.from_ms.max(other.from_ms) < one.until_ms.min(other.until_ms) {
                let [one, other] = [one, other].map(Hold::describe);
                return Err(format!("two clients had the lock: {one}, {other}"));
            }
        }
    }
    Ok(())
}

fn check_numbers(operations: &[&Operation]) -> Result<(), String> {
    let drawn = operations.iter().filter_map(|operation| match operation.told {
        Told::Number(number) => Some((number, *operation)),
        _ => None,
    });
    let drawn: Vec<(u64, &Operation)> = drawn.collect();
    for (number, later) in &drawn {
        let before = drawn.iter().filter(|(_, earlier)| earlier.returned < later.called);
        if let Some((wrong, _)) = before.clone().find(|(earlier, _)| earlier >= number) {
            return Err(format!("{number} was drawn after {wrong}"));
        }
        if drawn.iter().filter(|(other, _)| other == number).count() > 1 {
            return Err(format!("{number} was drawn twice"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(called: u64, ask: Ask, told: Told) -> Operation {
        Operation { client: 0, key: "lock".into(), ask, called, returned: called + 1, told }
    }

    fn held(token: u64, from_ms: u64, until_ms: u64) -> Operation {
        step(1, Ask::Acquire { token, until_ms }, Told::Held { from_ms })
    }

    #[test]
    fn two_holders_at_a_time_are_found() {
        assert!(check(&[held(1, 10, 400), held(2, 400, 800)]).is_ok());
        assert!(check(&[held(1, 10, 400), held(2, 399, 800)]).is_err());
    }

    #[test]
    fn a_released_lock_may_be_given_to_another() {
        let release = step(5, Ask::Release { token: 1, at_ms: 100 }, Told::Unknown);
        assert!(check(&[held(1, 10, 400), held(2, 120, 500)]).is_err());
        assert!(check(&[held(1, 10, 400), release, held(2, 120, 500)]).is_ok());
    }

    #[test]
    fn a_lock_that_arrives_too_late_is_nobodys() {
        assert!(check(&[held(1, 450, 400), held(2, 440, 800)]).is_ok());
    }

    #[test]
    fn numbers_that_fall_or_repeat_are_found() {
        let draw = |called, number| step(called, Ask::Draw, Told::Number(number));
        assert!(check(&[draw(1, 1), draw(3, 2)]).is_ok());
        assert!(check(&[draw(1, 2), draw(3, 1)]).is_err());
        assert!(check(&[draw(1, 1), draw(1, 1)]).is_err());
    }
}
