//! The Raft log of a shard, as files that a person can read.
//!
//! A log is a directory of segments, `aof/<first index>-<life>.aof`, the index with 20 digits and
//! the life with 10 or more. Each is a header and then records. Integers are little-endian.
//!
//! ```text
//! header                                   record
//! offset size                              offset size
//!  0     8   "QUORAOF\n"                    0     4   length of all after byte 8
//!  8     4   format version, 2              4     4   CRC32C, see below
//! 12     8   first index, as in the name    8     1   kind
//! 20     8   life, as in the name           9     8   term
//! 28     8   life of the segment before,   17     8   index
//!            0 if that was purged, 2^64-1  25     8   stamp: now, ms since 1970
//!            if there was none             33     8   stamp: seed
//! 36     8   final length of that one      41     4   stamp: engine version
//! 44     4   flags: 1 relaxed, 2 recycled  45     4   how many bytes before the record
//! 48     4   CRC32C of bytes 0..48                    no finished sync covered when it
//!                                                     was written, at most 2^32-1
//!                                          49     ..  payload: commands as RESP
//! ```
//!
//! A record's CRC32C covers, in this order: the life of its segment (8 bytes), its offset in the
//! segment (8 bytes), its length field, and everything after byte 8.
//!
//! Kinds: 1 blank, 2 batch, 3 membership; 4 truncate: `index` and all after it are void. The
//! numbers are never reused; 5 was the purge mark of format 1, which has a file of its own now,
//! `purged` (module `mark`).
//!
//! # A log is not rewritten, but its files are
//!
//! Truncating appends a truncate record; segments that hold nothing else alive are removed, newest
//! first, once that record is durable. Purging makes the purge mark durable, and then renames the
//! segments that it covers to `….spare`. A later segment takes such a file and writes over what it
//! finds: the pages are in memory and the blocks on the disk already, which makes an append about
//! half as expensive as one to a new file. A segment may so be followed by bytes of an earlier life
//! of its file. They fail their checksum, for that covers the number of the life: each segment gets
//! a higher one than any file there is, and no file that a restart finds becomes spare, because the
//! header that would tell its newest life may be lost.
//!
//! # What waits for the disk
//!
//! A segment is synced before the next one is created, and the next one's header notes its final
//! length, so that a lost end or a missing file is noticed. While [`Log::set_relaxed`] holds, nothing
//! is synced but the purge mark and truncations; the segments of that time say so in their headers.
//!
//! # After a crash
//!
//! [`Log::open`] reads every record that is not purged. Only the last segment can have been in use
//! when the power went, so only its end can be torn. Pages of a file that is written over reach the
//! disk in any order, so that valid records may follow a torn one; but each says how far the log
//! had been synced when it was written. The log ends at the first bad record if none behind it
//! says that this one was synced. Everything else that fails a check is damage to something that
//! may have been acknowledged, and the log refuses to open: the node has to be rebuilt from its
//! peers rather than come back having forgotten. In relaxed segments at the end of the log the
//! same holds for each of them, for a power cut can tear any.
//!
//! # What is not here
//!
//! Nothing in this module waits for the disk on the path of an append: writes go to the page
//! cache, and a [`SyncTicket`] carries the wait elsewhere.

mod cache;
mod error;
mod files;
mod index;
mod mark;
mod read;
mod record;
mod recover;
mod segment;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::LogError;
pub use record::{Record, RecordKind, Stamp};
pub(crate) use segment::SegmentFile;

use self::cache::Cache;
use self::index::{Index, Run};
use self::mark::{Mark, MarkFile};
use self::record::{Head, Kind, PAYLOAD_BYTES_MAX};
use self::segment::{Segment, Spare};
use crate::disk::Disk;
use crate::frame::Place;
use crate::sync::{SyncState, SyncTicket};

/// The write buffer shrinks back to this after a larger append.
const BUFFER_BYTES_KEPT: usize = 1024 * 1024;

