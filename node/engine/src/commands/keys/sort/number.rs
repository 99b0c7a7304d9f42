//! Weights as C's `strtod` reads them, which is what Redis lets elements be.

/// The number that a text is, the whole of it: blanks before it, hexadecimal digits, infinities and
/// no text at all are allowed; NaN and what a double cannot hold are not.
pub(super) fn parse(text: &[u8]) -> Option<f64> {
    let text = &text[..memchr::memchr(0, text).unwrap_or(text.len())];
    if text.is_empty() {
        return Some(0.0);
    }
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r');
    let start = text.iter().position(|byte| !blank(byte))?;
    let text = core::str::from_utf8(&text[start..]).ok()?;
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.starts_with(['-', '+']) {
        return None;
    }
    let value = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(digits) => hexadecimal(digits)?,
        None => decimal(digits)?,
    };
    Some(if negative { -value } else { value })
}

/// A written infinity is one; a number that becomes one, or that vanishes, is out of range.
fn decimal(digits: &str) -> Option<f64> {
    let value: f64 = digits.parse().ok()?;
    let mantissa = digits.split(['e', 'E']).next().unwrap_or_default();
    let lost = match value {
        _ if value.is_infinite() => mantissa.bytes().any(|byte| byte.is_ascii_digit()),
        _ if value == 0.0 => mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9')),
        _ => value.is_subnormal(),
    };
    (!lost && !value.is_nan()).then_some(value)
}

/// `1f.8p-3`, behind its `0x`.
fn hexadecimal(digits: &str) -> Option<f64> {
    let (mantissa, exponent) = match digits.split_once(['p', 'P']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (digits, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let shift = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    let scaled = libm::ldexp(value, exponent.checked_sub(shift)?);
    let lost = scaled.is_infinite() || scaled == 0.0 && value != 0.0;
    (!lost).then_some(scaled)
}

#[cfg(test)]
mod tests {
    use super::parse;

    /// As `redis-server` 7.0.15 answers `SORT` on a list of this one element.
    #[test]
    fn numbers_are_read_as_strtod_reads_them() {
        for (text, expected) in [
            ("", Some(0.0)),
            (" 5", Some(5.0)),
            ("+5", Some(5.0)),
            ("5.", Some(5.0)),
            (".5", Some(0.5)),
            ("0x10", Some(16.0)),
            ("-0x1p3", Some(-8.0)),
            ("0x1.8", Some(1.5)),
            ("inf", Some(f64::INFINITY)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("0e999999", Some(0.0)),
            ("12\0junk", Some(12.0)),
            (" ", None),
            ("5 ", None),
            ("5e", None),
            ("1_0", None),
            ("--1", None),
            ("nan", None),
            ("0x", None),
            ("1e400", None),
            ("1e-400", None),
            ("1e-310", None),
            ("word", None),
        ] {
            assert_eq!(parse(text.as_bytes()), expected, "{text:?}");
        }
    }
}
