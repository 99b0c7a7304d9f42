//! Binary fractions on their way into a floating-point format.

/// `mantissa * 2^exponent`, and a little more if `inexact`: a number of which all was kept that can
/// matter to rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Binary {
    pub mantissa: u128,
    pub exponent: i64,
    pub inexact: bool,
}

impl Binary {
    /// How many bits the mantissa has.
    pub fn length(&self) -> i64 {
        128 - i64::from(self.mantissa.leading_zeros())
    }

    /// The multiple of `2^unit` that is nearest, ties to even, and its unit: one higher than asked
    /// for if rounding up took the multiple beyond `precision` bits.
    ///
    /// The exact multiple has at most `precision` bits, 64 at most.
    pub fn round_at(self, unit: i64, precision: u32) -> (u64, i64) {
        let shift = unit - self.exponent;
        if shift <= 0 {
            return ((self.mantissa << -shift) as u64, unit);
        }
        if shift > 128 {
            return (0, unit);
        }
        let kept = self.mantissa.checked_shr(shift as u32).unwrap_or(0);
        let half = 1_u128 << (shift - 1);
        let rest = self.mantissa & (half | (half - 1));
        let up = rest > half || (rest == half && (self.inexact || kept & 1 == 1));
        let rounded = kept + u128::from(up);
        if rounded >> precision == 0 {
            (rounded as u64, unit)
        } else {
            ((rounded >> 1) as u64, unit + 1)
        }
    }
}
