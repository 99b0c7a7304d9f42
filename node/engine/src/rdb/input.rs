//! Reading lengths and strings.

use alloc::borrow::Cow;

use super::{RdbError, lzf};

/// The bytes that are still to be read.
#[derive(Clone, Debug)]
pub(crate) struct Input<'a> {
    rest: &'a [u8],
}

/// How a length was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As short as possible, or at least not marked.
    Plain,
    /// In the 32-bit form, although a shorter one would do.
    Wide,
    /// In the 64-bit form, although a shorter one would do.
    Widest,
}

/// A string with how it was written.
pub(super) struct Text<'a> {
    pub bytes: Cow<'a, [u8]>,
    pub form: Form,
}

enum Length {
    Plain(u64, Form),
    Encoding(u8),
}

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Input { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left.
    pub(crate) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], RdbError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(RdbError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], RdbError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(RdbError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, RdbError> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn length_or_encoding(&mut self) -> Result<Length, RdbError> {
        let first = self.byte()?;
        let low = u64::from(first & 0x3f);
        Ok(match first >> 6 {
            0 => Length::Plain(low, Form::Plain),
            1 => Length::Plain(low << 8 | u64::from(self.byte()?), Form::Plain),
            3 => Length::Encoding(first & 0x3f),
            _ if first == 0x80 => {
                let length = u64::from(u32::from_be_bytes(self.array()?));
                let form = if length < 1 << 14 { Form::Wide } else { Form::Plain };
                Length::Plain(length, form)
            }
            _ if first == 0x81 => {
                let length = u64::from_be_bytes(self.array()?);
                let form = if length < 1 << 32 { Form::Widest } else { Form::Plain };
                Length::Plain(length, form)
            }
            _ => return Err(RdbError::Corrupt("length")),
        })
    }

    /// A length or a small number.
    pub(crate) fn length(&mut self) -> Result<u64, RdbError> {
        match self.length_or_encoding()? {
            Length::Plain(length, _) => Ok(length),
            Length::Encoding(_) => Err(RdbError::Corrupt("length")),
        }
    }

    /// A number of elements, each of which takes at least a byte.
    pub(super) fn count(&mut self) -> Result<usize, RdbError> {
        let count = usize::try_from(self.length()?).map_err(|_| RdbError::Truncated)?;
        if count > self.rest.len() { Err(RdbError::Truncated) } else { Ok(count) }
    }

    /// A string.
    pub(crate) fn string(&mut self) -> Result<Cow<'a, [u8]>, RdbError> {
        self.text().map(|text| text.bytes)
    }

    pub(super) fn text(&mut self) -> Result<Text<'a>, RdbError> {
        let plain = |bytes| Text { bytes, form: Form::Plain };
        match self.length_or_encoding()? {
            Length::Plain(length, form) => {
                let length = usize::try_from(length).map_err(|_| RdbError::Truncated)?;
                Ok(Text { bytes: Cow::Borrowed(self.take(length)?), form })
            }
            Length::Encoding(0) => Ok(plain(printed(i8::from_le_bytes(self.array()?).into()))),
            Length::Encoding(1) => Ok(plain(printed(i16::from_le_bytes(self.array()?).into()))),
            Length::Encoding(2) => Ok(plain(printed(i32::from_le_bytes(self.array()?).into()))),
            Length::Encoding(3) => {
                let packed = usize::try_from(self.length()?).map_err(|_| RdbError::Truncated)?;
                let whole = usize::try_from(self.length()?).map_err(|_| RdbError::Truncated)?;
                let bytes = lzf::expand(self.take(packed)?, whole);
                bytes.map(|bytes| plain(Cow::Owned(bytes))).ok_or(RdbError::Corrupt("compression"))
            }
            Length::Encoding(_) => Err(RdbError::Corrupt("string")),
        }
    }
}

fn printed(value: i64) -> Cow<'static, [u8]> {
    Cow::Owned(itoa::Buffer::new().format(value).as_bytes().to_vec())
}
