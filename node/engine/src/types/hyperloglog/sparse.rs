//! Registers as run lengths.
//!
//! ```text
//! 00llllll            1 to 64 registers are zero
//! 01llllll llllllll   1 to 16384 registers are zero
//! 1vvvvvll            1 to 4 registers have a value of 1 to 32
//! ```

use alloc::vec::Vec;

use super::estimate::Histogram;
use super::{Corrupted, REGISTERS};

const ZEROS_MAX: usize = 64;
const VALUE_MAX: u8 = 32;
const VALUES_MAX: usize = 4;
/// How many runs around a change are looked at for neighbours that can be joined, as in Redis.
const JOIN_SCAN: usize = 5;

/// All registers are zero.
pub(super) const ALL_ZERO: [u8; 2] = [0x40 | ((REGISTERS - 1) >> 8) as u8, 0xff];

/// Registers in a row that have the same value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Their value.
    pub value: u8,
    /// How many there are.
    pub len: usize,
    /// How many bytes the run takes.
    pub bytes: usize,
}

impl Run {
    fn decode(bytes: &[u8]) -> Result<Self, Corrupted> {
        let (first, rest) = bytes.split_first().ok_or(Corrupted)?;
        let low = usize::from(first & 0x3f);
        Ok(match first >> 6 {
            0 => Run { value: 0, len: low + 1, bytes: 1 },
            1 => {
                let second = usize::from(*rest.first().ok_or(Corrupted)?);
                Run { value: 0, len: (low << 8 | second) + 1, bytes: 2 }
            }
            _ => Run { value: (first >> 2 & 0x1f) + 1, len: usize::from(first & 3) + 1, bytes: 1 },
        })
    }
}

/// The runs of sparse registers. Ends behind the first error.
#[derive(Clone, Debug)]
pub struct Runs<'a> {
    rest: &'a [u8],
}

impl<'a> Runs<'a> {
    pub(super) fn new(registers: &'a [u8]) -> Self {
        Runs { rest: registers }
    }
}

impl Iterator for Runs<'_> {
    type Item = Result<Run, Corrupted>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let run = Run::decode(self.rest);
        self.rest = run.map_or(&[], |run| &self.rest[run.bytes..]);
        Some(run)
    }
}

/// The runs with the register at which each begins; there must be as many registers as there
/// should.
fn for_each(registers: &[u8], mut visit: impl FnMut(usize, Run)) -> Result<(), Corrupted> {
    let mut first = 0;
    for run in Runs::new(registers) {
        let run = run?;
        if first + run.len > REGISTERS {
            return Err(Corrupted);
        }
        visit(first, run);
        first += run.len;
    }
    if first == REGISTERS { Ok(()) } else { Err(Corrupted) }
}

/// Calls `visit` with every register that is not zero.
pub(super) fn unpack(registers: &[u8], mut visit: impl FnMut(usize, u8)) -> Result<(), Corrupted> {
    for_each(registers, |first, run| {
        if run.value > 0 {
            (first..first + run.len).for_each(|index| visit(index, run.value));
        }
    })
}

/// The estimate.
pub(super) fn count(registers: &[u8]) -> Result<u64, Corrupted> {
    let mut histogram = Histogram::default();
    for_each(registers, |_, run| histogram.add(run.value, run.len as u32))?;
    Ok(histogram.estimate())
}

/// Raises the registers of a union.
pub(super) fn merge(registers: &[u8], union: &mut [u8]) -> Result<(), Corrupted> {
    unpack(registers, |index, value| union[index] = union[index].max(value))
}

/// What became of an attempt to raise a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raised {
    /// It is as high already.
    No,
    Yes,
    /// Only dense registers can have this value, or the bytes would become too many.
    DoesNotFit,
}

/// Raises the register at `index`, of those that begin at byte `start` of a string that may grow
/// to `bytes_max` bytes.
///
/// Only the run around the register is rewritten, and only its neighbours are joined with it, as
/// Redis does: the same additions give the same bytes.
pub(super) fn raise(
    bytes: &mut Vec<u8>,
    start: usize,
    index: usize,
    value: u8,
    bytes_max: usize,
) -> Result<Raised, Corrupted> {
    if value > VALUE_MAX {
        return Ok(Raised::DoesNotFit);
    }
    let Found { at, previous, first, run } = find(bytes, start, index)?;
    if run.value >= value {
        return Ok(Raised::No);
    }
    let mut new = Sequence::default();
    new.push(run.value, index - first);
    new.push(value, 1);
    new.push(run.value, first + run.len - 1 - index);
    if new.len > run.bytes && bytes.len() - run.bytes + new.len > bytes_max {
        return Ok(Raised::DoesNotFit);
    }
    bytes.splice(at..at + run.bytes, new.as_slice().iter().copied());
    join(bytes, previous);
    Ok(Raised::Yes)
}

/// The run that holds a register.
struct Found {
    /// Its byte.
    at: usize,
    /// The byte of the run before it, or its own if it is the first.
    previous: usize,
    /// Its first register.
    first: usize,
    run: Run,
}

fn find(bytes: &[u8], start: usize, index: usize) -> Result<Found, Corrupted> {
    let (mut at, mut previous, mut first) = (start, start, 0);
    loop {
        let run = Run::decode(&bytes[at..])?;
        if index < first + run.len {
            return Ok(Found { at, previous, first, run });
        }
        previous = at;
        at += run.bytes;
        first += run.len;
    }
}

/// Joins neighbours that have the same value, from the run at byte `at` on.
fn join(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..JOIN_SCAN {
        let Some(Ok(run)) = bytes.get(at..).map(Run::decode) else { return };
        let next = bytes.get(at + 1..).map(Run::decode);
        match next {
            Some(Ok(next))
                if run.value > 0 && next.value == run.value && run.len + next.len <= VALUES_MAX =>
            {
                bytes[at] = value_byte(run.value, run.len + next.len);
                bytes.remove(at + 1);
            }
            _ => at += run.bytes,
        }
    }
}

fn value_byte(value: u8, len: usize) -> u8 {
    0x80 | (value - 1) << 2 | (len - 1) as u8
}

/// What takes the place of a run: what is left before and behind the register, and the register.
#[derive(Default)]
struct Sequence {
    bytes: [u8; 5],
    len: usize,
}

impl Sequence {
    fn push(&mut self, value: u8, len: usize) {
        match (value, len) {
            (_, 0) => {}
            (0, 1..=ZEROS_MAX) => self.push_byte((len - 1) as u8),
            (0, _) => {
                self.push_byte(0x40 | ((len - 1) >> 8) as u8);
                self.push_byte((len - 1) as u8);
            }
            _ => self.push_byte(value_byte(value, len)),
        }
    }

    fn push_byte(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}
