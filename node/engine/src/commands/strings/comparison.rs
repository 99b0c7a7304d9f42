//! Conditions on the string that a key holds: `IFEQ`, `IFNE`, and by digest `IFDEQ`, `IFDNE`.
//!
//! The rules are Redis 8.4's. Valkey has the first since 8.1, with the same meaning.

use crate::commands::options::is;
use crate::error::{CommandError, Result};
use crate::keyspace::StringRef;
use crate::spec::{Arg, string};

/// The four conditions, for declarations.
pub(super) const IFEQ: Arg = string("ifeq-value").after("IFEQ");
pub(super) const IFNE: Arg = string("ifne-value").after("IFNE");
pub(super) const IFDEQ: Arg = string("ifdeq-digest").after("IFDEQ");
pub(super) const IFDNE: Arg = string("ifdne-digest").after("IFDNE");

const NO_DIGEST: CommandError =
    CommandError::fixed("ERR must be exactly 16 hexadecimal characters");

/// A condition on a string.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comparison<'a> {
    /// What is compared with.
    other: &'a [u8],
    by_digest: bool,
    /// Whether both have to be equal, or different.
    equal: bool,
}

impl<'a> Comparison<'a> {
    /// The condition that a word and the one behind it state.
    pub fn of_option(word: &[u8], other: &'a [u8]) -> Option<Comparison<'a>> {
        let (by_digest, equal) = match word {
            _ if is(word, "ifeq") => (false, true),
            _ if is(word, "ifne") => (false, false),
            _ if is(word, "ifdeq") => (true, true),
            _ if is(word, "ifdne") => (true, false),
            _ => return None,
        };
        Some(Comparison { other, by_digest, equal })
    }

    /// Whether it holds for a string, or for none: that differs from every string.
    ///
    /// # Errors
    /// That a digest is not one; what no string is compared with is not looked at.
    pub fn holds(self, string: Option<StringRef<'_>>) -> Result<bool> {
        let Some(string) = string else { return Ok(!self.equal) };
        if !self.by_digest {
            return Ok(string.with_bytes(|bytes| bytes == self.other) == self.equal);
        }
        if self.other.len() != DIGEST_LEN {
            return Err(NO_DIGEST);
        }
        let digest = string.with_bytes(digest);
        Ok(digest.eq_ignore_ascii_case(self.other) == self.equal)
    }
}

/// Characters of a digest.
const DIGEST_LEN: usize = 16;

/// What `DIGEST` answers of a string: its XXH3 hash of 64 bits, as hexadecimal digits.
pub(super) fn digest(bytes: &[u8]) -> [u8; DIGEST_LEN] {
    let hash = xxhash_rust::xxh3::xxh3_64(bytes);
    core::array::from_fn(|at| b"0123456789abcdef"[(hash >> (60 - 4 * at)) as usize & 15])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a report to Redis's developers shows them, and the empty string's from the algorithm's
    /// own tests.
    #[test]
    fn digests_are_those_of_redis() {
        let leading_zeros = b"v8lf0c11xh8ymlqztfd3eeq16kfn4sspw7fqmnuuq3k3t75em5wdizgcdw7uc26nnf961u2jkfzkjytls2kwlj7626sd";
        for (text, expected) in
            [(&leading_zeros[..], "00006c38adf31777"), (b"", "2d06800538d394c2")]
        {
            assert_eq!(digest(text), expected.as_bytes());
        }
    }
}
