//! Ranges of bytes or bits, as `BITCOUNT` and `BITPOS` take them.

use core::ops::Range;

use crate::commands::options;
use crate::error::{Result, SYNTAX};

/// What the ends of a range count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Byte,
    Bit,
}

impl Unit {
    /// # Errors
    /// `ERR syntax error`.
    pub fn parse(text: Option<&[u8]>) -> Result<Self> {
        match text {
            None => Ok(Unit::Byte),
            Some(word) if options::is(word, "byte") => Ok(Unit::Byte),
            Some(word) if options::is(word, "bit") => Ok(Unit::Bit),
            Some(_) => Err(SYNTAX),
        }
    }
}

/// The bits from `start` to `end`, both included, of a string of `len` bytes. Negative ends count
/// from the end of the string.
pub(super) fn bits(start: i64, end: i64, unit: Unit, len: usize) -> Range<u64> {
    let scale = if unit == Unit::Bit { 1 } else { 8 };
    let total = (len as u64 * 8 / scale) as i64;
    let from_start = |at: i64| if at < 0 { (total + at).max(0) } else { at };
    let (start, end) = (from_start(start), from_start(end).min(total - 1));
    if start > end { 0..0 } else { start as u64 * scale..(end as u64 + 1) * scale }
}
