//! Counting, finding and combining bits, a word at a time.
//!
//! Bits are numbered from the highest of the first byte. Ranges of bits lie within the bytes.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// How many bits of a range are set.
pub(super) fn count_in(bytes: &[u8], bits: Range<u64>) -> u64 {
    if bits.is_empty() {
        return 0;
    }
    let (first, last) = ((bits.start / 8) as usize, ((bits.end - 1) / 8) as usize);
    let before = bytes[first] & !(0xff >> (bits.start % 8));
    let behind = bytes[last] & (0x7f >> ((bits.end - 1) % 8));
    count(&bytes[first..=last]) - u64::from(before.count_ones() + behind.count_ones())
}

fn count(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let in_words: u64 = words.iter().map(|w| u64::from(u64::from_le_bytes(*w).count_ones())).sum();
    in_words + rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>()
}

/// The first bit of a range that is set, or clear.
pub(super) fn find_in(bytes: &[u8], bits: Range<u64>, set: bool) -> Option<u64> {
    if bits.is_empty() {
        return None;
    }
    // What a byte looks like in which there is nothing to find.
    let blank = if set { 0x00 } else { 0xff };
    let first = (bits.start / 8) as usize;
    let head = (bytes[first] ^ blank) & (0xff >> (bits.start % 8));
    let (byte, found) = if head != 0 {
        (first, head)
    } else {
        let last = ((bits.end - 1) / 8) as usize;
        let at = first + 1 + find_other_than(&bytes[first + 1..=last], blank)?;
        (at, bytes[at] ^ blank)
    };
    let bit = byte as u64 * 8 + u64::from(found.leading_zeros());
    (bit < bits.end).then_some(bit)
}

/// The first byte that is not `blank`.
fn find_other_than(bytes: &[u8], blank: u8) -> Option<usize> {
    let (words, _) = bytes.as_chunks::<8>();
    let blanks = words.iter().take_while(|word| **word == [blank; 8]).count() * 8;
    bytes[blanks..].iter().position(|byte| *byte != blank).map(|at| blanks + at)
}

/// What `BITOP` does to several strings, of which the shorter ones are followed by zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    And,
    Or,
    Xor,
    /// The opposite of the only string.
    Not,
    /// In the first and in none of the others.
    Diff,
    /// In any of the others, but not in the first.
    Diff1,
    /// In the first and in any of the others.
    AndOr,
    /// In exactly one.
    One,
}

/// Combines strings bit by bit, one after the other.
#[derive(Debug)]
pub(super) struct Combination {
    operation: Operation,
    result: Vec<u8>,
    /// Bits that were in more than one string, for [`Operation::One`].
    repeated: Vec<u8>,
    /// Which string comes next.
    next: usize,
}

impl Combination {
    /// A result of `len` bytes, which is how long the longest string is.
    pub fn new(operation: Operation, len: usize) -> Self {
        let repeated = if operation == Operation::One { vec![0; len] } else { Vec::new() };
        Combination { operation, result: vec![0; len], repeated, next: 0 }
    }

    /// Takes in the next string.
    pub fn add(&mut self, bytes: &[u8]) {
        let is_first = self.next == 0;
        self.next += 1;
        let result = &mut self.result;
        match self.operation {
            Operation::Not => each(result, &[], |_, _| 0xff),
            // The first string has the last word, so it is taken in by `finish`.
            Operation::Diff1 | Operation::AndOr if is_first => return,
            _ => {}
        }
        match self.operation {
            Operation::And | Operation::Diff if is_first => each(result, bytes, |_, b| b),
            Operation::And => each(result, bytes, |a, b| a & b),
            Operation::Diff => each(result, bytes, |a, b| a & !b),
            Operation::Or | Operation::Diff1 | Operation::AndOr => {
                each(result, bytes, |a, b| a | b);
            }
            Operation::Xor | Operation::Not => each(result, bytes, |a, b| a ^ b),
            Operation::One => {
                for ((once, twice), byte) in result.iter_mut().zip(&mut self.repeated).zip(bytes) {
                    *twice |= *once & byte;
                    *once |= byte;
                }
            }
        }
    }

