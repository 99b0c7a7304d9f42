//! The grammar of `strtod`, which decides what Redis takes for a floating-point number.
//!
//! ```text
//! number  = [ "+" | "-" ] ( "inf" | "infinity" | decimal | hex )      letters in either case
//! decimal = digits [ "." [ digits ] ] [ "e" [sign] digits ]   or   "." digits …
//! hex     = "0x" hexdigits [ "." [ hexdigits ] ] [ "p" [sign] digits ]
//! ```
//!
//! Redis wants the whole text to be the number: no blank before it, nothing behind it, and no NaN.

use super::binary::Binary;

/// What a text says, before it is rounded to a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Magnitude<'a> {
    Infinity,
    Decimal(Decimal<'a>),
    Hex(Binary),
}

/// The digits of `whole` and `fraction`, times ten to the `exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal<'a> {
    pub whole: &'a [u8],
    pub fraction: &'a [u8],
    pub exponent: i64,
}

impl Decimal<'_> {
    /// True if every digit is zero, whatever the exponent.
    pub fn is_zero(&self) -> bool {
        self.whole.iter().chain(self.fraction).all(|&digit| digit == b'0')
    }
}

/// Reads a whole text as a number: its sign (true for minus) and its magnitude.
pub(super) fn scan(text: &[u8]) -> Option<(bool, Magnitude<'_>)> {
    let (negative, body) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let magnitude = match body {
        [b'0', b'x' | b'X', digits @ ..] => hex(digits)?,
        [b'i' | b'I', ..] => {
            let known = body.eq_ignore_ascii_case(b"inf") || body.eq_ignore_ascii_case(b"infinity");
            known.then_some(Magnitude::Infinity)?
        }
        _ => Magnitude::Decimal(decimal(body)?),
    };
    Some((negative, magnitude))
}

fn decimal(body: &[u8]) -> Option<Decimal<'_>> {
    let (whole, fraction, rest) = point_number(body, u8::is_ascii_digit)?;
    let exponent = exponent(rest, b'e')?;
    Some(Decimal { whole, fraction, exponent })
}

fn hex(body: &[u8]) -> Option<Magnitude<'_>> {
    let (whole, fraction, rest) = point_number(body, u8::is_ascii_hexdigit)?;
    let mut exponent = exponent(rest, b'p')?;
    let mut mantissa: u128 = 0;
    let mut inexact = false;
    for (index, &digit) in whole.iter().chain(fraction).enumerate() {
        let digit = u128::from(hex_digit(digit));
        // Beyond 31 digits only whether anything is there can matter to the rounding.
        if mantissa >> 120 == 0 {
            mantissa = mantissa << 4 | digit;
            exponent -= if index >= whole.len() { 4 } else { 0 };
        } else {
            inexact |= digit != 0;
            exponent += if index < whole.len() { 4 } else { 0 };
        }
    }
    Some(Magnitude::Hex(Binary { mantissa, exponent, inexact }))
}

/// Splits `12.5rest` into its digits before and behind the point, at least one in all, and the rest.
fn point_number(body: &[u8], is_digit: fn(&u8) -> bool) -> Option<(&[u8], &[u8], &[u8])> {
    let (whole, rest) = body.split_at(body.iter().take_while(|b| is_digit(b)).count());
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => rest.split_at(rest.iter().take_while(|b| is_digit(b)).count()),
        _ => (&rest[..0], rest),
    };
    (whole.len() + fraction.len() > 0).then_some((whole, fraction, rest))
}

/// Reads an optional exponent that has to end the text; huge ones saturate, which changes nothing.
fn exponent(rest: &[u8], letter: u8) -> Option<i64> {
    let [first, rest @ ..] = rest else { return Some(0) };
    if first.to_ascii_lowercase() != letter {
        return None;
    }
    let (negative, digits) = match rest {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        _ => (false, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude = digits
        .iter()
        .fold(0_i64, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(1_000_000_000_000));
    Some(if negative { -magnitude } else { magnitude })
}

/// The value of a hexadecimal digit.
pub(crate) fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'A' + 10,
    }
}
