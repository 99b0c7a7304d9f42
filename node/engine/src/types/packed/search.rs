//! Looking for a key among packed entries.
//!
//! Where an entry ends is only known when the headers of its elements have been read, so a plain walk
//! waits for the memory at every step. But entries that follow each other mostly have the same
//! *shape*: elements of the same kinds and lengths. Within a run of one shape the next entry begins
//! at a known distance; its headers only have to confirm it, and the processor goes on meanwhile.

use core::ops::Range;

use super::element::{self, Encoded};
use super::entries::entry_size;

/// Where the entry with this key is, in a buffer of entries of `WORDS` elements each.
pub(super) fn find<const WORDS: usize>(bytes: &[u8], key: &Encoded<'_>) -> Option<Range<usize>> {
    let needle = Needle::new(key);
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let Some(shape) = Shape::<WORDS>::of(rest) else {
            let end = at + entry_size::<WORDS>(rest);
            if key.begins(rest) {
                return Some(at..end);
            }
            at = end;
            continue;
        };
        let may_match = shape.heads[0] == needle.head;
        for entry in rest.chunks_exact(shape.size) {
            if !shape.is_that_of(entry) {
                break;
            }
            let end = at + shape.size;
            if may_match && needle.may_begin(&bytes[at..]) && key.begins(entry) {
                return Some(at..end);
            }
            at = end;
        }
    }
    None
}

/// The first bytes of an entry's elements, and where they are.
struct Shape<const WORDS: usize> {
    heads: [u8; WORDS],
    offsets: [usize; WORDS],
    size: usize,
}

impl<const WORDS: usize> Shape<WORDS> {
    /// The shape of the first entry; `None` if the first byte of an element does not tell its size.
    #[inline]
    fn of(bytes: &[u8]) -> Option<Self> {
        let mut shape = Shape { heads: [0; WORDS], offsets: [0; WORDS], size: 0 };
        for word in 0..WORDS {
            let head = bytes[shape.size];
            shape.heads[word] = head;
            shape.offsets[word] = shape.size;
            shape.size += element::size_by_head(head)?;
        }
        Some(shape)
    }

    #[inline]
    fn is_that_of(&self, entry: &[u8]) -> bool {
        (0..WORDS).all(|word| entry[self.offsets[word]] == self.heads[word])
    }
}

/// Eight bytes of an encoded key, its last ones, by which it is told from most others. Keys often
/// begin alike.
struct Needle {
    head: u8,
    offset: usize,
    word: u64,
    mask: u64,
}

impl Needle {
    fn new(key: &Encoded<'_>) -> Self {
        let (head, tail) = key.parts();
        let len = head.len() + tail.len();
        // A head has nine bytes at most.
        let mut text = [0; 17];
        text[..head.len()].copy_from_slice(head);
        let offset = len.saturating_sub(8);
        let word = if let Some(last) = tail.last_chunk::<8>() {
            *last
        } else {
            text[head.len()..len].copy_from_slice(tail);
            *text[offset..].first_chunk().expect("seventeen bytes, and an offset below nine")
        };
        let mask = if len < 8 { (1 << (8 * len)) - 1 } else { u64::MAX };
        Needle { head: head[0], offset, word: u64::from_le_bytes(word), mask }
    }

    /// Whether these bytes can begin with the key.
    #[inline]
    fn may_begin(&self, bytes: &[u8]) -> bool {
        match bytes.get(self.offset..).and_then(<[u8]>::first_chunk) {
            Some(word) => u64::from_le_bytes(*word) & self.mask == self.word,
            // So near the end of the buffer that it is as well to compare.
            None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::types::packed::Entries;

    #[test]
    fn keys_of_all_shapes_are_found_and_no_others() {
        let long = [b'x'; 5000];
        let mut keys: Vec<Vec<u8>> = Vec::new();
        for n in 0..30_u8 {
            keys.push(alloc::format!("field:{n:04}").into_bytes());
            keys.push(alloc::format!("f{n}").into_bytes());
            keys.push(alloc::format!("{}", i64::from(n) << n).into_bytes());
            keys.push(alloc::format!("-{}", i64::from(n + 1) << (2 * n)).into_bytes());
            keys.push([&long[..usize::from(n) * 150 + 40], &[n]].concat());
        }
        keys.sort();
        keys.dedup();
        let values: [&[u8]; 4] = [b"", b"12345", b"field:0003", &long[..100]];
        let mut entries = Entries::<2>::default();
        let mut ends = Vec::new();
        for (n, key) in keys.iter().enumerate() {
            assert_eq!(entries.find(&Encoded::of(key)), None);
            entries.push(&[Encoded::of(key), Encoded::of(values[n / 8 % 4])]);
            ends.push(entries.byte_len());
            for (key, end) in keys.iter().zip(&ends) {
                let found = entries.find(&Encoded::of(key)).expect("it was pushed");
                assert_eq!(found.end, *end);
            }
        }
    }
}
