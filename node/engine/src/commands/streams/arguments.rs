//! Reading ids and ranges of ids out of arguments, and writing entries.

use quoris_resp::Writer;

use crate::commands::elements;
use crate::error::{CommandError, Result};
use crate::types::stream::{Entry, StreamId};

const INVALID_ID: CommandError =
    CommandError::fixed("ERR Invalid stream ID specified as stream command argument");
const INVALID_START: CommandError = CommandError::fixed("ERR invalid start ID for the interval");
const INVALID_END: CommandError = CommandError::fixed("ERR invalid end ID for the interval");

/// The longest text that can be an id.
const TEXT_BYTES_MAX: usize = 127;

/// An id, `ms-seq` or `ms` alone; in the latter case its number is `missing`.
///
/// # Errors
/// `ERR Invalid stream ID …`.
pub(super) fn id(text: &[u8], missing: u64) -> Result<StreamId> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(INVALID_ID);
    }
    let (ms, seq) = match memchr::memchr(b'-', text) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let ms = number(ms).ok_or(INVALID_ID)?;
    let seq = seq.map_or(Some(missing), number).ok_or(INVALID_ID)?;
    Ok(StreamId { ms, seq })
}

/// The time of an id whose number is to be chosen, `ms-*`.
pub(super) fn open_id(text: &[u8]) -> Option<u64> {
    number(text.strip_suffix(b"-*")?).filter(|_| text.len() <= TEXT_BYTES_MAX)
}

/// A number as C's `strtoull` reads it: blanks, a plus sign and zeros may stand before it.
fn number(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii_start();
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| match digit {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

/// An id, or `-` or `+` for the smallest or greatest one.
///
/// # Errors
/// `ERR Invalid stream ID …`.
pub(super) fn end(text: &[u8], missing: u64) -> Result<StreamId> {
    match text {
        b"-" => Ok(StreamId::MIN),
        b"+" => Ok(StreamId::MAX),
        _ => id(text, missing),
    }
}

/// Where a range starts; behind the id if there is a `(` before it.
///
/// # Errors
/// `ERR Invalid stream ID …`, or that nothing is behind the greatest id.
pub(super) fn range_start(text: &[u8]) -> Result<StreamId> {
    match text {
        [b'(', text @ ..] if !text.is_empty() => id(text, 0)?.next().ok_or(INVALID_START),
        _ => end(text, 0),
    }
}

/// Where a range ends; before the id if there is a `(` before it.
///
/// # Errors
/// `ERR Invalid stream ID …`, or that nothing is before the smallest id.
pub(super) fn range_end(text: &[u8]) -> Result<StreamId> {
    match text {
        [b'(', text @ ..] if !text.is_empty() => id(text, u64::MAX)?.previous().ok_or(INVALID_END),
        _ => end(text, u64::MAX),
    }
}

/// Writes an id.
#[inline]
pub(super) fn write_id(reply: &mut Writer<'_>, id: StreamId) {
    id.with_text(|text| reply.bulk(text));
}

/// Writes an entry: its id, and its fields with their values.
#[inline]
pub(super) fn write_entry(reply: &mut Writer<'_>, entry: &Entry<'_>) {
    reply.array(2);
    write_id(reply, entry.id);
    let pairs = entry.pairs();
    reply.array(2 * pairs.len());
    for (field, value) in pairs {
        elements::write(reply, field);
        elements::write(reply, value);
    }
}

/// Writes an array of entries.
pub(super) fn write_entries<'a>(reply: &mut Writer<'_>, entries: impl Iterator<Item = Entry<'a>>) {
    let begun = reply.open();
    let mut count = 0;
    for entry in entries {
        write_entry(reply, &entry);
        count += 1;
    }
    reply.close_array(begun, count);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_redis_reads_them() {
        let max = u64::MAX;
        for (text, expected) in [
            ("5", Some(StreamId::new(5, 9))),
            ("5-7", Some(StreamId::new(5, 7))),
            ("0", Some(StreamId::new(0, 9))),
            ("+5-007", Some(StreamId::new(5, 7))),
            ("18446744073709551615-18446744073709551615", Some(StreamId::new(max, max))),
            ("18446744073709551616", None),
            ("5-", None),
            ("-5", None),
            ("-", None),
            ("+", None),
            ("5-x", None),
            ("5-7-8", None),
            ("", None),
            ("$", None),
        ] {
            assert_eq!(id(text.as_bytes(), 9).ok(), expected, "{text}");
        }
        assert!(id(&[b'0'; 128], 0).is_err(), "too long");
        assert_eq!(open_id(b"5-*"), Some(5));
        assert_eq!(open_id(b"*"), None);
        assert_eq!(open_id(b"5-7"), None);
    }

    #[test]
    fn ranges_can_leave_out_their_ends() {
        assert_eq!(range_start(b"(5-7").ok(), Some(StreamId::new(5, 8)));
        assert_eq!(range_start(b"(5").ok(), Some(StreamId::new(5, 1)));
        assert_eq!(range_end(b"(5-0").ok(), Some(StreamId::new(4, u64::MAX)));
        assert_eq!(range_end(b"5").ok(), Some(StreamId::new(5, u64::MAX)));
        assert_eq!(range_start(b"(+").ok(), None);
        assert_eq!(range_end(b"(0-0").ok(), None);
        assert_eq!(range_start(b"(").ok(), None);
    }
}
