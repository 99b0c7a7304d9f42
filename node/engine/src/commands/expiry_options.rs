//! Points in time among the options of `SET`, `GETEX` and their relatives.

use crate::commands::options::{integer, is};
use crate::error::{CommandError, Result};
use crate::spec::{self, Arg, one_of, token, unix_time};

const EX: Arg = spec::integer("seconds").after("EX");
const PX: Arg = spec::integer("milliseconds").after("PX");
const EXAT: Arg = unix_time("unix-time-seconds").after("EXAT");
const PXAT: Arg = unix_time("unix-time-milliseconds").after("PXAT");

/// [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL], for commands that set something.
pub const LIFETIME_OR_KEEPTTL: Arg =
    one_of("expiration", &[EX, PX, EXAT, PXAT, token("keepttl", "KEEPTTL")]).optional();

/// [EX s | PX ms | EXAT s | PXAT ms | PERSIST], for commands that read something.
pub const LIFETIME_OR_PERSIST: Arg =
    one_of("expiration", &[EX, PX, EXAT, PXAT, token("persist", "PERSIST")]).optional();

/// The unit and origin of a time argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// `EX`: seconds from now.
    Seconds,
    /// `PX`: milliseconds from now.
    Milliseconds,
    /// `EXAT`: seconds since the Unix epoch.
    UnixSeconds,
    /// `PXAT`: milliseconds since the Unix epoch.
    UnixMilliseconds,
}

impl TimeUnit {
    /// The unit that an option names.
    pub fn of_option(word: &[u8]) -> Option<TimeUnit> {
        const ALL: [(&str, TimeUnit); 4] = [
            ("ex", TimeUnit::Seconds),
            ("px", TimeUnit::Milliseconds),
            ("exat", TimeUnit::UnixSeconds),
            ("pxat", TimeUnit::UnixMilliseconds),
        ];
        ALL.iter().find(|(name, _)| is(word, name)).map(|(_, unit)| *unit)
    }

    /// Whether the time counts from the Unix epoch.
    pub const fn is_absolute(self) -> bool {
        matches!(self, Self::UnixSeconds | Self::UnixMilliseconds)
    }

    /// The time as milliseconds since the Unix epoch; `None` if it leaves the 64-bit range.
    pub fn at_ms(self, value: i64, now_ms: u64) -> Option<i64> {
        let ms = match self {
            Self::Seconds | Self::UnixSeconds => value.checked_mul(1000)?,
            Self::Milliseconds | Self::UnixMilliseconds => value,
        };
        if self.is_absolute() { Some(ms) } else { ms.checked_add(now_ms as i64) }
    }
}

/// Reads a time that has to be positive, as all commands but the `EXPIRE` family demand.
///
/// # Errors
/// `ERR value is not an integer …` or `ERR invalid expire time in '<name>' command`.
pub fn positive_time(text: &[u8], unit: TimeUnit, now_ms: u64, name: &str) -> Result<u64> {
    let value = integer(text)?;
    let at_ms = unit.at_ms(value, now_ms).filter(|_| value > 0);
    at_ms.map(|at| at as u64).ok_or_else(|| CommandError::invalid_expire(name))
}
