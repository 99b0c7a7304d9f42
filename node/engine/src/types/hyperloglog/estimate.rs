//! From registers to a number of elements.
//!
//! The estimator is Otmar Ertl's improved raw estimator ("New cardinality estimation algorithms for
//! `HyperLogLog` sketches", 2017, algorithm 6), step by step in the order in which Redis computes it,
//! so that both print the same number.

use super::{PATTERN_BITS, REGISTERS};

/// `1 / (2 ln 2)`
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// How many registers have each value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Histogram {
    registers: [u32; 64],
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { registers: [0; 64] }
    }
}

impl Histogram {
    /// Counts `registers` registers that have this value.
    #[inline]
    pub fn add(&mut self, value: u8, registers: u32) {
        self.registers[usize::from(value & 63)] += registers;
    }

    /// Counts what `other` has counted.
    pub fn add_all(&mut self, other: &Histogram) {
        self.registers.iter_mut().zip(other.registers).for_each(|(sum, count)| *sum += count);
    }

    /// About how many different elements there are.
    pub fn estimate(&self) -> u64 {
        let all = REGISTERS as f64;
        let of_value = |value: u32| f64::from(self.registers[value as usize]);
        let mut z = all * tau((all - of_value(PATTERN_BITS + 1)) / all);
        for value in (1..=PATTERN_BITS).rev() {
            z = (z + of_value(value)) * 0.5;
        }
        z += all * sigma(of_value(0) / all);
        libm::round(ALPHA * all * all / z) as u64
    }
}

/// `x + sum of x^(2^k) * 2^(k-1)`: the share of registers that are still zero.
#[allow(clippy::float_cmp, reason = "the series is summed until it no longer changes")]
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

/// The share of registers that can rise no further.
#[allow(clippy::float_cmp, reason = "the series is summed until it no longer changes")]
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = libm::sqrt(x);
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}
