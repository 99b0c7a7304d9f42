//! The long doubles of `INCRBYFLOAT` and `HINCRBYFLOAT`.
//!
//! Redis computes these two commands in `long double`, on x86-64 an 80-bit format with a mantissa of
//! 64 bits, and prints 17 decimals. Doubles would show other digits (`0.1 + 0.2` is `0.3` there and
//! `0.30000000000000004` with 53 bits), and the result is what the client stores. So the format is
//! computed here in integers: the same digits as Redis, and the same bits on every machine.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Add;

use super::binary::Binary;
use super::decimal::Natural;
use super::text::{self, Decimal, Magnitude};

/// The unit of the smallest subnormal, and the end of the range, as powers of two.
const UNIT_MIN: i64 = -16445;
const RANGE_END: i64 = 16384;
/// What Redis's buffer for a number holds, in bytes.
const TEXT_BYTES_MAX: usize = 5 * 1024 - 1;
const DECIMALS: u128 = 100_000_000_000_000_000;

/// A number in the x87 extended format.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LongDouble {
    negative: bool,
    magnitude: Size,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Size {
    /// `mantissa * 2^unit`; the mantissa has 64 bits unless the unit is the smallest.
    Finite {
        mantissa: u64,
        unit: i64,
    },
    Infinite,
    NotANumber,
}

impl LongDouble {
    /// Parses a text as Redis does (`string2ld`): what `strtold` accepts if it is the whole text;
    /// no NaN, and nothing that is too large, or too small to be told from zero.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let (negative, magnitude) = text::scan(text)?;
        let (exact, is_zero) = match magnitude {
            Magnitude::Infinity => return Some(LongDouble { negative, magnitude: Size::Infinite }),
            Magnitude::Decimal(decimal) => (from_decimal(&decimal)?, decimal.is_zero()),
            Magnitude::Hex(exact) => (exact, exact.mantissa == 0),
        };
        match Size::round(exact) {
            Size::Finite { mantissa, .. } if (mantissa == 0) == is_zero => {}
            _ => return None,
        }
        Some(LongDouble { negative, magnitude: Size::round(exact) })
    }

    /// False for the infinities and NaN, which Redis refuses as a result ("increment would produce
    /// NaN or Infinity").
    pub fn is_finite(self) -> bool {
        matches!(self.magnitude, Size::Finite { .. })
    }

    /// Prints the number as Redis does for humans: 17 decimals, without trailing zeros and never
    /// with an exponent. Long for huge numbers (4933 digits at most).
    pub fn to_human(self) -> String {
        let (mantissa, unit) = match self.magnitude {
            Size::Finite { mantissa, unit } => (mantissa, unit),
            Size::Infinite => return String::from(if self.negative { "-inf" } else { "inf" }),
            Size::NotANumber => return String::from("nan"),
        };
        let mut out = Vec::new();
        if self.negative {
            out.push(b'-');
        }
        if unit >= 0 {
            Natural::from_shifted(mantissa, unit as u32).write_digits(&mut out);
        } else {
            write_fixed(mantissa, unit, &mut out);
        }
        if out == b"-0" {
            out.remove(0);
        }
        String::from_utf8(out).expect("digits are ASCII")
    }
}

impl Add for LongDouble {
    type Output = LongDouble;

    fn add(self, other: LongDouble) -> LongDouble {
        let ((large, small), (high, low)) = match (self.magnitude, other.magnitude) {
            (Size::Finite { mantissa: a, unit: ua }, Size::Finite { mantissa: b, unit: ub }) => {
                if (ua, a) >= (ub, b) {
                    ((self, other), ((a, ua), (b, ub)))
                } else {
                    ((other, self), ((b, ub), (a, ua)))
                }
            }
            (Size::NotANumber, _) => return self,
            (_, Size::NotANumber) => return other,
            (Size::Infinite, Size::Infinite) if self.negative != other.negative => {
                return LongDouble { negative: false, magnitude: Size::NotANumber };
            }
            (Size::Infinite, _) => return self,
            (_, Size::Infinite) => return other,
        };
        let exact = sum(high, low, large.negative != small.negative);
        let cancelled = exact.mantissa == 0 && large.negative != small.negative;
        LongDouble { negative: large.negative && !cancelled, magnitude: Size::round(exact) }
    }
}

