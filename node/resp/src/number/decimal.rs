//! Whole numbers of any size: just enough to turn decimal digits into binary ones and back without
//! an error anywhere, as the C library does.

use alloc::vec::Vec;

/// The largest power of ten in a limb, and how many digits it stands for.
const CHUNK: u64 = 10_000_000_000_000_000_000;
const CHUNK_DIGITS: usize = 19;

/// An unsigned integer: limbs of 64 bits, least significant first, none of the topmost zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Natural {
    limbs: Vec<u64>,
}

impl Natural {
    /// The number that decimal digits spell.
    pub fn from_digits<'a>(digits: impl Iterator<Item = &'a u8>) -> Self {
        let mut number = Natural::default();
        let (mut chunk, mut scale) = (0_u64, 1_u64);
        for digit in digits {
            chunk = chunk * 10 + u64::from(digit - b'0');
            scale *= 10;
            if scale == CHUNK {
                number.multiply_add(scale, chunk);
                (chunk, scale) = (0, 1);
            }
        }
        number.multiply_add(scale, chunk);
        number
    }

    /// `value * 2^shift`.
    pub fn from_shifted(value: u64, shift: u32) -> Self {
        let mut number = Natural { limbs: alloc::vec![0; shift as usize / 64] };
        let wide = u128::from(value) << (shift % 64);
        number.limbs.extend([wide as u64, (wide >> 64) as u64]);
        number.trim();
        number
    }

    pub fn multiply_power_of_ten(&mut self, power: usize) {
        for _ in 0..power / CHUNK_DIGITS {
            self.multiply_add(CHUNK, 0);
        }
        self.multiply_add(10_u64.pow((power % CHUNK_DIGITS) as u32), 0);
    }

    /// Divides by a power of ten, rounding down; true if there was a remainder.
    pub fn divide_power_of_ten(&mut self, power: usize) -> bool {
        let mut inexact = false;
        for _ in 0..power / CHUNK_DIGITS {
            inexact |= self.divide(CHUNK) != 0;
        }
        inexact | (self.divide(10_u64.pow((power % CHUNK_DIGITS) as u32)) != 0)
    }

    /// Multiplies by `2^(64 * limbs)`.
    pub fn shift_limbs(&mut self, limbs: usize) {
        self.limbs.splice(0..0, core::iter::repeat_n(0, limbs));
        self.trim();
    }

    /// The topmost 128 bits (or fewer): `(bits, exponent, inexact)` with the number being
    /// `bits * 2^exponent`, and more if inexact.
    pub fn top_bits(&self) -> (u128, i64, bool) {
        let skipped = self.limbs.len().saturating_sub(2);
        let bits = self.limbs[skipped..]
            .iter()
            .rev()
            .fold(0_u128, |bits, &limb| bits << 64 | u128::from(limb));
        (bits, skipped as i64 * 64, self.limbs[..skipped].iter().any(|&limb| limb != 0))
    }

    /// Appends the decimal digits.
    pub fn write_digits(mut self, out: &mut Vec<u8>) {
        let mut chunks = Vec::new();
        while !self.limbs.is_empty() {
            chunks.push(self.divide(CHUNK));
        }
        let mut buffer = itoa::Buffer::new();
        out.extend_from_slice(buffer.format(chunks.pop().unwrap_or(0)).as_bytes());
        for &chunk in chunks.iter().rev() {
            let digits = buffer.format(chunk).as_bytes();
            out.extend(core::iter::repeat_n(b'0', CHUNK_DIGITS - digits.len()));
            out.extend_from_slice(digits);
        }
    }

    fn multiply_add(&mut self, factor: u64, summand: u64) {
        let mut carry = u128::from(summand);
        for limb in &mut self.limbs {
            let wide = u128::from(*limb) * u128::from(factor) + carry;
            *limb = wide as u64;
            carry = wide >> 64;
        }
        self.limbs.push(carry as u64);
        self.trim();
    }

    /// Divides by `divisor`, rounding down; returns the remainder.
    fn divide(&mut self, divisor: u64) -> u64 {
        let mut remainder = 0_u64;
        for limb in self.limbs.iter_mut().rev() {
            let wide = u128::from(remainder) << 64 | u128::from(*limb);
            *limb = (wide / u128::from(divisor)) as u64;
            remainder = (wide % u128::from(divisor)) as u64;
        }
        self.trim();
        remainder
    }

    fn trim(&mut self) {
        while self.limbs.last() == Some(&0) {
            self.limbs.pop();
        }
    }
}