    /// The result; `first` is the first string once more.
    pub fn finish(self, first: &[u8]) -> Vec<u8> {
        let mut result = self.result;
        match self.operation {
            Operation::Diff1 => each(&mut result, first, |a, b| a & !b),
            Operation::AndOr => each(&mut result, first, |a, b| a & b),
            Operation::One => each(&mut result, &self.repeated, |a, b| a & !b),
            _ => {}
        }
        result
    }
}

/// Changes every byte of `result` by the byte at the same place, zero behind the end of `bytes`.
/// The compiler makes vector instructions of it.
#[inline]
fn each(result: &mut [u8], bytes: &[u8], change: impl Fn(u8, u8) -> u8) {
    let (covered, rest) = result.split_at_mut(bytes.len());
    covered.iter_mut().zip(bytes).for_each(|(a, b)| *a = change(*a, *b));
    rest.iter_mut().for_each(|a| *a = change(*a, 0));
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec as bytes_of;
    use proptest::prelude::*;

    use super::*;

    fn bit(bytes: &[u8], at: u64) -> bool {
        bytes.get((at / 8) as usize).is_some_and(|byte| byte & (0x80 >> (at % 8)) != 0)
    }

    /// Bytes in which long runs of equal bits are frequent, and a range of their bits.
    fn bytes_and_bits() -> impl Strategy<Value = (Vec<u8>, Range<u64>)> {
        let byte = prop_oneof![3 => Just(0_u8), 3 => Just(0xff), 1 => any::<u8>()];
        bytes_of(byte, 1..40).prop_flat_map(|bytes| {
            let end = bytes.len() as u64 * 8;
            (Just(bytes), 0..end, 0..=end).prop_map(|(bytes, from, to)| (bytes, from..to))
        })
    }

    proptest! {
        #[test]
        fn counting_and_finding_are_what_a_loop_over_bits_says((bytes, bits) in bytes_and_bits()) {
            let ones = bits.clone().filter(|at| bit(&bytes, *at)).count() as u64;
            prop_assert_eq!(count_in(&bytes, bits.clone()), ones);
            for set in [false, true] {
                let found = bits.clone().find(|at| bit(&bytes, *at) == set);
                prop_assert_eq!(find_in(&bytes, bits.clone(), set), found);
            }
        }

        #[test]
        fn combining_is_what_counting_strings_says(
            strings in bytes_of(bytes_of(any::<u8>(), 0..20), 1..5),
        ) {
            let len = strings.iter().map(Vec::len).max().unwrap_or(0);
            let combine = |operation, strings: &[Vec<u8>]| {
                let mut all = Combination::new(operation, len);
                strings.iter().for_each(|string| all.add(string));
                all.finish(&strings[0])
            };
            for operation in [
                Operation::And, Operation::Or, Operation::Xor, Operation::Diff, Operation::Diff1,
                Operation::AndOr, Operation::One,
            ] {
                let result = combine(operation, &strings);
                prop_assert_eq!(result.len(), len);
                for at in 0..len as u64 * 8 {
                    let first = bit(&strings[0], at);
                    let all = strings.iter().filter(|string| bit(string, at)).count();
                    let others = all - usize::from(first);
                    let expected = match operation {
                        Operation::And => all == strings.len(),
                        Operation::Or => all > 0,
                        Operation::Xor => all % 2 == 1,
                        Operation::Diff => first && others == 0,
                        Operation::Diff1 => !first && others > 0,
                        Operation::AndOr => first && others > 0,
                        _ => all == 1,
                    };
                    prop_assert_eq!(bit(&result, at), expected, "{:?} at {}", operation, at);
                }
            }
            let opposite: Vec<u8> = strings[0].iter().map(|byte| !byte).collect();
            let mut not = Combination::new(Operation::Not, strings[0].len());
            not.add(&strings[0]);
            prop_assert_eq!(not.finish(&strings[0]), opposite);
        }
    }
}
