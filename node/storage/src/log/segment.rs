//! One file of the log: its name, its header, its handle.
//!
//! A file may have had an earlier life as another segment. What it holds behind its end is of that
//! life, and valid in no other: a record's checksum covers the number of the life it was written
//! in, and numbers are never used again while a file exists that may hold records of them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::LogError;
use crate::disk::{Disk, DiskFile, OpenMode, parent};

/// Bytes of a segment's header.
pub(super) const HEADER_BYTES: usize = 52;

/// What is wrong with a header that another version of this program wrote.
pub(super) const OTHER_VERSION: &str = "its format belongs to another version of this program";

const MAGIC: [u8; 8] = *b"QUORAOF\n";
const VERSION: u32 = 2;
const NO_PREVIOUS: u64 = u64::MAX;

const RELAXED: u32 = 1;
const RECYCLED: u32 = 2;

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

/// A file that was a segment, waits to become one again, and holds nothing of use.
#[derive(Debug)]
pub(super) struct Spare {
    pub path: PathBuf,
    /// Bytes that it occupies.
    pub bytes: u64,
}

/// A segment as the log knows it.
#[derive(Debug)]
pub(super) struct Segment {
    /// The first index it was made for.
    pub first: u64,
    /// The number of this life of its file, unique among all files of the log.
    pub life: u64,
    /// Nobody waited for the disk before the next segment was begun.
    pub relaxed: bool,
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

    /// Makes a file, out of `spare` if there is one, and writes its header; nothing is durable
    /// yet.
    pub fn create(
        disk: &Arc<dyn Disk>,
        dir: &Path,
        header: Header,
        base: u64,
        spare: Option<&Spare>,
    ) -> Result<Segment, LogError> {
        let Header { first, life, relaxed, .. } = header;
        let path = dir.join(name(first, life));
        let mode = match spare {
            Some(spare) => {
                disk.rename(&spare.path, &path)
                    .map_err(LogError::io("rename the spare segment", &spare.path))?;
                OpenMode::ReadWrite
            }
            None => OpenMode::CreateNew,
        };
        let file = disk.open(&path, mode).map_err(LogError::io("create the segment", &path))?;
        file.write_all_at(&header.encode(), 0)
            .map_err(LogError::io("write the header of the segment", &path))?;
        let file = SegmentFile { disk: disk.clone(), path, file, named: AtomicBool::new(false) };
        Ok(Segment { first, life, relaxed, len: HEADER_BYTES as u64, base, file: Arc::new(file) })
    }

    /// Opens a file that exists; its header is the caller's business.
    pub fn open(
        disk: &Arc<dyn Disk>,
        dir: &Path,
        (first, life): (u64, u64),
    ) -> Result<Segment, LogError> {
        let path = dir.join(name(first, life));
        let file = disk
            .open(&path, OpenMode::ReadWrite)
            .map_err(LogError::io("open the segment", &path))?;
        let len = file.len().map_err(LogError::io("measure the segment", &path))?;
        let file = SegmentFile { disk: disk.clone(), path, file, named: AtomicBool::new(false) };
        Ok(Segment { first, life, relaxed: false, len, base: 0, file: Arc::new(file) })
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
            let same = (header.first, header.life) == (self.first, self.life);
            if same { Ok(header) } else { Err("its header is of another segment") }
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
    pub life: u64,
    /// Life and final length of the segment before it; life 0, which no segment has, if all before
    /// it was purged.
    pub previous: Option<(u64, u64)>,
    /// As [`Segment::relaxed`].
    pub relaxed: bool,
    /// The file had an earlier life, of which there are bytes behind the segment's end.
    pub recycled: bool,
}

impl Header {
    fn encode(self) -> [u8; HEADER_BYTES] {
        let (previous_life, previous_len) = self.previous.unwrap_or((NO_PREVIOUS, 0));
        let flags = RELAXED * u32::from(self.relaxed) + RECYCLED * u32::from(self.recycled);
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.first.to_le_bytes());
        bytes[20..28].copy_from_slice(&self.life.to_le_bytes());
        bytes[28..36].copy_from_slice(&previous_life.to_le_bytes());
        bytes[36..44].copy_from_slice(&previous_len.to_le_bytes());
        bytes[44..48].copy_from_slice(&flags.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..48]);
        bytes[48..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Header, &'static str> {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four"));
        let long = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight"));
        if bytes[..8] != MAGIC {
            return Err("it does not begin like a segment");
        }
        if word(48) != crc32c::crc32c(&bytes[..48]) {
            return Err("the checksum of its header does not match");
        }
        if word(8) != VERSION {
            return Err(OTHER_VERSION);
        }
        let previous = (long(28) != NO_PREVIOUS).then(|| (long(28), long(36)));
        let (relaxed, recycled) = (word(44) & RELAXED != 0, word(44) & RECYCLED != 0);
        Ok(Header { first: long(12), life: long(20), previous, relaxed, recycled })
    }
}

/// The name of a segment: padded, so that names sort.
pub(super) fn name(first: u64, life: u64) -> String {
    format!("{first:020}-{life:010}.aof")
}

/// The name of the same file while it is spare.
pub(super) fn spare_name(first: u64, life: u64) -> String {
    format!("{first:020}-{life:010}.spare")
}

/// What the name of a file in the directory of a log says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Segment {
        first: u64,
        life: u64,
    },
    Spare {
        life: u64,
    },
    /// The form of names before segments had lives.
    Old,
}

/// Reads a file name; `None` if no log makes such files.
pub(super) fn parse_name(file_name: &str) -> Option<Name> {
    let (stem, extension) = file_name.rsplit_once('.')?;
    if extension == "aof" && stem.len() == 20 && stem.bytes().all(|it| it.is_ascii_digit()) {
        return Some(Name::Old);
    }
    let (first, life) = stem.split_once('-')?;
    let (first, life) = (first.parse().ok()?, life.parse().ok()?);
    if name(first, life) == file_name {
        return Some(Name::Segment { first, life });
    }
    (spare_name(first, life) == file_name).then_some(Name::Spare { life })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_like_their_indexes_and_parse_back() {
        for (first, life) in [(0, 1), (u64::MAX, 2), (7, u64::MAX)] {
            assert_eq!(parse_name(&name(first, life)), Some(Name::Segment { first, life }));
            assert_eq!(parse_name(&spare_name(first, life)), Some(Name::Spare { life }));
        }
        assert!(name(9, 2) < name(10, 1) && name(99, 1) < name(u64::MAX, 1));
        assert!(name(9, 9) < name(9, 10));
        assert_eq!(parse_name("00000000000000000007.aof"), Some(Name::Old));
        let padded = "00000000000000000001";
        for foreign in ["1.aof", "+0000000000000000001.aof", "", &format!("{padded}.rdb")] {
            assert_eq!(parse_name(foreign), None, "{foreign}");
        }
        for foreign in [format!("{padded}-1.aof"), format!("{padded}-0000000001.rdb")] {
            assert_eq!(parse_name(&foreign), None, "{foreign}");
        }
    }

    #[test]
    fn headers_survive_and_every_flipped_bit_is_noticed() {
        for previous in [None, Some((0, 0)), Some((7, u64::MAX))] {
            for (relaxed, recycled) in [(false, false), (false, true), (true, false)] {
                let header = Header { first: 12, life: 3, previous, relaxed, recycled };
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
}
