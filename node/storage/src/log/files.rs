//! How the log comes by its files and gives them away.

use super::error::LogError;
use super::segment::{Header, Segment, Spare, spare_name};
use super::{Log, recover};
use crate::sync::SyncTicket;

/// A due roll waits until no more than this many bytes are unsynced if it has
/// to sync them, because it does so on the caller's thread.
const ROLL_UNSYNCED_BYTES_MAX: u64 = 1024 * 1024;

/// A roll waits no longer once the segment is this many times as long as it
/// should be: the disk cannot keep up, and whoever writes has to feel it.
const ROLL_OVERDUE: u64 = 8;

impl Log {
    /// Starts a segment for `next` if there is none or the newest is full.
    pub(super) fn roll_if_due(&mut self, next: u64) -> Result<(), LogError> {
        let Some(newest) = self.segments.last() else { return self.roll(next) };
        let other_way = newest.relaxed != self.relaxed;
        // Names have to ascend, and after truncating everything `next` may be low.
        if newest.len < self.options.segment_bytes && !other_way || next < newest.first {
            return Ok(());
        }
        let patient = newest.len < ROLL_OVERDUE * self.options.segment_bytes;
        if !self.relaxed && patient && self.unsynced_bytes() > ROLL_UNSYNCED_BYTES_MAX {
            return Ok(());
        }
        self.roll(next)
    }

    fn roll(&mut self, first: u64) -> Result<(), LogError> {
        match self.segments.last() {
            Some(newest) if newest.relaxed && self.relaxed => self.sync.owe(&newest.file),
            _ => self.sync_ticket().run().map_err(LogError::io("sync the segment", &self.dir))?,
        }
        let created = self.create(first);
        created.inspect_err(|error| self.sync.fail(&error.to_string()))
    }

    fn create(&mut self, first: u64) -> Result<(), LogError> {
        let newest = self.segments.last();
        let spare = self.spares.pop_front();
        let header = Header {
            first,
            life: self.life_next,
            previous: newest.map(|it| (it.life, it.len)).or(self.purged.map(|_| (0, 0))),
            relaxed: self.relaxed,
            recycled: spare.is_some(),
        };
        let base = newest.map_or(0, Segment::end);
        self.life_next += 1;
        let segment = Segment::create(&self.disk, &self.dir, header, base, spare.as_ref())?;
        if self.relaxed && newest.is_none_or(|newest| !newest.relaxed) {
            // Unlike those that follow it, its predecessor does not say that it is relaxed.
            segment.file.sync().map_err(LogError::io("sync the segment", segment.path()))?;
        }
        // The header counts like a record, so that the first one does not vouch for it.
        self.written += segment.len;
        self.segments.push(segment);
        Ok(())
    }

    /// Removes the segments after `keeper`, whose truncation mark voids them.
    pub(super) fn remove_after(&mut self, keeper: usize) -> Result<(), LogError> {
        if keeper + 1 == self.segments.len() {
            return Ok(());
        }
        for removed in &self.segments[keeper + 1..] {
            self.sync.forgive(&removed.file);
        }
        let ticket = SyncTicket::new(
            Some(self.segments[keeper].file.clone()),
            self.written,
            self.sync.clone(),
        );
        ticket.run().map_err(|error| self.fail("sync the segment", keeper, error))?;
        recover::remove_newest(&mut self.segments, keeper + 1)
            .inspect_err(|error| self.sync.fail(&error.to_string()))
    }

    /// Makes the files of the oldest `count` segments spare, or removes those there are enough of.
    pub(super) fn retire(&mut self, count: usize) -> Result<(), LogError> {
        let mut bytes: u64 = self.spares.iter().map(|spare| spare.bytes).sum();
        let mut spares = Vec::new();
        for segment in self.segments.drain(..count) {
            self.sync.forgive(&segment.file);
            let measured = segment.file.file.len();
            let len = measured.map_err(LogError::io("measure the segment", segment.path()))?;
            if bytes + len > self.options.spare_bytes {
                segment.remove()?;
                continue;
            }
            bytes += len;
            let path = self.dir.join(spare_name(segment.first, segment.life));
            self.disk
                .rename(segment.path(), &path)
                .map_err(LogError::io("rename the segment", segment.path()))?;
            spares.push(Spare { path, bytes: len });
        }
        if count > 0 {
            // Only then may a file be written over that was a part of the log.
            let synced = self.disk.sync_dir(&self.dir);
            synced.map_err(LogError::io("sync the directory", &self.dir))?;
        }
        self.spares.extend(spares);
        Ok(())
    }
}
