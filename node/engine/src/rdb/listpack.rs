//! Listpacks: a row of elements in one buffer.
//!
//! ```text
//! total bytes u32 │ elements u16, 65535 if more │ element, its size backwards │ … │ 0xFF
//! ```
//!
//! The header is little-endian. The size of an element is written so that it can be read from its
//! end: groups of seven bits, the most significant first, all but the first with the high bit set.
//! Source: <https://github.com/antirez/listpack/blob/master/listpack.md>.

use alloc::vec::Vec;

use super::RdbError;
use super::input::Input;
use crate::types::{Element, Encoded, trailer_len};

const HEADER: usize = 6;
const END: u8 = 0xff;

/// A listpack that is being written.
pub(super) struct Listpack {
    bytes: Vec<u8>,
    len: usize,
}

impl Listpack {
    pub(super) fn new() -> Self {
        Listpack { bytes: alloc::vec![0; HEADER], len: 0 }
    }

    pub(super) fn push(&mut self, element: Element<'_>) {
        let encoded = Encoded::new(element);
        encoded.append(&mut self.bytes);
        push_size(&mut self.bytes, encoded.len());
        self.len += 1;
    }

    pub(super) fn push_text(&mut self, text: &[u8]) {
        self.push(Element::of(text));
    }

    /// How many bytes it takes so far.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.push(END);
        let total = u32::try_from(self.bytes.len()).expect("compact values are small");
        self.bytes[..4].copy_from_slice(&total.to_le_bytes());
        let len = u16::try_from(self.len).unwrap_or(u16::MAX);
        self.bytes[4..HEADER].copy_from_slice(&len.to_le_bytes());
        self.bytes
    }
}

fn push_size(out: &mut Vec<u8>, size: usize) {
    let groups = trailer_len(size);
    for group in (0..groups).rev() {
        let high = if group + 1 == groups { 0 } else { 0x80 };
        out.push((size >> (7 * group)) as u8 & 0x7f | high);
    }
}

/// Reads the elements of a listpack, checking everything that is read.
pub(super) fn elements(bytes: &[u8]) -> Result<Vec<Element<'_>>, RdbError> {
    const BAD: RdbError = RdbError::Corrupt("listpack");
    let mut input = Input::new(bytes);
    let total = u32::from_le_bytes(input.array()?);
    let len = u16::from_le_bytes(input.array()?);
    if total as usize != bytes.len() {
        return Err(BAD);
    }
    let mut found = Vec::new();
    loop {
        let before = input.len();
        let head = input.byte()?;
        if head == END {
            break;
        }
        found.push(element(head, &mut input)?);
        let mut size = Vec::with_capacity(5);
        push_size(&mut size, before - input.len());
        if input.take(size.len())? != size {
            return Err(BAD);
        }
    }
    let counted = len == u16::MAX || usize::from(len) == found.len();
    if input.is_empty() && counted { Ok(found) } else { Err(BAD) }
}

fn element<'a>(head: u8, input: &mut Input<'a>) -> Result<Element<'a>, RdbError> {
    let low = |bits: u8| usize::from(head & ((1 << bits) - 1));
    Ok(match head {
        0..0x80 => Element::Integer(head.into()),
        0x80..0xc0 => Element::of(input.take(low(6))?),
        0xc0..0xe0 => {
            let value = (low(5) << 8) as i64 | i64::from(input.byte()?);
            Element::Integer(if value < 1 << 12 { value } else { value - (1 << 13) })
        }
        0xe0..0xf0 => {
            let len = low(4) << 8 | usize::from(input.byte()?);
            Element::of(input.take(len)?)
        }
        0xf0 => {
            let len = u32::from_le_bytes(input.array()?);
            Element::of(input.take(len as usize)?)
        }
        0xf1 => Element::Integer(i16::from_le_bytes(input.array()?).into()),
        0xf2 => {
            let [a, b, c] = input.array()?;
            Element::Integer((i32::from_le_bytes([0, a, b, c]) >> 8).into())
        }
        0xf3 => Element::Integer(i32::from_le_bytes(input.array()?).into()),
        0xf4 => Element::Integer(i64::from_le_bytes(input.array()?)),
        _ => return Err(RdbError::Corrupt("listpack")),
    })
}
