//! The envelope that log records and metadata share.
//!
//! ```text
//! offset size
//!  0     4   length of the body, little-endian
//!  4     4   CRC32C of: the file's number, the frame's offset in the file,
//!            the length, the body
//!  8     ..  body
//! ```
//!
//! Because the checksum covers where the frame stands, a frame is valid in one
//! place only: a block that the device wrote to the wrong place is noticed, and
//! a client that stores a copy of a log file as a value cannot make recovery
//! take the inside of a torn record for a record.

use std::io;

use crate::disk::DiskFile;

/// Bytes before the body.
pub(crate) const HEAD_BYTES: usize = 8;

/// Read from a file at once while scanning.
const CHUNK_BYTES: usize = 128 * 1024;

/// Where a frame stands: the number of the file and the offset in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub file: u64,
    pub offset: u64,
}

/// Starts a frame at the end of `buffer`; the body is appended by the caller.
pub(crate) fn begin(buffer: &mut Vec<u8>) -> usize {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; HEAD_BYTES]);
    start
}

/// Fills in the head of the frame begun at `start`.
pub(crate) fn finish(buffer: &mut [u8], start: usize, place: Place) {
    let (head, body) = buffer[start..].split_at_mut(HEAD_BYTES);
    let len = u32::try_from(body.len()).expect("the caller bounds a body to u32").to_le_bytes();
    head[..4].copy_from_slice(&len);
    head[4..].copy_from_slice(&checksum(place, len, body).to_le_bytes());
}

fn checksum(place: Place, len: [u8; 4], body: &[u8]) -> u32 {
    let mut prefix = [0; 20];
    prefix[..8].copy_from_slice(&place.file.to_le_bytes());
    prefix[8..16].copy_from_slice(&place.offset.to_le_bytes());
    prefix[16..].copy_from_slice(&len);
    crc32c::crc32c_append(crc32c::crc32c(&prefix), body)
}

fn head(bytes: &[u8]) -> (usize, u32) {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    (word(0) as usize, word(4))
}

/// What a [`Reader`] found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// A valid frame that starts at `offset`.
    Frame { offset: u64, body: &'a [u8] },
    /// The end of the file, right after a frame.
    End,
    /// Something else; the reader stays in front of it.
    Bad(&'static str),
}

/// Reads the frames of a file one after another.
pub(crate) struct Reader<'a> {
    file: &'a dyn DiskFile,
    number: u64,
    offset: u64,
    end: u64,
    buffer: Vec<u8>,
    /// Where in the buffer the byte at `offset` is.
    start: usize,
}

impl<'a> Reader<'a> {
    /// Reads `offset..end` of the file with that number.
    pub fn new(file: &'a dyn DiskFile, number: u64, offset: u64, end: u64) -> Reader<'a> {
        Reader { file, number, offset, end, buffer: Vec::new(), start: 0 }
    }

    /// Where the next frame starts.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next frame.
    ///
    /// # Errors
    /// Whatever reading the file returned.
    pub fn next(&mut self) -> io::Result<Step<'_>> {
        let left = self.end - self.offset;
        if left == 0 {
            return Ok(Step::End);
        }
        if left < HEAD_BYTES as u64 {
            return Ok(Step::Bad("it is cut short"));
        }
        self.fill(HEAD_BYTES)?;
        let (len, expected) = head(&self.buffer[self.start..]);
        let whole = HEAD_BYTES + len;
        if len == 0 || whole as u64 > left {
            return Ok(Step::Bad("its length cannot be right"));
        }
        self.fill(whole)?;
        let place = Place { file: self.number, offset: self.offset };
        let body = &self.buffer[self.start + HEAD_BYTES..self.start + whole];
        if checksum(place, (len as u32).to_le_bytes(), body) != expected {
            return Ok(Step::Bad("its checksum does not match"));
        }
        self.start += whole;
        self.offset += whole as u64;
        Ok(Step::Frame { offset: place.offset, body })
    }

    /// Makes `count` bytes from `offset` available in the buffer.
    fn fill(&mut self, count: usize) -> io::Result<()> {
        let have = self.buffer.len() - self.start;
        if have >= count {
            return Ok(());
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let wanted = (count.max(CHUNK_BYTES) as u64).min(self.end - self.offset) as usize;
        self.buffer.resize(wanted, 0);
        let read = self.file.read_exact_at(&mut self.buffer[have..], self.offset + have as u64);
        if read.is_err() {
            self.buffer.truncate(have);
        }
        read
    }
}

/// Whether any valid frame starts in `from..end`, at whatever byte: then what
/// stands before it is damage, not the torn end of the last write. `plausible`
/// looks at the frame's offset and body before the checksum is computed, which
/// keeps the search linear over arbitrary bytes.
///
/// # Errors
/// Whatever reading the file returned.
pub(crate) fn any_valid(
    file: &dyn DiskFile,
    number: u64,
    from: u64,
    end: u64,
    plausible: impl Fn(u64, &[u8]) -> bool,
) -> io::Result<bool> {
    let mut bytes = vec![0; end.saturating_sub(from) as usize];
    file.read_exact_at(&mut bytes, from)?;
    Ok((0..bytes.len().saturating_sub(HEAD_BYTES)).any(|at| {
        let (len, expected) = head(&bytes[at..]);
        let Some(body) = bytes[at + HEAD_BYTES..].get(..len) else { return false };
        let place = Place { file: number, offset: from + at as u64 };
        len > 0
            && plausible(place.offset, body)
            && checksum(place, (len as u32).to_le_bytes(), body) == expected
    }))
}