/// Sizes of a [`Log`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// A segment this long is followed by a new one, bytes. While syncs lag far
    /// behind a segment may grow to eight times as much.
    pub segment_bytes: u64,
    /// Purged segments are kept for use as new ones up to this many bytes.
    pub spare_bytes: u64,
    /// Memory for the most recent records, bytes.
    pub cache_bytes: usize,
}

impl Default for LogOptions {
    fn default() -> LogOptions {
        LogOptions {
            segment_bytes: 64 * 1024 * 1024,
            spare_bytes: 512 * 1024 * 1024,
            cache_bytes: 16 * 1024 * 1024,
        }
    }
}

/// The log of one Raft group. Positions are `(index, term)`.
#[derive(Debug)]
pub struct Log {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    options: LogOptions,
    /// In the order of their first index; the last is being appended to.
    segments: Vec<Segment>,
    /// Used in the order in which they became spare, so that none grows cold.
    spares: VecDeque<Spare>,
    life_next: u64,
    index: Index,
    cache: Cache,
    last: Option<(u64, u64)>,
    purged: Option<(u64, u64)>,
    mark: MarkFile,
    relaxed: bool,
    buffer: Vec<u8>,
    /// Bytes appended since opening; what tickets count in.
    written: u64,
    /// The last truncation's position in that count.
    truncated: u64,
    sync: Arc<SyncState>,
}

impl Log {
    /// Opens the log in `dir`, creating the directory if needed; cuts a torn
    /// tail and finishes what a crash interrupted. All that is there is durable
    /// on return, or, if its last segment is relaxed, once a ticket has run.
    ///
    /// # Errors
    /// [`LogError::Corrupt`], [`LogError::Segment`] or [`LogError::Foreign`]
    /// for a directory that is damaged or not a log, [`LogError::Io`].
    pub fn open(disk: Arc<dyn Disk>, dir: &Path, options: LogOptions) -> Result<Log, LogError> {
        let found = recover::recover(&disk, dir)?;
        let sync = Arc::new(SyncState::default());
        let mut written = 0;
        for segment in found.segments.iter().filter(|segment| segment.relaxed) {
            written += segment.len;
            sync.owe(&segment.file);
        }
        Ok(Log {
            disk,
            dir: dir.to_owned(),
            options,
            segments: found.segments,
            spares: VecDeque::new(),
            life_next: found.life_next,
            index: found.index,
            cache: Cache::new(options.cache_bytes),
            last: found.last,
            purged: found.purged,
            mark: found.mark,
            relaxed: false,
            buffer: Vec::new(),
            written,
            truncated: if found.truncated { written } else { 0 },
            sync,
        })
    }

    /// Removes the log in `dir`, durably; what a crash leaves of it is its
    /// beginning. For a node that is to be rebuilt; the log must not be open.
    ///
    /// # Errors
    /// [`LogError::Foreign`] before anything is removed, [`LogError::Io`].
    pub fn wipe(disk: &Arc<dyn Disk>, dir: &Path) -> Result<(), LogError> {
        disk.create_dir_all(dir).map_err(LogError::io("create the directory", dir))?;
        let files = recover::survey(disk, dir)?;
        recover::remove_newest(&mut files.open(disk, dir)?, 0)?;
        for name in files.others.iter().map(String::as_str).chain([mark::NAME]) {
            let path = dir.join(name);
            if disk.exists(&path).map_err(LogError::io("look for the file", &path))? {
                disk.remove_file(&path).map_err(LogError::io("remove the file", &path))?;
            }
        }
        disk.sync_dir(dir).map_err(LogError::io("sync the directory", dir))
    }

    /// While `relaxed`, nobody waits for the disk: a power cut may cost the end of the log, as much
    /// of it as no ticket has made durable. A log is opened without it. A change begins another
    /// segment; on the way back not before tickets have made nearly everything durable.
    pub fn set_relaxed(&mut self, relaxed: bool) {
        self.relaxed = relaxed;
    }

    /// The last position, or the purged one if nothing comes after it.
    pub fn last(&self) -> Option<(u64, u64)> {
        self.last
    }

    /// The last position that was purged.
    pub fn purged(&self) -> Option<(u64, u64)> {
        self.purged
    }

