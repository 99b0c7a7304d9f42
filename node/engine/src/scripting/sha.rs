//! The names of scripts: SHA-1 of their text.

use core::fmt;

use sha1::{Digest as _, Sha1};

/// A script's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
        let mut bytes = [0; 20];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Sha(bytes))
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

fn digit(letter: u8) -> Option<u8> {
    char::from(letter).to_digit(16).map(|digit| digit as u8)
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
