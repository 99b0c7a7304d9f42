//! The Raft log of a shard, as append-only files that a person can read.
//!
//! A log is a directory of segments, `aof/<first index, 20 digits>.aof`. Each
//! is a header and then records until the end of the file. Integers are
//! little-endian.
//!
//! ```text
//! header                                   record
//! offset size                              offset size
//!  0     8   "QUORAOF\n"                    0     4   length of all after byte 8
//!  8     4   format version, 1              4     4   CRC32C, see below
//! 12     8   first index, as in the name    8     1   kind
//! 20     8   first index of the segment     9     8   term
//!            before, or 2^64-1             17     8   index
//! 28     8   final length of that one      25     8   stamp: now, ms since 1970
//! 36     4   CRC32C of bytes 0..36         33     8   stamp: seed
//!                                          41     4   stamp: engine version
//!                                          45     ..  payload: commands as RESP
//! ```
//!
//! A record's CRC32C covers, in this order: the first index in its segment's
//! header (8 bytes), its offset in the segment (8 bytes), its length field, and
//! everything after byte 8.
//!
//! Kinds: 1 blank, 2 batch, 3 membership; 4 truncate: `index` and all after it
//! are void; 5 purge mark: everything up to `index`, `term` is covered by a
//! snapshot. The numbers are never reused.
//!
//! # Nothing is rewritten
//!
//! Truncating appends a truncate record; segments that hold nothing else alive
//! are removed, newest first, once that record is durable. Purging appends a
//! purge mark, makes it durable, and removes the segments that it covers. A
//! segment is synced before the next one is created, and the next one's header
//! notes its final length, so that a lost end or a missing file is noticed.
//!
//! # After a crash
//!
//! [`Log::open`] reads every record. Only the last segment can have been in use
//! when the power went, so only its end can be torn: bytes after the last valid
//! record are cut off if no valid record follows them. Everything else that
//! fails a check is damage to something that may have been acknowledged, and
//! the log refuses to open: the node has to be rebuilt from its peers rather
//! than come back having forgotten.
//!
//! # What is not here
//!
//! Nothing in this module waits for the disk on the path of an append: writes
//! go to the page cache, and a [`SyncTicket`] carries the wait elsewhere.

mod cache;
mod error;
mod index;
mod read;
mod record;
mod recover;
mod segment;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::LogError;
pub use record::{Record, RecordKind, Stamp};
pub(crate) use segment::SegmentFile;

use self::cache::Cache;
use self::index::{Index, Run};
use self::record::{Head, Kind, PAYLOAD_BYTES_MAX};
use self::segment::Segment;
use crate::disk::Disk;
use crate::frame::Place;
use crate::sync::{SyncState, SyncTicket};

/// A due roll waits until no more than this many bytes are unsynced, because
/// it syncs them on the caller's thread.
const ROLL_UNSYNCED_BYTES_MAX: u64 = 1024 * 1024;

/// A roll waits no longer once the segment is this many times as long as it
/// should be: the disk cannot keep up, and whoever writes has to feel it.
const ROLL_OVERDUE: u64 = 8;

/// The write buffer shrinks back to this after a larger append.
const BUFFER_BYTES_KEPT: usize = 1024 * 1024;

/// Sizes of a [`Log`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// A segment this long is followed by a new one, bytes. While syncs lag far
    /// behind (`appendfsync no`) a segment may grow to eight times as much.
    pub segment_bytes: u64,
    /// Memory for the most recent records, bytes.
    pub cache_bytes: usize,
}

impl Default for LogOptions {
    fn default() -> LogOptions {
        LogOptions { segment_bytes: 64 * 1024 * 1024, cache_bytes: 16 * 1024 * 1024 }
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
    index: Index,
    cache: Cache,
    last: Option<(u64, u64)>,
    purged: Option<(u64, u64)>,
    buffer: Vec<u8>,
    /// Bytes appended since opening; what tickets count in.
    written: u64,
    sync: Arc<SyncState>,
}

impl Log {
    /// Opens the log in `dir`, creating the directory if needed; cuts a torn
    /// tail and finishes what a crash interrupted. All that is there is durable
    /// on return.
    ///
    /// # Errors
    /// [`LogError::Corrupt`], [`LogError::Segment`] or [`LogError::Foreign`]
    /// for a directory that is damaged or not a log, [`LogError::Io`].
    pub fn open(disk: Arc<dyn Disk>, dir: &Path, options: LogOptions) -> Result<Log, LogError> {
        let found = recover::recover(&disk, dir)?;
        Ok(Log {
            disk,
            dir: dir.to_owned(),
            options,
            segments: found.segments,
            index: found.index,
            cache: Cache::new(options.cache_bytes),
            last: found.last,
            purged: found.purged,
            buffer: Vec::new(),
            written: 0,
            sync: Arc::default(),
        })
    }

