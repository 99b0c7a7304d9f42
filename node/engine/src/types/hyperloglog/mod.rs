//! `HyperLogLog`s in the form that Redis keeps them in: a string that clients may read, write and
//! move between servers.
//!
//! ```text
//! "HYLL"  encoding  000  cardinality (8 bytes)  registers
//! ```
//!
//! There are 16384 registers. An element's hash chooses one by its low 14 bits, and the register
//! keeps the longest run of zeros (plus one) that the other bits of such a hash began with. The
//! encoding is 0 for dense registers ([`dense`]: 6 bits each) and 1 for sparse ones ([`sparse`]:
//! run lengths). The cardinality is the last estimate, little-endian; its highest bit says that the
//! registers have changed since.
//!
//! Nothing here trusts the bytes: clients can store whatever they like under a key.

mod dense;
mod estimate;
mod hash;
mod self_test;
mod sparse;

use alloc::vec;
use alloc::vec::Vec;

pub use self_test::self_test;
pub use sparse::Runs;

/// How many registers there are.
pub const REGISTERS: usize = 1 << INDEX_BITS;

const INDEX_BITS: u32 = 14;
/// Bits of a hash that do not choose the register; a register is at most one more.
const PATTERN_BITS: u32 = 64 - INDEX_BITS;
const HEADER: usize = 16;
const MAGIC: &[u8; 4] = b"HYLL";
const ENCODING_AT: usize = 4;
const DENSE: u8 = 0;
const SPARSE: u8 = 1;
/// The highest bit of the cardinality.
const STALE: u8 = 0x80;

/// The registers contradict the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupted;

/// How registers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterEncoding {
    /// 6 bits each.
    Dense,
    /// Run lengths.
    Sparse,
}

/// A string that has the form of a `HyperLogLog`; its registers may still be corrupted.
#[derive(Clone, Copy, Debug)]
pub struct HyperLogLogRef<'a> {
    bytes: &'a [u8],
}

impl<'a> HyperLogLogRef<'a> {
    /// Checks the form of a string.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let (header, _) = bytes.split_at_checked(HEADER)?;
        let whole = match header[ENCODING_AT] {
            DENSE => bytes.len() == dense::BYTES,
            SPARSE => true,
            _ => false,
        };
        (whole && header.starts_with(MAGIC)).then_some(HyperLogLogRef { bytes })
    }

    /// How its registers are kept.
    pub fn encoding(self) -> RegisterEncoding {
        match self.bytes[ENCODING_AT] {
            DENSE => RegisterEncoding::Dense,
            _ => RegisterEncoding::Sparse,
        }
    }

    /// The runs of a sparse one.
    pub fn runs(self) -> Runs<'a> {
        Runs::new(&self.bytes[HEADER..])
    }

    /// About how many different elements were added: the estimate that is kept with the registers
    /// if they have not changed since, or else a new one.
    ///
    /// # Errors
    /// [`Corrupted`].
    pub fn count(self) -> Result<u64, Corrupted> {
        let kept = u64::from_le_bytes(self.bytes[8..HEADER].try_into().expect("eight bytes"));
        if kept >> 63 == 0 {
            return Ok(kept);
        }
        match self.encoding() {
            RegisterEncoding::Dense => Ok(dense::count(&self.bytes[HEADER..])),
            RegisterEncoding::Sparse => sparse::count(&self.bytes[HEADER..]),
        }
    }
}

/// Registers that are not packed: a union in the making.
#[derive(Debug)]
pub struct Union {
    registers: Vec<u8>,
}

impl Default for Union {
    fn default() -> Self {
        Union { registers: vec![0; REGISTERS] }
    }
}

impl Union {
    /// Takes in all elements that were added to `other`.
    ///
    /// # Errors
    /// [`Corrupted`]; the union is of no use then.
    pub fn add(&mut self, other: HyperLogLogRef<'_>) -> Result<(), Corrupted> {
        let registers = &other.bytes[HEADER..];
        match other.encoding() {
            RegisterEncoding::Dense => dense::merge(registers, &mut self.registers),
            RegisterEncoding::Sparse => sparse::merge(registers, &mut self.registers)?,
        }
        Ok(())
    }