impl Size {
    fn round(exact: Binary) -> Size {
        let unit = (exact.exponent + exact.length() - 64).max(UNIT_MIN);
        let (mantissa, unit) = exact.round_at(unit, 64);
        let length = 64 - i64::from(mantissa.leading_zeros());
        if mantissa == 0 {
            Size::Finite { mantissa, unit: UNIT_MIN }
        } else if unit + length > RANGE_END {
            Size::Infinite
        } else {
            Size::Finite { mantissa, unit }
        }
    }
}

/// Adds or subtracts two magnitudes, the first not smaller than the second.
fn sum(high: (u64, i64), low: (u64, i64), subtract: bool) -> Binary {
    // With 62 bits to spare below the larger number, a bit that falls off can only matter to a tie.
    const SPARE: u32 = 62;
    let a = u128::from(high.0) << SPARE;
    let b = u128::from(low.0) << SPARE;
    let distance = u32::try_from(high.1 - low.1).unwrap_or(u32::MAX);
    let shifted = b.checked_shr(distance).unwrap_or(0);
    let inexact = shifted.checked_shl(distance).unwrap_or(0) != b;
    let mantissa = match (subtract, inexact) {
        (false, _) => a + shifted,
        (true, false) => a - shifted,
        // What fell off belongs to the number that is taken away.
        (true, true) => a - shifted - 1,
    };
    Binary { mantissa, exponent: high.1 - i64::from(SPARE), inexact }
}

/// Turns decimal digits into binary ones; `None` if they are out of range anyway.
fn from_decimal(decimal: &Decimal<'_>) -> Option<Binary> {
    let digits = decimal.whole.iter().chain(decimal.fraction).skip_while(|&&digit| digit == b'0');
    let count = digits.clone().count() as i64;
    let power = decimal.exponent - decimal.fraction.len() as i64;
    if count == 0 {
        return Some(Binary { mantissa: 0, exponent: 0, inexact: false });
    }
    if !(-5000..5000).contains(&(count + power)) {
        return None;
    }
    let mut number = Natural::from_digits(digits);
    let mut lowered = 0;
    let mut inexact = false;
    if power >= 0 {
        number.multiply_power_of_ten(power as usize);
    } else {
        // Limbs enough that the quotient keeps more than 128 bits: 10^19 is less than one limb.
        lowered = (-power) as usize / 19 + 4;
        number.shift_limbs(lowered);
        inexact = number.divide_power_of_ten((-power) as usize);
    }
    let (mantissa, exponent, cut) = number.top_bits();
    Some(Binary { mantissa, exponent: exponent - 64 * lowered as i64, inexact: inexact | cut })
}

/// Appends `mantissa * 2^unit`, `unit` negative, rounded to 17 decimals, ties to even.
fn write_fixed(mantissa: u64, unit: i64, out: &mut Vec<u8>) {
    // 64 bits times 10^17 stays below 2^121.
    let scaled = u128::from(mantissa) * DECIMALS;
    let shift = u32::try_from(-unit).expect("called for negative units");
    let mut rounded = scaled.checked_shr(shift).unwrap_or(0);
    if shift <= 127 {
        let rest = scaled - (rounded << shift);
        let half = 1_u128 << (shift - 1);
        rounded += u128::from(rest > half || (rest == half && rounded & 1 == 1));
    }
    let mut buffer = itoa::Buffer::new();
    out.extend_from_slice(buffer.format(rounded / DECIMALS).as_bytes());
    // A digit in front keeps the zeros behind the point.
    let fraction = buffer.format(rounded % DECIMALS + DECIMALS).as_bytes();
    let fraction = &fraction[1..];
    let kept = fraction.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
    if kept > 0 {
        out.push(b'.');
        out.extend_from_slice(&fraction[..kept]);
    }
}
