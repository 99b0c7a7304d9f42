//! What the commands on deadlines of fields have in common: `FIELDS numfields field …`, and times.

use crate::command::Args;
use crate::commands::expiry_options::TimeUnit;
use crate::commands::options::{self, is};
use crate::error::{CommandError, Result};
use crate::spec::{Arg, block, integer, string};

/// `FIELDS numfields field [field …]`
pub(super) const FIELDS: Arg =
    block("fields", &[integer("numfields"), string("field").multiple()]).after("FIELDS");

/// What most of the commands say about a number of fields that is none.
pub(super) const POSITIVE: CommandError =
    CommandError::fixed("ERR Number of fields must be a positive integer");
/// What the `HEXPIRE` family says.
pub(super) const ABOVE_ZERO: CommandError =
    CommandError::fixed("ERR Parameter `numFields` should be greater than 0");

const NO_FIELDS: CommandError =
    CommandError::fixed("ERR Mandatory argument FIELDS is missing or not at the right position");
const OTHER_COUNT: CommandError =
    CommandError::fixed("ERR The `numfields` parameter must match the number of arguments");
const NEGATIVE_TIME: CommandError = CommandError::fixed("ERR invalid expire time, must be >= 0");

/// No deadline is later, in milliseconds since the Unix epoch: Redis's limit, a quarter of what 48
/// bits can tell.
const DEADLINE_MS_MAX: i64 = ((1 << 48) - 2) >> 2;

/// Reads `FIELDS numfields` at word `at`, and returns the word at which the fields begin. They go to
/// the end.
///
/// # Errors
/// Redis's texts; `not_positive` for a number that is none.
pub(super) fn fields(args: &Args<'_>, at: usize, not_positive: CommandError) -> Result<usize> {
    if !args.try_get(at).is_some_and(|word| is(word, "fields")) {
        return Err(NO_FIELDS);
    }
    let Some(count) = args.try_get(at + 1) else { return Err(not_positive) };
    let count = options::integer_or(count, not_positive.clone())?;
    if count < 1 {
        return Err(not_positive);
    }
    let first = at + 2;
    let matches = usize::try_from(count).ok() == args.len().checked_sub(first);
    if matches { Ok(first) } else { Err(OTHER_COUNT) }
}

/// Reads a deadline, which may have come already.
///
/// # Errors
/// That it is not an integer, negative or too far away; `name` is the command's.
pub(super) fn deadline(text: &[u8], unit: TimeUnit, now_ms: u64, name: &str) -> Result<u64> {
    let value = options::integer(text)?;
    if value < 0 {
        return Err(NEGATIVE_TIME);
    }
    let at_ms = unit.at_ms(value, now_ms).filter(|at_ms| *at_ms <= DEADLINE_MS_MAX);
    at_ms.map(|at_ms| at_ms as u64).ok_or_else(|| CommandError::invalid_expire(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_bounded() {
        const TOO_FAR: CommandError = CommandError::fixed("ERR invalid expire time in 'x' command");
        for (text, unit, expected) in [
            ("0", TimeUnit::UnixSeconds, Ok(0)),
            ("10", TimeUnit::Seconds, Ok(11_000)),
            ("10", TimeUnit::Milliseconds, Ok(1010)),
            ("70368744177663", TimeUnit::UnixMilliseconds, Ok(70_368_744_177_663)),
            ("70368744177664", TimeUnit::UnixMilliseconds, Err(TOO_FAR)),
            ("70368744177663", TimeUnit::Milliseconds, Err(TOO_FAR)),
            ("70368744177", TimeUnit::UnixSeconds, Ok(70_368_744_177_000)),
            ("9223372036854775807", TimeUnit::Seconds, Err(TOO_FAR)),
            ("-1", TimeUnit::Seconds, Err(NEGATIVE_TIME)),
        ] {
            assert_eq!(deadline(text.as_bytes(), unit, 1000, "x"), expected, "{text} {unit:?}");
        }
    }
}
