//! The names of scripts: SHA-1 of their text.

use core::fmt;
use core::hash::{Hash, Hasher};

use sha1::{Digest as _, Sha1};

/// A script's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sha([u8; 20]);

impl Sha {
    /// That of a text.
    pub fn of(source: &[u8]) -> Sha {
        Sha(Sha1::digest(source).into())
    }

    /// Reads forty hexadecimal digits of either case.
    pub fn parse(text: &[u8]) -> Option<Sha> {
        let (pairs, rest) = text.as_chunks::<2>();
        if pairs.len() != 20 || !rest.is_empty() {
            return None;
        }
        // Wrong digits are looked for once, at the end: EVALSHA reads a name with every call.
        let (mut bytes, mut wrong) = ([0; 20], 0);
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            let (high, low) = (DIGITS[*high as usize], DIGITS[*low as usize]);
            wrong |= high | low;
            *byte = high << 4 | low & 15;
        }
        (wrong & NO_DIGIT == 0).then_some(Sha(bytes))
    }

    /// Forty lower-case hexadecimal digits.
    pub fn hex(&self) -> [u8; 40] {
        let mut text = [0; 40];
        for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = [byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[digit as usize]);
        }
        text
    }
}

const NO_DIGIT: u8 = 0x80;

/// What each byte is as a hexadecimal digit.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        let letter = b"0123456789abcdef"[digit];
        digits[letter as usize] = digit as u8;
        digits[letter.to_ascii_uppercase() as usize] = digit as u8;
        digit += 1;
    }
    digits
};

/// It is a hash already, so a part of it will do.
impl Hash for Sha {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (first, _) = self.0.split_first_chunk().expect("there are twenty bytes");
        state.write_u64(u64::from_le_bytes(*first));
    }
}

impl fmt::Display for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(&self.hex()).expect("digits are ASCII"))
    }
}

impl fmt::Debug for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::Sha;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        let sha = Sha::of(b"return 1");
        assert_eq!(sha.to_string(), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
        assert_eq!(Sha::parse(&sha.hex()), Some(sha));
        assert_eq!(Sha::parse(&sha.hex().to_ascii_uppercase()), Some(sha));
        for wrong in [&b""[..], b"e0e1", &[b'g'; 40], &[b'0'; 41], &[b'0'; 42]] {
            assert_eq!(Sha::parse(wrong), None);
        }
    }
}
