//! How far the log is purged: `purged`, one file of two slots that take turns.
//!
//! ```text
//! slot 0 at byte 0, slot 1 at byte 4096
//! offset size
//!  0     8   "QUORPRG\n"
//!  8     8   number of the purge, from 1 on; its last bit says which slot it is in
//! 16     8   index of the last position that is purged
//! 24     8   its term
//! 32     4   flags: 1 the oldest segment that remains is relaxed
//! 36     4   CRC32C of bytes 0..36
//! ```
//!
//! The mark has a file of its own because it has to be durable before a segment's file is used
//! again, and because syncing 40 bytes does not take as long as syncing the log. While one slot is
//! written the other stays as it is, so that a torn write costs nothing that was durable.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::LogError;
use crate::disk::{Disk, DiskFile, OpenMode, parent};

/// The name of the file.
pub(super) const NAME: &str = "purged";

const MAGIC: [u8; 8] = *b"QUORPRG\n";
const SLOT_BYTES: usize = 40;
const SLOT_DISTANCE: u64 = 4096;

/// What the log says about its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    /// Index and term of the last position that is purged.
    pub purged: (u64, u64),
    /// The oldest segment that remains is relaxed, which its header may have no chance to say.
    pub relaxed: bool,
}

/// The file, once there is one.
#[derive(Debug)]
pub(super) struct MarkFile {
    path: PathBuf,
    file: Option<Box<dyn DiskFile>>,
    count: u64,
}

impl MarkFile {
    /// Opens the file if it exists, and reads the newest mark in it.
    pub fn open(disk: &Arc<dyn Disk>, dir: &Path) -> Result<(MarkFile, Option<Mark>), LogError> {
        let path = dir.join(NAME);
        if !disk.exists(&path).map_err(LogError::io("look for the purge mark", &path))? {
            return Ok((MarkFile { path, file: None, count: 0 }, None));
        }
        let read = || {
            let file = disk.open(&path, OpenMode::ReadWrite)?;
            let len = file.len()?;
            let mut marks = Vec::new();
            for at in [0, SLOT_DISTANCE] {
                let mut slot = [0; SLOT_BYTES];
                if at + SLOT_BYTES as u64 <= len {
                    file.read_exact_at(&mut slot, at)?;
                    marks.extend(decode(&slot));
                }
            }
            Ok((file, marks.into_iter().max()))
        };
        let (file, newest) = read().map_err(LogError::io("read the purge mark", &path))?;
        let (count, mark) = newest.map_or((0, None), |(count, mark)| (count, Some(mark)));
        Ok((MarkFile { path, file: Some(file), count }, mark))
    }

    /// Writes a mark; durable on return.
    pub fn set(&mut self, disk: &Arc<dyn Disk>, mark: Mark) -> Result<(), LogError> {
        let written = self.write(disk, mark);
        written.map_err(LogError::io("write the purge mark", &self.path))
    }

    fn write(&mut self, disk: &Arc<dyn Disk>, mark: Mark) -> std::io::Result<()> {
        let is_new = self.count == 0;
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(disk.open(&self.path, OpenMode::CreateNew)?),
        };
        self.count += 1;
        file.write_all_at(&encode(self.count, mark), self.count % 2 * SLOT_DISTANCE)?;
        file.sync_data()?;
        if is_new { disk.sync_dir(parent(&self.path)) } else { Ok(()) }
    }
}

fn encode(count: u64, mark: Mark) -> [u8; SLOT_BYTES] {
    let mut slot = [0; SLOT_BYTES];
    slot[..8].copy_from_slice(&MAGIC);
    slot[8..16].copy_from_slice(&count.to_le_bytes());
    slot[16..24].copy_from_slice(&mark.purged.0.to_le_bytes());
    slot[24..32].copy_from_slice(&mark.purged.1.to_le_bytes());
    slot[32..36].copy_from_slice(&u32::from(mark.relaxed).to_le_bytes());
    let checksum = crc32c::crc32c(&slot[..36]);
    slot[36..].copy_from_slice(&checksum.to_le_bytes());
    slot
}

/// The number and the mark in a slot, `None` for one that was never written or is torn.
fn decode(slot: &[u8; SLOT_BYTES]) -> Option<(u64, Mark)> {
    let long = |at: usize| u64::from_le_bytes(slot[at..at + 8].try_into().expect("eight bytes"));
    let checksum = u32::from_le_bytes(slot[36..].try_into().expect("four bytes"));
    let whole = slot[..8] == MAGIC && checksum == crc32c::crc32c(&slot[..36]);
    whole.then(|| (long(8), Mark { purged: (long(16), long(24)), relaxed: slot[32] & 1 == 1 }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemoryDisk;

    fn mark_at(index: u64, term: u64) -> Mark {
        Mark { purged: (index, term), relaxed: index.is_multiple_of(2) }
    }

    #[test]
    fn a_mark_survives_and_a_torn_one_leaves_the_one_before() {
        let dir = Path::new("/d");
        for seed in 0..50 {
            let memory = MemoryDisk::new();
            let disk: Arc<dyn Disk> = Arc::new(memory.clone());
            disk.create_dir_all(dir).unwrap();
            let (mut mark, none) = MarkFile::open(&disk, dir).unwrap();
            assert_eq!(none, None);
            mark.set(&disk, mark_at(7, 1)).unwrap();
            mark.set(&disk, mark_at(8, 2)).unwrap();
            memory.ignore_syncs(true);
            mark.set(&disk, mark_at(9, 3)).unwrap();
            memory.ignore_syncs(false);
            memory.crash(seed);
            let (mut mark, found) = MarkFile::open(&disk, dir).unwrap();
            assert!([mark_at(8, 2), mark_at(9, 3)].map(Some).contains(&found), "{found:?}");
            mark.set(&disk, mark_at(10, 3)).unwrap();
            assert_eq!(MarkFile::open(&disk, dir).unwrap().1, Some(mark_at(10, 3)));
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let slot = encode(3, mark_at(4, 5));
        assert_eq!(decode(&slot), Some((3, mark_at(4, 5))));
        for bit in 0..SLOT_BYTES * 8 {
            let mut bad = slot;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&bad), None, "bit {bit}");
        }
    }
}
