//! Numbers as Redis reads and prints them.

use alloc::string::String;
use core::fmt::Write as _;

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

/// Prints a double as Redis 7.2 does in replies: integers without a point, `inf`, `-inf`, `nan`,
/// and otherwise the shortest digits that read back as the same value.
pub fn format_double(value: f64) -> String {
    let mut text = String::new();
    if value.is_nan() {
        text.push_str("nan");
    } else if value.is_infinite() {
        text.push_str(if value > 0.0 { "inf" } else { "-inf" });
    } else {
        let _ = write!(text, "{value}");
    }
    text
}
