//! Registers of 6 bits, one behind the other, beginning with the low bits of the first byte: four
//! registers in three bytes.

use super::estimate::Histogram;
use super::{HEADER, REGISTERS};

const BITS: usize = 6;
const MASK: u32 = (1 << BITS) - 1;
const GROUP: usize = 4;

/// The length of the whole string, its header included.
pub(super) const BYTES: usize = HEADER + REGISTERS * BITS / 8;

/// A register.
pub(super) fn get(registers: &[u8], index: usize) -> u8 {
    let (at, shift) = place(index);
    (load(registers, at) >> shift & MASK) as u8
}

/// Sets a register.
pub(super) fn set(registers: &mut [u8], index: usize, value: u8) {
    let (at, shift) = place(index);
    let group = load(registers, at) & !(MASK << shift) | u32::from(value) << shift;
    registers[at..at + 3].copy_from_slice(&group.to_le_bytes()[..3]);
}

/// Where the group of a register begins, and where in it the register does.
fn place(index: usize) -> (usize, usize) {
    (index / GROUP * 3, index % GROUP * BITS)
}

fn load(registers: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([registers[at], registers[at + 1], registers[at + 2], 0])
}

fn groups(registers: &[u8]) -> impl Iterator<Item = [u8; GROUP]> {
    registers.as_chunks::<3>().0.iter().map(|[low, middle, high]| {
        let group = u32::from_le_bytes([*low, *middle, *high, 0]);
        [0, 1, 2, 3].map(|place| (group >> (place * BITS) & MASK) as u8)
    })
}

/// The estimate.
pub(super) fn count(registers: &[u8]) -> u64 {
    // Four histograms, so that equal neighbours do not wait for each other.
    let mut histograms = [Histogram::default(); GROUP];
    for group in groups(registers) {
        histograms.iter_mut().zip(group).for_each(|(histogram, value)| histogram.add(value, 1));
    }
    let [mut all, rest @ ..] = histograms;
    rest.iter().for_each(|histogram| all.add_all(histogram));
    all.estimate()
}

/// Raises the registers of a union.
pub(super) fn merge(registers: &[u8], union: &mut [u8]) {
    let (quads, _) = union.as_chunks_mut::<GROUP>();
    for (quad, group) in quads.iter_mut().zip(groups(registers)) {
        quad.iter_mut().zip(group).for_each(|(old, value)| *old = value.max(*old));
    }
}
