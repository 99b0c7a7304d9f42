//! Reading records back: from the cache, and before it from the segments.

use super::error::LogError;
use super::record::{self, Record};
use super::segment::Segment;
use super::{Log, Run};
use crate::frame::{Reader, Step};

impl Log {
    /// The records with `from <= index < to_exclusive` that exist, in order:
    /// as many as fit into `max_bytes` on disk, but at least one.
    ///
    /// # Errors
    /// [`LogError::Io`], and [`LogError::Corrupt`] if a record that was good
    /// when it was written is not what the segment returns.
    pub fn read(
        &self,
        from: u64,
        to_exclusive: u64,
        max_bytes: usize,
    ) -> Result<Vec<Record>, LogError> {
        let mut found = Found { records: Vec::new(), bytes_left: max_bytes as u64, full: false };
        let (Some(first), Some((last, _))) = (self.first_index(), self.last) else {
            return Ok(found.records);
        };
        let from = from.max(first);
        let to = to_exclusive.min(last.saturating_add(1));
        if from >= to {
            return Ok(found.records);
        }
        let cached = self.cache.first_index().unwrap_or(u64::MAX);
        self.read_segments(from, to.min(cached), &mut found)?;
        for record in self.cache.from(from.max(cached)).take_while(|record| record.index < to) {
            if !found.take(record) {
                break;
            }
        }
        Ok(found.records)
    }

    fn read_segments(&self, from: u64, to: u64, found: &mut Found) -> Result<(), LogError> {
        let mut open: Option<(u64, Reader<'_>)> = None;
        let mut next = from;
        while next < to && !found.full {
            let (run, end) = self.index.find(next).expect("from is at least the first index");
            let end = end.map_or(to, |end| end.min(to));
            let segment = self.segment_of(run);
            let reader = match &mut open {
                Some((of, reader)) if *of == run.segment && reader.offset() == run.offset => reader,
                open => {
                    let file = segment.file.file.as_ref();
                    let reader = Reader::new(file, run.segment, run.offset, segment.len);
                    &mut open.insert((run.segment, reader)).1
                }
            };
            next = read_run(reader, segment, next, end, found)?;
        }
        Ok(())
    }

    fn segment_of(&self, run: Run) -> &Segment {
        let at = self.segments.binary_search_by_key(&run.segment, |segment| segment.life);
        &self.segments[at.expect("a run is forgotten before its segment is removed")]
    }
}

/// Reads records from `next` until `end` or until no more fit; returns the
/// index of the first record not reached.
fn read_run(
    reader: &mut Reader<'_>,
    segment: &Segment,
    mut next: u64,
    end: u64,
    found: &mut Found,
) -> Result<u64, LogError> {
    while next < end && !found.full {
        let offset = reader.offset();
        let damage = |detail: &str| LogError::corrupt(segment.path(), offset, detail);
        let step = reader.next().map_err(LogError::io("read the segment", segment.path()))?;
        let body = match step {
            Step::Frame { body, .. } => body,
            Step::End => return Err(damage("the segment ends early")),
            Step::Bad(detail) => return Err(damage(detail)),
        };
        let (head, payload) = record::decode(body).map_err(damage)?;
        if head.kind.entry().is_none() || head.index < next {
            continue;
        }
        match head.record(payload) {
            Some(record) if record.index == next => {
                found.take(&record);
                next += 1;
            }
            _ => return Err(damage("another record was expected")),
        }
    }
    Ok(next)
}

/// What a read has gathered so far.
struct Found {
    records: Vec<Record>,
    bytes_left: u64,
    full: bool,
}

impl Found {
    /// Whether the record still fitted.
    fn take(&mut self, record: &Record) -> bool {
        let bytes = record.disk_bytes();
        self.full |= bytes > self.bytes_left && !self.records.is_empty();
        if !self.full {
            self.records.push(record.clone());
            self.bytes_left = self.bytes_left.saturating_sub(bytes);
        }
        !self.full
    }
}
