//! Reading numbers and options out of arguments, with Redis's errors.

use crate::command::Args;
use crate::error::{
    CommandError, INVALID_CURSOR, NOT_FLOAT, NOT_INT32, NOT_INTEGER, OUT_OF_RANGE, Result, SYNTAX,
};
use crate::glob::{self, Case};

/// A 64-bit integer.
///
/// # Errors
/// `ERR value is not an integer or out of range`.
pub fn integer(text: &[u8]) -> Result<i64> {
    quoris_resp::parse_i64(text).ok_or(NOT_INTEGER)
}

/// A 64-bit integer, or `error`.
///
/// # Errors
/// `error`.
pub fn integer_or(text: &[u8], error: CommandError) -> Result<i64> {
    quoris_resp::parse_i64(text).ok_or(error)
}

/// A 32-bit integer, as database numbers are.
///
/// # Errors
/// That it is not an integer, or which range it has to be in.
pub fn int32(text: &[u8]) -> Result<i32> {
    i32::try_from(integer(text)?).map_err(|_| NOT_INT32)
}

/// A double; infinities are allowed, NaN is not, and neither is a number too large or too small for a
/// double.
///
/// # Errors
/// `ERR value is not a valid float`.
pub fn double(text: &[u8]) -> Result<f64> {
    let value = parse_double(text).ok_or(NOT_FLOAT)?;
    let mantissa = text.split(|byte| matches!(byte, b'e' | b'E')).next().unwrap_or_default();
    let lost = if value == 0.0 {
        mantissa.iter().any(|byte| matches!(byte, b'1'..=b'9'))
    } else {
        value.is_infinite() && text.iter().any(u8::is_ascii_digit)
    };
    if lost { Err(NOT_FLOAT) } else { Ok(value) }
}

/// A double as the bound of a range, where Redis takes whatever C's `strtod` makes of the text:
/// nothing is 0, blanks may stand before it, and what is too large is infinite.
pub fn bound(text: &[u8]) -> Option<f64> {
    if text.is_empty() { Some(0.0) } else { parse_double(text.trim_ascii_start()) }
}

fn parse_double(text: &[u8]) -> Option<f64> {
    let value: f64 = core::str::from_utf8(text).ok()?.parse().ok()?;
    Some(value).filter(|value| !value.is_nan())
}

/// Whether an argument is this option, in any case.
pub fn is(text: &[u8], option: &str) -> bool {
    text.eq_ignore_ascii_case(option.as_bytes())
}

/// A scan cursor: an unsigned 64-bit number. As for C's `strtoul`, nothing is 0, and a number with a
/// minus wraps around.
///
/// # Errors
/// `ERR invalid cursor`.
pub fn cursor(text: &[u8]) -> Result<u64> {
    let (negative, digits) = match text {
        [] => return Ok(0),
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let parsed = core::str::from_utf8(digits).ok().and_then(|text| text.parse::<u64>().ok());
    let number = parsed.filter(|_| digits[0].is_ascii_digit()).ok_or(INVALID_CURSOR)?;
    Ok(if negative { number.wrapping_neg() } else { number })
}

/// How many samples a client asks for; negative if repetitions are allowed.
///
/// # Errors
/// `ERR value is not an integer or out of range`, or the range of what can be negated.
pub fn sample_range(text: &[u8]) -> Result<i64> {
    const RANGE: CommandError = CommandError::fixed(
        "ERR value is out of range, value must between -9223372036854775807 and \
         9223372036854775807",
    );
    match integer(text)? {
        i64::MIN => Err(RANGE),
        count => Ok(count),
    }
}

/// How many samples, repetitions allowed, a negative count asks for.
///
/// A reply of more than [`SAMPLES_MAX`] elements would only exhaust memory, so it is refused.
///
/// # Errors
/// `ERR value is out of range`.
pub fn sample_count(negative: i64) -> Result<usize> {
    let count = negative.unsigned_abs();
    if count > SAMPLES_MAX { Err(OUT_OF_RANGE) } else { Ok(count as usize) }
}

/// The most samples that one command returns.
pub const SAMPLES_MAX: u64 = 1 << 24;

/// The options that every scan of a collection has.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    /// `MATCH`, unless it matches everything.
    pub pattern: Option<&'a [u8]>,
    /// `COUNT`: about how many elements a call should return; at least 1.
    pub count: usize,
}

impl<'a> Scan<'a> {
    /// Reads `[MATCH pattern] [COUNT count]` from word `at` to the end.
    ///
    /// # Errors
    /// `ERR syntax error`, or that the count is not an integer.
    pub fn parse(args: &Args<'a>, at: usize) -> Result<Scan<'a>> {
        Scan::parse_with(args, at, |_| false)
    }

    /// The same, with further single words that `is_flag` recognises.
    ///
    /// # Errors
    /// `ERR syntax error`, or that the count is not an integer.
    pub fn parse_with(
        args: &Args<'a>,
        at: usize,
        mut is_flag: impl FnMut(&[u8]) -> bool,
    ) -> Result<Scan<'a>> {
        let mut scan = Scan { pattern: None, count: 10 };
        let mut at = at;
        while let Some(word) = args.try_get(at) {
            if is_flag(word) {
                at += 1;
                continue;
            }
            let value = args.try_get(at + 1).ok_or(SYNTAX)?;
            if is(word, "count") {
                scan.count =
                    usize::try_from(integer(value)?).ok().filter(|n| *n > 0).ok_or(SYNTAX)?;
            } else if is(word, "match") {
                scan.pattern = Some(value).filter(|pattern| *pattern != b"*");
            } else {
                return Err(SYNTAX);
            }
            at += 2;
        }
        Ok(scan)
    }

    /// Whether an element is to be returned.
    pub fn matches(&self, text: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, text, Case::Sensitive))
    }
}
