//! How one element looks in memory: a header that tells kind and length, then the payload.
//!
//! ```text
//! 0xxxxxxx                     integer 0 … 127
//! 10xxxxxx  bytes              up to 63 bytes
//! 110xxxxx xxxxxxxx            integer -4096 … 4095
//! 1110xxxx xxxxxxxx  bytes     up to 4095 bytes
//! 11110000 u32       bytes     up to 4 GiB
//! 11110001 i16 │ 11110010 i24 │ 11110011 i32 │ 11110100 i64      (little-endian)
//! ```
//!
//! These are the encodings of a Redis listpack, so that a snapshot can pass compact collections on
//! without looking at them twice, and so that size limits mean the same number of bytes. Text that
//! is an integer in canonical form is always stored as an integer; hence equal elements have equal
//! encodings, and comparing encoded bytes compares elements.
//! Source: <https://github.com/antirez/listpack/blob/master/listpack.md>.

use alloc::vec::Vec;

/// One element of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element<'a> {
    /// An integer in canonical decimal form.
    Integer(i64),
    /// Any other bytes.
    Bytes(&'a [u8]),
}

impl<'a> Element<'a> {
    /// The element with this text.
    #[inline]
    pub fn of(text: &'a [u8]) -> Self {
        quoris_resp::parse_i64(text).map_or(Element::Bytes(text), Element::Integer)
    }

    /// Calls `f` with the text, printing an integer into a buffer on the stack.
    #[inline]
    pub fn with_bytes<R>(self, f: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Element::Bytes(bytes) => f(bytes),
            Element::Integer(value) => f(itoa::Buffer::new().format(value).as_bytes()),
        }
    }

    /// The length of the text in bytes.
    #[allow(clippy::len_without_is_empty, reason = "nobody asks whether a text is empty")]
    pub fn len(self) -> usize {
        self.with_bytes(<[u8]>::len)
    }

    /// A copy of the text.
    pub fn to_vec(self) -> Vec<u8> {
        self.with_bytes(<[u8]>::to_vec)
    }
}

/// An element ready to be written or compared: its header, with the digits of an integer, and the
/// bytes behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoded<'a> {
    head: [u8; 9],
    head_len: u8,
    tail: &'a [u8],
}

impl<'a> Encoded<'a> {
    /// The encoding of this text.
    #[inline]
    pub fn of(text: &'a [u8]) -> Self {
        Self::new(Element::of(text))
    }

    /// The encoding of an element.
    #[inline]
    pub fn new(element: Element<'a>) -> Self {
        match element {
            Element::Integer(value) => Self::integer(value),
            Element::Bytes(bytes) => Self::bytes(bytes),
        }
    }

    fn bytes(bytes: &'a [u8]) -> Self {
        match bytes.len() {
            len @ 0..64 => Self::with(&[0x80 | len as u8], bytes),
            len @ 64..4096 => Self::with(&[0xe0 | (len >> 8) as u8, len as u8], bytes),
            len => {
                let len = u32::try_from(len).expect("the protocol cannot carry 4 GiB");
                let [a, b, c, d] = len.to_le_bytes();
                Self::with(&[0xf0, a, b, c, d], bytes)
            }
        }
    }

    fn integer(value: i64) -> Self {
        let digits = value.to_le_bytes();
        let (kind, len) = match value {
            0..128 => return Self::with(&digits[..1], &[]),
            -4096..4096 => return Self::with(&[0xc0 | (digits[1] & 0x1f), digits[0]], &[]),
            -0x8000..0x8000 => (0xf1, 2),
            -0x0080_0000..0x0080_0000 => (0xf2, 3),
            -0x8000_0000..0x8000_0000 => (0xf3, 4),
            _ => (0xf4, 8),
        };
        let mut head = [kind; 9];
        head[1..=len].copy_from_slice(&digits[..len]);
        Self::with(&head[..=len], &[])
    }

    fn with(start: &[u8], tail: &'a [u8]) -> Self {
        let mut head = [0; 9];
        head[..start.len()].copy_from_slice(start);
        Encoded { head, head_len: start.len() as u8, tail }
    }

    /// The header and the bytes behind it, to be written one after the other.
    #[inline]
    pub fn parts(&self) -> (&[u8], &'a [u8]) {
        (&self.head[..usize::from(self.head_len)], self.tail)
    }

    /// How many bytes the encoding takes.
    #[inline]
    pub fn len(&self) -> usize {
        usize::from(self.head_len) + self.tail.len()
    }

    /// Writes the encoding over the first bytes of `place`.
    #[inline]
    pub fn write(&self, place: &mut [u8]) {
        let (head, tail) = self.parts();
        place[..head.len()].copy_from_slice(head);
        place[head.len()..][..tail.len()].copy_from_slice(tail);
    }

