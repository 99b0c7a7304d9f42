//! Hashes the keys of a table.

use core::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use crate::types::packed::{Encoded, element};

/// The longest encoded key that is put together on the stack, to be hashed in one piece.
const SHORT_MAX: usize = 64;

/// SipHash-1-3 under the shard's seed, over the encoded key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hasher {
    seed: [u8; 16],
}

impl Hasher {
    pub fn new(seed: [u8; 16]) -> Self {
        Hasher { seed }
    }

    /// The hash of a key as it would be in a record.
    #[inline]
    pub fn of_key(self, key: &Encoded<'_>) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.seed);
        let (head, tail) = key.parts();
        let len = head.len() + tail.len();
        if len <= SHORT_MAX {
            let mut text = [0; SHORT_MAX];
            text[..head.len()].copy_from_slice(head);
            text[head.len()..len].copy_from_slice(tail);
            return hasher.hash(&text[..len]);
        }
        hasher.write(head);
        hasher.write(tail);
        hasher.finish()
    }

    /// The hash of the key of a record.
    #[inline]
    pub fn of_record(self, record: &[u8]) -> u64 {
        SipHasher13::new_with_key(&self.seed).hash(&record[..element::size_of_first(record)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_hashes_the_same_in_a_request_and_in_a_record() {
        let hasher = Hasher::new([7; 16]);
        for len in [0, 1, 6, 7, 8, 9, 15, 61, 62, 63, 64, 65, 4095, 4096] {
            let text = alloc::vec![b'k'; len];
            let key = Encoded::of(&text);
            let mut record = alloc::vec::Vec::new();
            key.append(&mut record);
            Encoded::of(b"value").append(&mut record);
            assert_eq!(hasher.of_key(&key), hasher.of_record(&record), "{len}");
        }
    }
}