    /// About how many different elements were added.
    pub fn count(&self) -> u64 {
        let mut histogram = estimate::Histogram::default();
        self.registers.iter().for_each(|value| histogram.add(*value, 1));
        histogram.estimate()
    }

    /// The registers.
    pub fn registers(&self) -> &[u8] {
        &self.registers
    }
}

/// A `HyperLogLog` that can change its encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HyperLogLog {
    bytes: Vec<u8>,
}

impl Default for HyperLogLog {
    fn default() -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[..MAGIC.len()].copy_from_slice(MAGIC);
        bytes[ENCODING_AT] = SPARSE;
        bytes.extend_from_slice(&sparse::ALL_ZERO);
        HyperLogLog { bytes }
    }
}

impl HyperLogLog {
    /// A copy.
    pub fn copy_of(original: HyperLogLogRef<'_>) -> Self {
        HyperLogLog { bytes: original.bytes.to_vec() }
    }

    /// The string.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The string, to be read as a `HyperLogLog`.
    pub fn as_ref(&self) -> HyperLogLogRef<'_> {
        HyperLogLogRef { bytes: &self.bytes }
    }

    /// Adds an element; true if a register changed. Stays sparse up to `sparse_bytes_max` bytes.
    ///
    /// # Errors
    /// [`Corrupted`].
    pub fn add(&mut self, element: &[u8], sparse_bytes_max: usize) -> Result<bool, Corrupted> {
        let (index, value) = hash::register_of(element);
        self.raise(index, value, sparse_bytes_max)
    }

    /// Raises a register to `value`; true if it was less. Stays sparse up to `sparse_bytes_max`
    /// bytes.
    ///
    /// # Errors
    /// [`Corrupted`].
    pub fn raise(
        &mut self,
        index: usize,
        value: u8,
        sparse_bytes_max: usize,
    ) -> Result<bool, Corrupted> {
        if self.as_ref().encoding() == RegisterEncoding::Sparse {
            match sparse::raise(&mut self.bytes, HEADER, index, value, sparse_bytes_max)? {
                sparse::Raised::No => return Ok(false),
                sparse::Raised::Yes => {
                    self.mark_stale();
                    return Ok(true);
                }
                sparse::Raised::DoesNotFit => self.make_dense()?,
            }
        }
        Ok(raise_dense(&mut self.bytes, index, value))
    }

    /// Changes the encoding to dense.
    ///
    /// # Errors
    /// [`Corrupted`].
    pub fn make_dense(&mut self) -> Result<(), Corrupted> {
        if self.as_ref().encoding() == RegisterEncoding::Sparse {
            let mut bytes = vec![0; dense::BYTES];
            sparse::unpack(&self.bytes[HEADER..], |index, value| {
                dense::set(&mut bytes[HEADER..], index, value);
            })?;
            bytes[..HEADER].copy_from_slice(&self.bytes[..HEADER]);
            bytes[ENCODING_AT] = DENSE;
            self.bytes = bytes;
        }
        Ok(())
    }

    /// Says that the estimate that is kept with the registers is out of date.
    pub fn mark_stale(&mut self) {
        self.bytes[HEADER - 1] |= STALE;
    }
}

/// Adds an element to the bytes of a dense `HyperLogLog`, in place; true if a register changed.
pub fn add_dense(bytes: &mut [u8], element: &[u8]) -> bool {
    let (index, value) = hash::register_of(element);
    raise_dense(bytes, index, value)
}

fn raise_dense(bytes: &mut [u8], index: usize, value: u8) -> bool {
    let registers = &mut bytes[HEADER..];
    if dense::get(registers, index) >= value {
        return false;
    }
    dense::set(registers, index, value);
    bytes[HEADER - 1] |= STALE;
    true
}

/// The values of all registers of a dense `HyperLogLog`, in order.
pub fn dense_registers(bytes: &[u8]) -> impl Iterator<Item = u8> {
    (0..REGISTERS).map(|index| dense::get(&bytes[HEADER..], index))
}

#[cfg(test)]
mod tests;