    /// Appends the encoding.
    #[inline]
    pub fn append(&self, out: &mut Vec<u8>) {
        let (head, tail) = self.parts();
        out.extend_from_slice(head);
        out.extend_from_slice(tail);
    }

    /// Whether the element encoded at the beginning of `place` is this one.
    #[inline]
    pub fn begins(&self, place: &[u8]) -> bool {
        let (head, tail) = self.parts();
        // Most elements that are compared differ in the first byte already.
        place[0] == head[0] && place.strip_prefix(head).is_some_and(|rest| rest.starts_with(tail))
    }
}

/// How many bytes the size of an element takes behind it, in a form to be read backwards. The limits
/// are those of a Redis listpack, which give the largest sizes of two, three and four bytes one byte
/// more than they need.
#[inline]
pub(crate) const fn trailer_len(size: usize) -> usize {
    match size {
        0..0x80 => 1,
        0x80..0x3fff => 2,
        0x3fff..0x001f_ffff => 3,
        0x001f_ffff..0x0fff_ffff => 4,
        _ => 5,
    }
}

/// How many bytes the element at the beginning of `place` takes.
#[inline]
pub(in crate::types) fn size_of_first(place: &[u8]) -> usize {
    match SIZES[usize::from(place[0])] {
        0 => size_of_long(place),
        size => usize::from(size),
    }
}

/// How many bytes an element with this first byte takes, if that tells it.
#[inline]
pub(super) fn size_by_head(head: u8) -> Option<usize> {
    Some(SIZES[usize::from(head)]).filter(|size| *size > 0).map(usize::from)
}

/// The size of an element by its first byte; 0 if that byte does not tell.
const SIZES: [u8; 256] = {
    let mut sizes = [0; 256];
    let mut head = 0;
    while head < 256 {
        sizes[head] = match head {
            0..0x80 => 1,
            0x80..0xc0 => 1 + (head & 0x3f) as u8,
            0xc0..0xe0 => 2,
            0xf1 => 3,
            0xf2 => 4,
            0xf3 => 5,
            0xf4 => 9,
            _ => 0,
        };
        head += 1;
    }
    sizes
};

fn size_of_long(place: &[u8]) -> usize {
    match place[0] {
        head @ 0xe0..0xf0 => 2 + (usize::from(head & 0x0f) << 8 | usize::from(place[1])),
        0xf0 => 5 + little_endian(&place[1..5]) as usize,
        head => unreachable!("{head:#x} begins no element"),
    }
}

/// The element at the beginning of `place`, and how many bytes it takes.
#[inline]
pub(in crate::types) fn first(place: &[u8]) -> (Element<'_>, usize) {
    let size = size_of_first(place);
    let payload = |head_len: usize| Element::Bytes(&place[head_len..size]);
    let element = match place[0] {
        small @ 0..0x80 => Element::Integer(i64::from(small)),
        0x80..0xc0 => payload(1),
        head @ 0xc0..0xe0 => {
            let high = u64::from(head & 0x1f) << 8;
            Element::Integer(signed(high | u64::from(place[1]), 13))
        }
        0xe0..0xf0 => payload(2),
        0xf0 => payload(5),
        _ => {
            let digits = &place[1..size];
            Element::Integer(signed(little_endian(digits), digits.len() as u32 * 8))
        }
    };
    (element, size)
}

#[inline]
fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// The lowest `bits` of `value` as a signed integer.
#[inline]
fn signed(value: u64, bits: u32) -> i64 {
    let unused = 64 - bits;
    (value << unused) as i64 >> unused
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn round_trip(text: &[u8]) -> usize {
        let mut out = Vec::new();
        Encoded::of(text).append(&mut out);
        let written = out.len();
        assert_eq!(written, Encoded::of(text).len());
        assert!(Encoded::of(text).begins(&out));
        out.push(0xff);
        let (element, size) = first(&out);
        assert_eq!((element.to_vec().as_slice(), size), (text, written));
        size
    }

    #[test]
    fn sizes_are_those_of_a_listpack() {
        for (text, size) in [
            ("0", 1),
            ("127", 1),
            ("128", 2),
            ("-1", 2),
            ("-4096", 2),
            ("4095", 2),
            ("4096", 3),
            ("-32768", 3),
            ("32768", 4),
            ("-8388608", 4),
            ("8388608", 5),
            ("-2147483648", 5),
            ("2147483648", 9),
            ("9223372036854775807", 9),
            ("-9223372036854775808", 9),
            ("9223372036854775808", 20),
            ("007", 4),
            ("-0", 3),
            ("+1", 3),
            ("", 1),
        ] {
            assert_eq!(round_trip(text.as_bytes()), size, "{text}");
        }
        for (len, size) in [(63, 64), (64, 66), (4095, 4097), (4096, 4101), (70_000, 70_005)] {
            assert_eq!(round_trip(&vec![b'x'; len]), size, "{len} bytes");
        }
    }
}
