//! What commands that can wait have in common: their timeouts.
//!
//! In the engine nobody waits. A command that finds nothing says so with
//! [`WriteCx::found_nothing`](crate::WriteCx::found_nothing) and replies as it would inside a
//! transaction; whether its client then waits is up to the node.

use super::options;
use crate::command::Args;
use crate::error::{Result, TIMEOUT_NEGATIVE, TIMEOUT_NOT_FLOAT, TIMEOUT_OUT_OF_RANGE};
use crate::spec::{ArgKind, Spec};

/// The longest time that can be told, in milliseconds.
const FOREVER_MS: f64 = i64::MAX as f64;

/// Reads a timeout in seconds, which may have a fraction. Returns it in milliseconds, rounded up;
/// none for zero, which stands for no end. `now_ms` is when it begins.
///
/// # Errors
/// That it is no number, negative, or ends too late to be told.
pub fn timeout(word: &[u8], now_ms: u64) -> Result<Option<u64>> {
    let seconds = options::double(word).map_err(|_| TIMEOUT_NOT_FLOAT)?;
    let millis = libm::ceil(seconds * 1000.0);
    if millis >= FOREVER_MS {
        return Err(TIMEOUT_OUT_OF_RANGE);
    }
    if millis < 0.0 {
        return Err(TIMEOUT_NEGATIVE);
    }
    let millis = millis as u64;
    if millis > i64::MAX as u64 - now_ms.min(i64::MAX as u64) {
        return Err(TIMEOUT_OUT_OF_RANGE);
    }
    Ok((millis > 0).then_some(millis))
}

/// Which word of a request is the timeout in seconds: the first or the last one.
pub fn timeout_word(spec: &Spec, args: &Args<'_>) -> usize {
    let is_first = spec.args.first().is_some_and(|arg| arg.kind == ArgKind::Double);
    if is_first { 1 } else { args.len() - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_redis_reads_them() {
        let table: [(&[u8], _); 12] = [
            (b"0", Ok(None)),
            (b"0.0", Ok(None)),
            (b"1", Ok(Some(1000))),
            (b"0.001", Ok(Some(1))),
            (b"0.0001", Ok(Some(1))),
            (b"2.5", Ok(Some(2500))),
            (b"-1", Err(TIMEOUT_NEGATIVE)),
            (b"-0.001", Err(TIMEOUT_NEGATIVE)),
            (b"x", Err(TIMEOUT_NOT_FLOAT)),
            (b"nan", Err(TIMEOUT_NOT_FLOAT)),
            (b"inf", Err(TIMEOUT_OUT_OF_RANGE)),
            (b"9223372036854775", Err(TIMEOUT_OUT_OF_RANGE)),
        ];
        for (word, expected) in table {
            let text = core::str::from_utf8(word).unwrap_or_default();
            assert_eq!(timeout(word, 1_700_000_000_000), expected, "{text}");
        }
    }
}
