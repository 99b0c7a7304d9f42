//! One file of the log: its name, its header, its handle.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::LogError;
use crate::disk::{Disk, DiskFile, OpenMode, parent};

/// Bytes of a segment's header.
pub(super) const HEADER_BYTES: usize = 40;

const MAGIC: [u8; 8] = *b"QUORAOF\n";
const VERSION: u32 = 1;
const NO_PREVIOUS: u64 = u64::MAX;

/// The file and what is needed to make it durable.
#[derive(Debug)]
pub(crate) struct SegmentFile {
    pub disk: Arc<dyn Disk>,
    pub path: PathBuf,
    pub file: Box<dyn DiskFile>,
    /// Whether the name is on disk as well.
    named: AtomicBool,
}

impl SegmentFile {
    /// Makes everything written so far durable, and the file's name.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()?;
        if !self.named.load(Ordering::Acquire) {
            self.disk.sync_dir(parent(&self.path))?;
            self.named.store(true, Ordering::Release);
        }
        Ok(())
    }
}

/// A segment as the log knows it.
#[derive(Debug)]
pub(super) struct Segment {
    /// The first index it was made for, which is also its name.
    pub first: u64,
    /// Its valid length, where the next record goes.
    pub len: u64,
    /// Its distance from the start of the oldest segment at opening.
    pub base: u64,
    pub file: Arc<SegmentFile>,
}

impl Segment {
    /// Distance of its end from the start of the oldest segment at opening.
    pub fn end(&self) -> u64 {
        self.base + self.len
    }

    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// Creates the file and writes its header; nothing is durable yet.
    pub fn create(
        disk: &Arc<dyn Disk>,
        dir: &Path,
        first: u64,
        previous: Option<&Segment>,
    ) -> Result<Segment, LogError> {
        let path = dir.join(name(first));
        let file = disk
            .open(&path, OpenMode::CreateNew)
            .map_err(LogError::io("create the segment", &path))?;
        let header = Header { first, previous: previous.map(|it| (it.first, it.len)) };
        file.write_all_at(&header.encode(), 0)
            .map_err(LogError::io("write the header of the segment", &path))?;
        let base = previous.map_or(0, Segment::end);
        let file = SegmentFile { disk: disk.clone(), path, file, named: AtomicBool::new(false) };
        Ok(Segment { first, len: HEADER_BYTES as u64, base, file: Arc::new(file) })
    }

    /// Opens a file that exists; its header is the caller's business.
    pub fn open(disk: &Arc<dyn Disk>, dir: &Path, first: u64) -> Result<Segment, LogError> {
        let path = dir.join(name(first));
        let file = disk
            .open(&path, OpenMode::ReadWrite)
            .map_err(LogError::io("open the segment", &path))?;
        let len = file.len().map_err(LogError::io("measure the segment", &path))?;
        let file = SegmentFile { disk: disk.clone(), path, file, named: AtomicBool::new(false) };
        Ok(Segment { first, len, base: 0, file: Arc::new(file) })
    }

    /// Reads and checks the header; the inner error says what is wrong with it.
    pub fn header(&self) -> Result<Result<Header, &'static str>, LogError> {
        if self.len < HEADER_BYTES as u64 {
            return Ok(Err("its header is cut short"));
        }
        let mut bytes = [0; HEADER_BYTES];
        self.file
            .file
            .read_exact_at(&mut bytes, 0)
            .map_err(LogError::io("read the header of the segment", self.path()))?;
        let header = Header::decode(&bytes);
        Ok(header.and_then(|header| {
            if header.first == self.first { Ok(header) } else { Err("it was renamed") }
        }))
    }

    /// Cuts the file to `len` bytes; durable after the next sync.
    pub fn cut(&mut self, len: u64) -> Result<(), LogError> {
        self.file
            .file
            .set_len(len)
            .map_err(LogError::io("cut the torn end of the segment", self.path()))?;
        self.len = len;
        Ok(())
    }

    /// Removes the file; durable after a sync of the directory.
    pub fn remove(&self) -> Result<(), LogError> {
        self.file
            .disk
            .remove_file(self.path())
            .map_err(LogError::io("remove the segment", self.path()))
    }
}

/// What a segment says about itself and the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub first: u64,
    /// First index and final length of the segment before it.
    pub previous: Option<(u64, u64)>,
}

impl Header {
    fn encode(self) -> [u8; HEADER_BYTES] {
        let (previous_first, previous_len) = self.previous.unwrap_or((NO_PREVIOUS, 0));
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.first.to_le_bytes());
        bytes[20..28].copy_from_slice(&previous_first.to_le_bytes());
        bytes[28..36].copy_from_slice(&previous_len.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..36]);
        bytes[36..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Header, &'static str> {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four"));
        let long = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight"));
        if bytes[..8] != MAGIC {
            return Err("it does not begin like a segment");
        }
        if word(36) != crc32c::crc32c(&bytes[..36]) {
            return Err("the checksum of its header does not match");
        }
        if word(8) != VERSION {
            return Err("its format belongs to another version of this program");
        }
        let previous = (long(20) != NO_PREVIOUS).then(|| (long(20), long(28)));
        Ok(Header { first: long(12), previous })
    }
}

/// The file name of the segment made for `first`: padded, so that names sort.
pub(super) fn name(first: u64) -> String {
    format!("{first:020}.aof")
}

/// The index in a segment's file name.
pub(super) fn parse_name(file_name: &str) -> Option<u64> {
    let first = file_name.strip_suffix(".aof")?.parse().ok()?;
    (name(first) == file_name).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_like_their_indexes_and_parse_back() {
        assert_eq!(parse_name(&name(0)), Some(0));
        assert_eq!(parse_name(&name(u64::MAX)), Some(u64::MAX));
        assert!(name(9) < name(10) && name(99) < name(u64::MAX));
        for foreign in ["1.aof", "+0000000000000000001.aof", "00000000000000000001.rdb", ""] {
            assert_eq!(parse_name(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn headers_survive_and_every_flipped_bit_is_noticed() {
        for previous in [None, Some((0, 40)), Some((7, u64::MAX))] {
            let header = Header { first: 12, previous };
            let bytes = header.encode();
            assert_eq!(Header::decode(&bytes), Ok(header));
            for bit in 0..HEADER_BYTES * 8 {
                let mut bad = bytes;
                bad[bit / 8] ^= 1 << (bit % 8);
                assert!(Header::decode(&bad).is_err(), "bit {bit}");
            }
        }
    }
}
