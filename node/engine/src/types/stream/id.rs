//! The id of an entry: a time, and a number among those added at that time.

use super::varint::NUMBER_BYTES;

/// The id of an entry; ids are ordered, and a stream's only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// Milliseconds since the Unix epoch, as a rule.
    pub ms: u64,
    /// Which of the entries of that millisecond.
    pub seq: u64,
}

impl StreamId {
    /// `0-0`: no entry has it.
    pub const MIN: StreamId = StreamId { ms: 0, seq: 0 };
    /// The greatest id.
    pub const MAX: StreamId = StreamId { ms: u64::MAX, seq: u64::MAX };

    /// An id of two numbers.
    pub const fn new(ms: u64, seq: u64) -> Self {
        StreamId { ms, seq }
    }

    /// The id behind this one, if it is not the greatest.
    pub fn next(self) -> Option<StreamId> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(StreamId { seq, ..self }),
            None => Some(StreamId { ms: self.ms.checked_add(1)?, seq: 0 }),
        }
    }

    /// The id before this one, if it is not `0-0`.
    pub fn previous(self) -> Option<StreamId> {
        match self.seq.checked_sub(1) {
            Some(seq) => Some(StreamId { seq, ..self }),
            None => Some(StreamId { ms: self.ms.checked_sub(1)?, seq: u64::MAX }),
        }
    }

    /// Sixteen bytes that sort as the ids do.
    pub fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.ms) << 64 | u128::from(self.seq)).to_be_bytes()
    }

    /// The id of sixteen bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        let both = u128::from_be_bytes(bytes);
        StreamId { ms: (both >> 64) as u64, seq: both as u64 }
    }

    /// Calls `f` with the text, `ms-seq`.
    #[inline]
    pub fn with_text<R>(self, f: impl FnOnce(&[u8]) -> R) -> R {
        let mut text = [0; 2 * NUMBER_BYTES + 1];
        let (mut ms, mut seq) = (itoa::Buffer::new(), itoa::Buffer::new());
        let (ms, seq) = (ms.format(self.ms).as_bytes(), seq.format(self.seq).as_bytes());
        let len = ms.len() + 1 + seq.len();
        text[..ms.len()].copy_from_slice(ms);
        text[ms.len()] = b'-';
        text[ms.len() + 1..len].copy_from_slice(seq);
        f(&text[..len])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_carry_over() {
        let table = [
            (StreamId::MIN, Some(StreamId::new(0, 1)), None),
            (StreamId::new(5, 7), Some(StreamId::new(5, 8)), Some(StreamId::new(5, 6))),
            (
                StreamId::new(5, u64::MAX),
                Some(StreamId::new(6, 0)),
                Some(StreamId::new(5, u64::MAX - 1)),
            ),
            (StreamId::new(6, 0), Some(StreamId::new(6, 1)), Some(StreamId::new(5, u64::MAX))),
            (StreamId::MAX, None, Some(StreamId::new(u64::MAX, u64::MAX - 1))),
        ];
        for (id, next, previous) in table {
            assert_eq!((id.next(), id.previous()), (next, previous), "{id:?}");
            assert_eq!(StreamId::from_bytes(id.to_bytes()), id);
        }
    }

    #[test]
    fn the_longest_text_fits() {
        let text = StreamId::MAX.with_text(<[u8]>::to_vec);
        assert_eq!(text, b"18446744073709551615-18446744073709551615");
    }
}