    /// The lowest index that can be read, `None` if there is no record.
    pub fn first_index(&self) -> Option<u64> {
        let (last, _) = self.last?;
        let held = self.index.first_index()?;
        let first = self.purged.map_or(held, |(purged, _)| held.max(purged + 1));
        (first <= last).then_some(first)
    }

    /// The term of the record at `index`, or at the purged position.
    pub fn term_of(&self, index: u64) -> Option<u64> {
        if let Some((purged, term)) = self.purged
            && purged == index
        {
            return Some(term);
        }
        let (last, _) = self.last?;
        let held = self.first_index().is_some_and(|first| (first..=last).contains(&index));
        held.then(|| self.index.find(index).map(|(run, _)| run.term)).flatten()
    }

    /// Bytes of the log after `index`, to within 64 KiB.
    pub fn bytes_after(&self, index: Option<u64>) -> u64 {
        let (Some(newest), Some((last, _))) = (self.segments.last(), self.last) else { return 0 };
        let next = index.map_or(0, |index| index + 1);
        if next > last {
            return 0;
        }
        let start = self.index.find(next.max(self.first_index().unwrap_or(0)));
        start.map_or(0, |(run, _)| newest.end() - run.position)
    }

    /// Bytes of the log after the purged position, to within 64 KiB.
    pub fn bytes_since_purge(&self) -> u64 {
        self.bytes_after(self.purged.map(|(index, _)| index))
    }

    /// Appends `records` with one write to the operating system. They can be
    /// read at once, and are durable when a later [`Log::sync_ticket`] has run.
    ///
    /// # Errors
    /// [`LogError::OutOfOrder`] and [`LogError::TooLarge`] before anything is
    /// written; after [`LogError::Io`] the log refuses everything but reads
    /// with [`LogError::Failed`] until it is opened again.
    pub fn append(&mut self, records: &[Record]) -> Result<(), LogError> {
        let Some(first) = records.first() else { return Ok(()) };
        self.check_usable()?;
        self.check_order(records)?;
        self.roll_if_due(first.index)?;
        let Segment { life: file, len: mut offset, base, .. } = *self.newest();
        self.buffer.clear();
        let unsynced = self.unsynced_bytes();
        for record in records {
            let before = self.buffer.len() as u64;
            let place = Place { file, offset: offset + before };
            let (head, unsynced) = (Head::of(record), unsynced + before);
            record::encode(&mut self.buffer, &head, &record.payload, place, unsynced);
        }
        self.write(self.segments.len() - 1)?;
        for record in records {
            let Record { index, term, .. } = *record;
            self.index.note(Run { index, term, segment: file, offset, position: base + offset });
            offset += record.disk_bytes();
            self.cache.push(record.clone());
            self.last = Some((index, term));
        }
        Ok(())
    }

    /// Voids every record after `last_kept` (all of them for `None`). Takes
    /// effect at once; durable with the next ticket.
    ///
    /// # Errors
    /// [`LogError::OutOfOrder`] if that would void purged records, else as
    /// [`Log::append`].
    pub fn truncate_after(&mut self, last_kept: impl Into<Option<u64>>) -> Result<(), LogError> {
        let void = last_kept.into().map_or(0, |index| index + 1);
        if self.last.is_none_or(|(last, _)| last < void) {
            return Ok(());
        }
        self.check_usable()?;
        if let Some((purged, _)) = self.purged
            && void <= purged
        {
            let (path, expected) = (self.dir.clone(), purged + 1);
            return Err(LogError::OutOfOrder { path, expected, got: void });
        }
        let keeper = self.segments.iter().rposition(|it| it.first < void).unwrap_or(0);
        self.write_truncation(keeper, void)?;
        let kept = void.checked_sub(1).and_then(|kept| Some((kept, self.term_of(kept)?)));
        self.last = kept.or(self.purged);
        self.index.truncate(void);
        self.cache.truncate(void);
        self.remove_after(keeper)
    }

