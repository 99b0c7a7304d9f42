//! Numbers in as many bytes as they need: seven bits a byte, the lowest first, the high bit set in
//! all bytes but the last.

use alloc::vec::Vec;

/// The most digits of a 64-bit number.
pub(super) const NUMBER_BYTES: usize = 20;

/// The most bytes of a number.
const LONGEST: usize = 10;

/// Appends a number.
#[inline]
pub(super) fn push(value: u64, out: &mut Vec<u8>) {
    let (bytes, len) = encode(value);
    out.extend_from_slice(&bytes[..len]);
}

/// A number's bytes, and how many there are.
#[inline]
pub(super) fn encode(mut value: u64) -> ([u8; LONGEST], usize) {
    let (mut bytes, mut len) = ([0; LONGEST], 1);
    while value >= 0x80 {
        bytes[len - 1] = value as u8 | 0x80;
        value >>= 7;
        len += 1;
    }
    bytes[len - 1] = value as u8;
    (bytes, len)
}

/// The number that begins at `at`, and where it ends.
#[inline]
pub(super) fn read(bytes: &[u8], mut at: usize) -> (u64, usize) {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = bytes[at];
        value |= u64::from(byte & 0x7f) << shift;
        at += 1;
        if byte < 0x80 {
            return (value, at);
        }
        shift += 7;
    }
}

/// The number whose bytes stand in reverse before `at`, and where they begin.
#[inline]
pub(super) fn read_backwards(bytes: &[u8], mut at: usize) -> (u64, usize) {
    let (mut value, mut shift) = (0, 0);
    loop {
        at -= 1;
        let byte = bytes[at];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return (value, at);
        }
        shift += 7;
    }
}

/// A difference as a number that is small if the difference is, whatever its sign.
#[inline]
pub(super) const fn fold(difference: i64) -> u64 {
    (difference << 1 ^ difference >> 63) as u64
}

/// The difference that [`fold`] made this of.
#[inline]
pub(super) const fn unfold(folded: u64) -> i64 {
    (folded >> 1) as i64 ^ -((folded & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_from_either_end() {
        for value in [0, 1, 127, 128, 16_383, 16_384, 1 << 35, u64::MAX >> 1, u64::MAX] {
            let mut bytes = alloc::vec![7];
            push(value, &mut bytes);
            assert_eq!(read(&bytes, 1), (value, bytes.len()), "{value}");
            bytes[1..].reverse();
            assert_eq!(read_backwards(&bytes, bytes.len()), (value, 1), "{value} backwards");
        }
    }

    #[test]
    fn differences_of_either_sign_come_back() {
        for difference in [0, -1, 1, -64, 63, i64::MIN, i64::MAX] {
            assert_eq!(unfold(fold(difference)), difference);
        }
        assert!(fold(-3) < 8, "a small difference is a small number");
    }
}
