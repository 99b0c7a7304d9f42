//! Numbers as Redis reads and prints them.
//!
//! Redis has three kinds, and clients see the differences: integers ([`parse_i64`]), the doubles of
//! scores and of RESP3 ([`parse_double`], [`format_double`]), and the long doubles of
//! `INCRBYFLOAT` and `HINCRBYFLOAT` ([`LongDouble`]).

mod binary;
mod decimal;
mod double;
mod long_double;
mod text;

pub(crate) use double::DoubleText;
pub(crate) use text::hex_digit;

pub use double::{format_double, parse_double};
pub use long_double::LongDouble;

/// Parses a decimal signed integer exactly as Redis's `string2ll` does: an optional minus sign, no
/// plus sign, no leading zero, no blank, nothing that overflows.
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] if digits.len() <= 19 => {}
        _ => return None,
    }
    let mut magnitude: u64 = 0;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        // Nineteen digits stay below 10^19, which a u64 holds.
        magnitude = magnitude * 10 + u64::from(digit - b'0');
    }
    if negative {
        if magnitude > 1 << 63 { None } else { Some(magnitude.wrapping_neg() as i64) }
    } else {
        i64::try_from(magnitude).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn integers_are_strict() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("9999999999999999999", None),
            ("18446744073709551616", None),
            ("", None),
            ("-", None),
            ("-0", None),
            ("00", None),
            ("01", None),
            ("-01", None),
            ("+1", None),
            (" 1", None),
            ("1 ", None),
            ("1.0", None),
            ("0x1", None),
        ] {
            assert_eq!(parse_i64(text.as_bytes()), expected, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_integer_is_read_back(value: i64) {
            proptest::prop_assert_eq!(parse_i64(value.to_string().as_bytes()), Some(value));
        }
    }
}
