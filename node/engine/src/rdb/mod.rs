//! Values as Redis writes them into `dump.rdb` and into the payload of `DUMP`: version 11, which is
//! that of Redis 7.2.
//!
//! ```text
//! length   00xxxxxx │ 01xxxxxx x8 │ 0x80 u32 big-endian │ 0x81 u64 big-endian
//! string   length, bytes │ 0xC0 i8 │ 0xC1 i16 │ 0xC2 i32 │ 0xC3 compressed by LZF
//! value    by its type byte:
//!    0 string        2 set       11 set of sorted integers    20 set as a listpack
//!    4 hash         16 hash as a listpack
//!   24 hash with deadlines: the earliest of them in ms as u64, how many fields, and for each
//!      0 or 1 more than its deadline is later than the earliest, field, value
//!   25 hash with deadlines: the earliest or 0, a listpack of field, value, deadline in ms or 0
//!    5 sorted set   17 sorted set as a listpack
//!   18 list of nodes: 1 and a plain element, or 2 and a listpack
//!   21 stream, 19 and 15 streams of earlier versions: see `stream`
//! ```
//!
//! Types 24 and 25 came with Redis 7.4: a file in which a hash has deadlines cannot be loaded by an
//! older server, and a hash that has none is written as in 7.2.
//!
//! A snapshot has to bring back more than Redis cares for: the order of elements, and whatever
//! `OBJECT ENCODING` could tell. Where the format leaves no place for that, a length is written
//! longer than needed, which every reader of the format accepts:
//!
//! * a string in the 32-bit form was changed in place (`raw`);
//! * a string in the 64-bit form is the text of an integer that is not kept as one;
//! * a set's listpack in the 64-bit form holds integers in insertion order (`intset`);
//! * a list whose first node is plain, or a listpack in the 64-bit form, is a long list
//!   (`quicklist`), however few its nodes are.
//!
//! Reading trusts nothing: any bytes give a value or an error, memory is taken only for bytes that
//! are there, and a value is refused if it is empty, repeats a member or has a score that is not a
//! number.
//! Source: <https://github.com/redis/redis/blob/7.2/src/rdb.h>.

mod crc64;
mod hash;
mod input;
mod listpack;
mod load;
mod lzf;
mod save;
mod stream;

#[cfg(test)]
mod tests;

pub(crate) use crc64::crc64;
pub(crate) use input::Input;
pub(crate) use load::load_value;
pub(crate) use save::{save_length, save_string, save_value, type_of};

use alloc::vec::Vec;
use core::fmt;

use crate::keyspace::{Entry, Rebuild};

/// The version of the format that is written.
pub(crate) const VERSION: u16 = 11;
/// The version that the payload of a hash with deadlines has, and the newest that is read: that of
/// Redis 7.4, which brought them. Older servers refuse it by its version.
const VERSION_OF_DEADLINES: u16 = 12;

/// The version that brought libraries of functions: that of Redis 7.0.
const VERSION_OF_FUNCTIONS: u16 = 10;
/// What comes before the text of a library.
pub(crate) const FUNCTION: u8 = 0xf5;
/// The same in the releases that led to Redis 7.0, with other fields behind it.
pub(crate) const FUNCTION_BEFORE_RELEASE: u8 = 0xf6;

/// Types of values, as numbered on disk.
mod kind {
    pub const STRING: u8 = 0;
    pub const SET: u8 = 2;
    pub const HASH: u8 = 4;
    pub const SORTED_SET: u8 = 5;
    pub const SET_INTEGERS: u8 = 11;
    pub const HASH_LISTPACK: u8 = 16;
    pub const SORTED_SET_LISTPACK: u8 = 17;
    pub const LIST: u8 = 18;
    pub const SET_LISTPACK: u8 = 20;
    /// Redis 5: without what follows the last id.
    pub const STREAM_OF_5: u8 = 15;
    /// Redis 7.0: without the time when a consumer last got an entry.
    pub const STREAM_OF_7_0: u8 = 19;
    pub const STREAM: u8 = 21;
    pub const HASH_DEADLINES: u8 = 24;
    pub const HASH_LISTPACK_DEADLINES: u8 = 25;
}

/// Containers of a list's nodes.
mod node {
    pub const PLAIN: u64 = 1;
    pub const PACKED: u64 = 2;
}

/// Why bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RdbError {
    /// They end too early.
    Truncated,
    /// They contradict the format; what was being read.
    Corrupt(&'static str),
    /// A type of value that this version does not know.
    UnknownType(u8),
    /// The version is newer than this one.
    Version(u16),
    /// The checksum is that of other bytes.
    Checksum,
}

impl fmt::Display for RdbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the data ends too early"),
            Self::Corrupt(what) => write!(f, "malformed {what}"),
            Self::UnknownType(kind) => write!(f, "unknown type of value {kind}"),
            Self::Version(version) => write!(f, "unknown version {version} of the RDB format"),
            Self::Checksum => f.write_str("the checksum does not match"),
        }
    }
}

impl core::error::Error for RdbError {}

/// The payload that `DUMP` answers: type, value, version, checksum.
pub(crate) fn dump(entry: &Entry) -> Vec<u8> {
    let mut out = Vec::new();
    out.push(type_of(entry));
    save_value(entry, &mut out);
    let timed = matches!(out[0], kind::HASH_DEADLINES | kind::HASH_LISTPACK_DEADLINES);
    seal(&mut out, if timed { VERSION_OF_DEADLINES } else { VERSION });
    out
}

/// The payload that `FUNCTION DUMP` answers: libraries, version, checksum.
pub(crate) fn dump_functions<'a>(sources: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for source in sources {
        out.push(FUNCTION);
        save_string(source, &mut out);
    }
    seal(&mut out, VERSION_OF_FUNCTIONS);
    out
}

fn seal(payload: &mut Vec<u8>, version: u16) {
    payload.extend_from_slice(&version.to_le_bytes());
    let checksum = crc64(0, payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
}

/// The value in a payload of `DUMP`.
///
/// # Errors
/// [`RdbError::Version`] or [`RdbError::Checksum`] if it is no payload for this version, others if
/// the value in it is malformed.
pub(crate) fn restore(payload: &[u8], rebuild: &Rebuild) -> Result<Loaded, RdbError> {
    let mut input = Input::new(unsealed(payload)?);
    let kind = input.byte()?;
    let loaded = load_value(kind, &mut input, rebuild)?;
    if input.is_empty() { Ok(loaded) } else { Err(RdbError::Corrupt("end of payload")) }
}

/// What a payload holds, without version and checksum.
///
/// # Errors
/// [`RdbError::Version`] or [`RdbError::Checksum`].
pub(crate) fn unsealed(payload: &[u8]) -> Result<&[u8], RdbError> {
    let Some((signed, checksum)) = payload.split_last_chunk::<8>() else {
        return Err(RdbError::Checksum);
    };
    let Some((body, version)) = signed.split_last_chunk::<2>() else {
        return Err(RdbError::Checksum);
    };
    let version = u16::from_le_bytes(*version);
    if version > VERSION_OF_DEADLINES {
        return Err(RdbError::Version(version));
    }
    if u64::from_le_bytes(*checksum) != crc64(0, signed) {
        return Err(RdbError::Checksum);
    }
    Ok(body)
}

/// A value that was read.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The value.
    pub value: crate::keyspace::Value,
    /// Whether it is a string that was changed in place.
    pub raw: bool,
}
