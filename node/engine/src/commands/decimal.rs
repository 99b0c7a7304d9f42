//! Decimal numbers for `INCRBYFLOAT` and its relatives.
//!
//! Redis adds in the platform's `long double` and prints 17 places, so that 0.1 + 0.2 is 0.3; the
//! last digits then depend on the processor. Here numbers of ordinary size are added exactly, as
//! multiples of 10^-17, which prints what a 128-bit `long double` would and is the same on every
//! machine. Numbers beyond about 10^21 fall back to doubles.

use alloc::format;
use alloc::string::{String, ToString as _};

const PLACES: i32 = 17;
const ONE: i128 = 100_000_000_000_000_000;

/// A number that was written in decimal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decimal {
    /// A multiple of 10^-17.
    Exact(i128),
    /// Anything larger; may be infinite, never NaN.
    Rough(f64),
}

impl Decimal {
    /// Zero.
    pub const ZERO: Decimal = Decimal::Exact(0);

    /// Reads what `strtold` reads, except hexadecimal numbers and NaN: no blanks, an optional sign,
    /// digits with at most one point, an optional exponent; or an infinity.
    pub fn parse(text: &[u8]) -> Option<Decimal> {
        let rough: f64 = core::str::from_utf8(text).ok()?.parse().ok()?;
        if rough.is_nan() {
            return None;
        }
        if rough.is_infinite() {
            // A number too large for a double is refused, a written infinity is not.
            let written = !text.iter().any(u8::is_ascii_digit);
            return written.then_some(Decimal::Rough(rough));
        }
        Some(exact(text).map_or(Decimal::Rough(rough), Decimal::Exact))
    }

    /// The sum, unless it is infinite or not a number.
    pub fn add(self, other: Decimal) -> Option<Decimal> {
        if let (Decimal::Exact(one), Decimal::Exact(two)) = (self, other)
            && let Some(sum) = one.checked_add(two)
        {
            return Some(Decimal::Exact(sum));
        }
        let sum = self.to_f64() + other.to_f64();
        sum.is_finite().then_some(Decimal::Rough(sum))
    }

    fn to_f64(self) -> f64 {
        match self {
            Decimal::Exact(scaled) => scaled as f64 / ONE as f64,
            Decimal::Rough(value) => value,
        }
    }

    /// Prints with up to 17 places and no trailing zeros.
    pub fn format(self) -> String {
        let text = match self {
            Decimal::Exact(scaled) => {
                let sign = if scaled < 0 { "-" } else { "" };
                let (whole, part) =
                    (scaled.unsigned_abs() / ONE as u128, scaled.unsigned_abs() % ONE as u128);
                format!("{sign}{whole}.{part:017}")
            }
            Decimal::Rough(value) => format!("{value:.17}"),
        };
        text.trim_end_matches('0').trim_end_matches('.').to_string()
    }
}

/// The number as a multiple of 10^-17, rounded to nearest; `None` if it does not fit.
fn exact(text: &[u8]) -> Option<i128> {
    let (mantissa, exponent) = match text.iter().position(|b| b.eq_ignore_ascii_case(&b'e')) {
        Some(at) => (&text[..at], core::str::from_utf8(&text[at + 1..]).ok()?.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let mut scaled: i128 = 0;
    // How many places the digits seen so far still have to move left.
    let mut shift = PLACES.checked_add(exponent)?;
    let (mut behind_point, mut rounded) = (false, false);
    for &byte in mantissa {
        match byte {
            b'.' => behind_point = true,
            b'0'..=b'9' => {
                let digit = i128::from(byte - b'0');
                if behind_point && shift <= 0 {
                    // Beyond the last place: the first such digit rounds.
                    scaled += i128::from(!rounded && digit >= 5);
                    rounded = true;
                    continue;
                }
                scaled = scaled.checked_mul(10)?.checked_add(digit)?;
                shift -= i32::from(behind_point);
            }
            _ => {}
        }
    }
    let scaled = move_point(scaled, shift)?;
    Some(if text[0] == b'-' { -scaled } else { scaled })
}

/// `scaled * 10^shift`, rounded to nearest.
fn move_point(scaled: i128, shift: i32) -> Option<i128> {
    match shift {
        0.. if scaled == 0 => Some(0),
        0.. => scaled.checked_mul(10_i128.checked_pow(shift.unsigned_abs())?),
        _ => match 10_i128.checked_pow(shift.unsigned_abs()) {
            Some(divisor) => Some((scaled + divisor / 2) / divisor),
            None => Some(0),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(one: &str, two: &str) -> String {
        let one = Decimal::parse(one.as_bytes()).expect("a number");
        one.add(Decimal::parse(two.as_bytes()).expect("a number")).expect("finite").format()
    }

    #[test]
    fn sums_are_what_a_person_expects() {
        let table = [
            ("0.1", "0.2", "0.3"),
            ("10.50", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("-1.5", "1.5", "0"),
            ("1e-17", "0", "0.00000000000000001"),
            ("0.000000000000000005", "0", "0.00000000000000001"),
            ("1e20", "0.25", "100000000000000000000.25"),
            ("+.5", "5.", "5.5"),
            ("0e999", "1", "1"),
        ];
        for (one, two, expected) in table {
            assert_eq!(sum(one, two), expected, "{one} + {two}");
        }
        assert_eq!(sum("1e300", "1").len(), 301, "a number beyond the exact range keeps its size");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", " 1", "1 ", "nan", "abc", "1e999", "--1", "1.2.3"] {
            assert_eq!(Decimal::parse(text.as_bytes()), None, "{text:?}");
        }
        let infinite = Decimal::parse(b"inf").expect("a written infinity is a number");
        assert_eq!(Decimal::ZERO.add(infinite), None);
    }
}
