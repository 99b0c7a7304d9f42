//! Doubles: scores, and RESP3's double type.

use alloc::string::String;

use super::binary::Binary;
use super::text::{self, Magnitude};

/// Parses a double as Redis does (`getDoubleFromObject`): what `strtod` accepts, hexadecimal and
/// the infinities included, if it is the whole text; no NaN, and nothing that is too large, or too
/// small to be told from zero.
pub fn parse_double(text: &[u8]) -> Option<f64> {
    let (negative, magnitude) = text::scan(text)?;
    let value = match magnitude {
        Magnitude::Infinity => f64::INFINITY,
        Magnitude::Decimal(decimal) => {
            let unsigned = text.strip_prefix(b"-").unwrap_or(text);
            let value: f64 = core::str::from_utf8(unsigned).ok()?.parse().ok()?;
            if value.is_infinite() || (value == 0.0 && !decimal.is_zero()) {
                return None;
            }
            value
        }
        Magnitude::Hex(Binary { mantissa: 0, .. }) => 0.0,
        Magnitude::Hex(exact) => {
            let value = from_binary(exact);
            if value.is_infinite() || value == 0.0 {
                return None;
            }
            value
        }
    };
    Some(if negative { -value } else { value })
}

/// The double nearest to a binary number, ties to even.
fn from_binary(exact: Binary) -> f64 {
    // The unit in the last place: 53 bits, or what a subnormal has left.
    let unit = (exact.exponent + exact.length() - 53).max(-1074);
    let (rounded, unit) = exact.round_at(unit, 53);
    if rounded == 0 {
        return 0.0;
    }
    let length = 64 - i64::from(rounded.leading_zeros());
    if unit + length > 1024 {
        return f64::INFINITY;
    }
    if length < 53 {
        return f64::from_bits(rounded);
    }
    f64::from_bits(((unit + 1075) as u64) << 52 | (rounded & ((1 << 52) - 1)))
}

/// Prints a double as Redis 7.2 does in replies: `inf`, `-inf`, `nan`, integers of up to 2^62
/// without a point, and otherwise the shortest digits that read back as the same value, with an
/// exponent where Redis writes one (`1e+23`, `1.5e-9`).
///
/// Redis finds the digits with Grisu2, which in about one case in a thousand is a digit longer
/// than needed; here they are always the shortest.
pub fn format_double(value: f64) -> String {
    String::from(DoubleText::new(value).as_str())
}

/// True for the integers that Redis prints as such: up to 2^62.
fn is_safe_integer(value: f64) -> bool {
    // Compared as bits: the cast either gives the very same number back, or it is no integer.
    value.abs() <= (1_u64 << 62) as f64 && value.to_bits() == (value as i64 as f64).to_bits()
}

/// A printed double, on the stack: replies with thousands of scores should not allocate for each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DoubleText {
    bytes: [u8; 32],
    len: usize,
}

impl DoubleText {
    pub fn new(value: f64) -> Self {
        let mut text = DoubleText { bytes: [0; 32], len: 0 };
        if value.is_nan() {
            text.push(b"nan");
        } else if value.is_infinite() {
            text.push(if value > 0.0 { b"inf" } else { b"-inf" });
        } else if value == 0.0 {
            text.push(if value.is_sign_negative() { b"-0" } else { b"0" });
        } else if is_safe_integer(value) {
            text.push(itoa::Buffer::new().format(value as i64).as_bytes());
        } else {
            text.push_digits(value);
        }
        text
    }

    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).expect("a number is printed in ASCII")
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Appends the shortest digits, in the form that Redis's `fpconv_dtoa` chooses for them.
    fn push_digits(&mut self, value: f64) {
        if value < 0.0 {
            self.push(b"-");
        }
        let mut buffer = [0; 17];
        let (digits, power) = shortest(value.abs(), &mut buffer);
        let count = digits.len() as i32;
        let exponent = power + count - 1;
        if power >= 0 && exponent < count + 7 {
            self.push(digits);
            self.push(&b"0000000"[..power as usize]);
        } else if power < 0 && (power > -7 || exponent.abs() < 4) {
            let whole = count + power;
            if whole > 0 {
                let (whole, fraction) = digits.split_at(whole as usize);
                self.push(whole);
                self.push(b".");
                self.push(fraction);
            } else {
                self.push(b"0.");
                self.push(&b"000000"[..-whole as usize]);
                self.push(digits);
            }
        } else {
            self.push(&digits[..1]);
            if count > 1 {
                self.push(b".");
                self.push(&digits[1..]);
            }
            self.push(if exponent < 0 { b"e-" } else { b"e+" });
            self.push(itoa::Buffer::new().format(exponent.abs()).as_bytes());
        }
    }
}

/// The shortest digits of a positive finite double and the power of ten that they count.
fn shortest(value: f64, buffer: &mut [u8; 17]) -> (&[u8], i32) {
    let mut printed = ryu::Buffer::new();
    let printed = printed.format_finite(value).as_bytes();
    let (number, exponent) = match printed.iter().position(|&byte| byte == b'e') {
        Some(at) => {
            let exponent = super::parse_i64(&printed[at + 1..]).expect("ryu prints an exponent");
            (&printed[..at], exponent as i32)
        }
        None => (printed, 0),
    };
    let fraction = number.iter().position(|&b| b == b'.').map_or(0, |at| number.len() - at - 1);
    let mut power = exponent - fraction as i32;
    let mut len = 0;
    for &byte in number.iter().filter(|&&byte| byte != b'.') {
        // Ryu prints zeros on either side only to place the point, never beyond 17 digits.
        if len > 0 || byte != b'0' {
            buffer[len] = byte;
            len += 1;
        }
    }
    while len > 1 && buffer[len - 1] == b'0' {
        len -= 1;
        power += 1;
    }
    (&buffer[..len], power)
}
