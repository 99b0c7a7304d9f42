//! Reading numbers and options out of arguments, with Redis's errors.

use crate::error::{CommandError, NOT_FLOAT, NOT_INTEGER, Result};

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

/// A double; infinities are allowed, NaN is not.
///
/// # Errors
/// `ERR value is not a valid float`.
pub fn double(text: &[u8]) -> Result<f64> {
    core::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse::<f64>().ok())
        .filter(|value| !value.is_nan())
        .ok_or(NOT_FLOAT)
}

/// Whether an argument is this option, in any case.
pub fn is(text: &[u8], option: &str) -> bool {
    text.eq_ignore_ascii_case(option.as_bytes())
}