    /// Removes the log in `dir`, durably; what a crash leaves of it is its
    /// beginning. For a node that is to be rebuilt; the log must not be open.
    ///
    /// # Errors
    /// [`LogError::Foreign`] before anything is removed, [`LogError::Io`].
    pub fn wipe(disk: &Arc<dyn Disk>, dir: &Path) -> Result<(), LogError> {
        disk.create_dir_all(dir).map_err(LogError::io("create the directory", dir))?;
        recover::remove_newest(&mut recover::open_segments(disk, dir)?, 0)
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
        let Segment { first: file, len: mut offset, base, .. } = *self.newest();
        self.buffer.clear();
        for record in records {
            let place = Place { file, offset: offset + self.buffer.len() as u64 };
            record::encode(&mut self.buffer, &Head::of(record), &record.payload, place);
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
        self.write_marks(keeper, Some(void))?;
        let kept = void.checked_sub(1).and_then(|kept| Some((kept, self.term_of(kept)?)));
        self.last = kept.or(self.purged);
        self.index.truncate(void);
        self.cache.truncate(void);
        self.remove_after(keeper)
    }

    /// Declares everything up to `index` covered by a durable snapshot, which
    /// may reach beyond the last record, and removes the segments that hold
    /// nothing else. The mark and all records are durable on return.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub fn purge_to(&mut self, index: u64, term: u64) -> Result<(), LogError> {
        if self.purged.is_some_and(|(purged, _)| index <= purged) {
            return Ok(());
        }
        self.check_usable()?;
        let all = self.last.is_none_or(|(last, _)| last <= index);
        if all && self.segments.last().is_none_or(|newest| newest.first <= index) {
            self.roll(index + 1)?;
        }
        self.purged = Some((index, term));
        self.write_marks(self.segments.len() - 1, None)?;
        self.sync_ticket().run().map_err(LogError::io("sync the segment", &self.dir))?;
        if all {
            self.last = self.purged;
            self.index.clear();
        }
        self.index.purge(index);
        self.cache.purge(index);
        self.remove_covered(index)
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

    /// Starts a segment for `next` if there is none or the newest is full.
    fn roll_if_due(&mut self, next: u64) -> Result<(), LogError> {
        let Some(newest) = self.segments.last() else { return self.roll(next) };
        // Names have to ascend, and after truncating everything `next` may be low.
        if newest.len < self.options.segment_bytes || next <= newest.first {
            return Ok(());
        }
        let patient = newest.len < ROLL_OVERDUE * self.options.segment_bytes;
        if patient && self.unsynced_bytes() > ROLL_UNSYNCED_BYTES_MAX {
            return Ok(());
        }
        self.roll(next)
    }

    fn roll(&mut self, first: u64) -> Result<(), LogError> {
        self.sync_ticket().run().map_err(LogError::io("sync the segment", &self.dir))?;
        match Segment::create(&self.disk, &self.dir, first, self.segments.last()) {
            Ok(segment) => {
                self.segments.push(segment);
                Ok(())
            }
            Err(error) => {
                self.sync.fail(&error.to_string());
                Err(error)
            }
        }
    }

    /// Appends the purge mark, if there is one, and a truncation at `void`.
    fn write_marks(&mut self, segment: usize, void: Option<u64>) -> Result<(), LogError> {
        let Segment { first: file, len: start, .. } = self.segments[segment];
        let purge = self.purged.map(|(index, term)| Head::mark(Kind::PurgeMark, index, term));
        let truncate = void.map(|index| Head::mark(Kind::Truncate, index, 0));
        self.buffer.clear();
        for mark in purge.into_iter().chain(truncate) {
            let place = Place { file, offset: start + self.buffer.len() as u64 };
            record::encode(&mut self.buffer, &mark, &[], place);
        }
        self.write(segment)
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

    /// Removes the segments after `keeper`, whose truncation mark voids them.
    fn remove_after(&mut self, keeper: usize) -> Result<(), LogError> {
        if keeper + 1 == self.segments.len() {
            return Ok(());
        }
        let synced = self.segments[keeper].file.sync();
        synced.map_err(|error| self.fail("sync the segment", keeper, error))?;
        self.sync.reached(self.written);
        recover::remove_newest(&mut self.segments, keeper + 1)
            .inspect_err(|error| self.sync.fail(&error.to_string()))
    }

    fn remove_covered(&mut self, index: u64) -> Result<(), LogError> {
        let covered = self.segments.partition_point(|it| it.first <= index + 1).saturating_sub(1);
        for segment in self.segments.drain(..covered) {
            segment.remove()?;
        }
        if covered > 0 {
            let action = "sync the directory";
            self.disk.sync_dir(&self.dir).map_err(LogError::io(action, &self.dir))?;
        }
        Ok(())
    }
}