    /// Declares everything up to `index` covered by a durable snapshot, which
    /// may reach beyond the last record, and takes the files of segments that
    /// hold nothing else for spare. That is durable on return; what was appended
    /// need not be.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub fn purge_to(&mut self, index: u64, term: u64) -> Result<(), LogError> {
        if self.purged.is_some_and(|(purged, _)| index <= purged) {
            return Ok(());
        }
        self.check_usable()?;
        if self.truncated > self.sync.position() {
            // Else what was truncated might come back behind a mark that knows better.
            self.sync_ticket().run().map_err(LogError::io("sync the segment", &self.dir))?;
        }
        let all = self.last.is_none_or(|(last, _)| last <= index);
        let covered =
            if all { self.segments.len() } else { recover::covered(&self.segments, index) };
        let relaxed = self.segments.get(covered).is_some_and(|oldest| oldest.relaxed);
        let marked = self.mark.set(&self.disk, Mark { purged: (index, term), relaxed });
        marked.inspect_err(|error| self.sync.fail(&error.to_string()))?;
        self.purged = Some((index, term));
        self.cache.purge(index);
        self.index.purge(index);
        if all {
            self.last = self.purged;
            self.index.clear();
            self.sync.reached(self.written);
        }
        self.retire(covered).inspect_err(|error| self.sync.fail(&error.to_string()))
    }

    /// Forgets the oldest of the records up to `index` until no more than `bytes` of records are in
    /// memory. They can still be read, from the segments.
    pub fn release(&mut self, index: u64, bytes: usize) {
        self.cache.release(index, bytes);
    }

    /// Bytes of the records in memory.
    pub fn cached_bytes(&self) -> usize {
        self.cache.bytes()
    }

    /// A claim check for everything appended so far: durable once it has run.
    pub fn sync_ticket(&self) -> SyncTicket {
        let file = self.segments.last().map(|newest| newest.file.clone());
        SyncTicket::new(file, self.written, self.sync.clone())
    }

    /// Bytes appended that no finished sync covers.
    pub fn unsynced_bytes(&self) -> u64 {
        self.written - self.sync.position()
    }

    fn newest(&self) -> &Segment {
        self.segments.last().expect("a segment is created before it is used")
    }

    fn check_usable(&self) -> Result<(), LogError> {
        match self.sync.failure() {
            None => Ok(()),
            Some(detail) => {
                Err(LogError::Failed { path: self.dir.clone(), detail: detail.to_owned() })
            }
        }
    }

    fn check_order(&self, records: &[Record]) -> Result<(), LogError> {
        let next = self.last.map_or(records[0].index, |(last, _)| last + 1);
        for (expected, record) in (next..).zip(records) {
            if record.index != expected {
                let (path, got) = (self.dir.clone(), record.index);
                return Err(LogError::OutOfOrder { path, expected, got });
            }
            let len = record.payload.len();
            if len > PAYLOAD_BYTES_MAX {
                return Err(LogError::TooLarge { path: self.dir.clone(), len });
            }
        }
        Ok(())
    }

    fn write_truncation(&mut self, segment: usize, void: u64) -> Result<(), LogError> {
        let Segment { life: file, len: offset, .. } = self.segments[segment];
        self.buffer.clear();
        let mark = Head::mark(Kind::Truncate, void, 0);
        let unsynced = self.unsynced_bytes();
        record::encode(&mut self.buffer, &mark, &[], Place { file, offset }, unsynced);
        self.write(segment)?;
        self.truncated = self.written;
        Ok(())
    }

    /// Writes the buffer to the end of a segment.
    fn write(&mut self, segment: usize) -> Result<(), LogError> {
        let target = &mut self.segments[segment];
        if let Err(error) = target.file.file.write_all_at(&self.buffer, target.len) {
            return Err(self.fail("append to the segment", segment, error));
        }
        target.len += self.buffer.len() as u64;
        self.written += self.buffer.len() as u64;
        if self.buffer.capacity() > BUFFER_BYTES_KEPT {
            self.buffer = Vec::new();
        }
        Ok(())
    }

    fn fail(&self, action: &'static str, segment: usize, source: std::io::Error) -> LogError {
        let error = LogError::io(action, self.segments[segment].path())(source);
        self.sync.fail(&error.to_string());
        error
    }
}
