//! Opening a log: what a crash can have left behind, and what it cannot.
//!
//! 1. The newest segment may have been created but not written: one with a bad
//!    header and no valid record is removed.
//! 2. Headers are followed from the newest segment backwards. Older segments
//!    that this chain does not reach are what a purge did not get to remove.
//! 3. Records are replayed. In a segment with a successor they must reach at
//!    least the length that the successor noted. Anything beyond is a
//!    truncation that was under way: if it is complete, the later segments are
//!    what it did not get to remove; if not, it never happened and is cut off.
//! 4. In the newest segment a torn end is cut off. If that leaves nothing of a
//!    purge that was under way, the segment is removed.

use std::path::Path;
use std::sync::Arc;

use super::error::LogError;
use super::index::{Index, Run};
use super::record::{self, Head, Kind};
use super::segment::{HEADER_BYTES, Header, Segment, parse_name};
use crate::disk::{Disk, parent};
use crate::frame::{self, Reader, Step};

/// A log as it was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub segments: Vec<Segment>,
    pub index: Index,
    pub last: Option<(u64, u64)>,
    pub purged: Option<(u64, u64)>,
    /// The index that the next record must have. Unknown before the first one:
    /// what stood before it may be gone with a purge whose mark comes later.
    follows: Option<u64>,
}

pub(super) fn recover(disk: &Arc<dyn Disk>, dir: &Path) -> Result<Found, LogError> {
    disk.create_dir_all(dir).map_err(LogError::io("create the directory", dir))?;
    let (mut segments, mut headers) = open_all(disk, dir)?;
    let leftovers = unchained(&headers);
    headers.drain(..leftovers);
    let removable: Vec<Segment> = segments.drain(..leftovers).collect();
    let mut found = replay(segments, &headers)?;
    check_start(&found, headers.first(), leftovers > 0)?;
    drop_empty_newest(&mut found)?;
    for leftover in removable {
        tracing::info!(segment = %leftover.path().display(), "removing a purged segment");
        leftover.remove()?;
    }
    if let Some(newest) = found.segments.last_mut() {
        newest.file.sync().map_err(LogError::io("sync the segment", newest.path()))?;
    }
    disk.sync_dir(dir).map_err(LogError::io("sync the directory", dir))?;
    Ok(found)
}

/// Removes all segments from `keep` on, newest first, each for good before the
/// next: whatever a crash leaves is then the log without some of its end.
pub(super) fn remove_newest(segments: &mut Vec<Segment>, keep: usize) -> Result<(), LogError> {
    while segments.len() > keep {
        let newest = segments.pop().expect("there are more than are kept");
        newest.remove()?;
        let dir = parent(newest.path());
        newest.file.disk.sync_dir(dir).map_err(LogError::io("sync the directory", dir))?;
    }
    Ok(())
}

/// Opens the files in `dir`, in the order of their names.
pub(super) fn open_segments(disk: &Arc<dyn Disk>, dir: &Path) -> Result<Vec<Segment>, LogError> {
    let names = disk.list(dir).map_err(LogError::io("list the directory", dir))?;
    let open = |name: String| {
        let first = parse_name(&name).ok_or_else(|| LogError::Foreign { path: dir.join(&name) })?;
        Segment::open(disk, dir, first)
    };
    names.into_iter().map(open).collect()
}

/// Opens all segments and reads their headers.
fn open_all(disk: &Arc<dyn Disk>, dir: &Path) -> Result<(Vec<Segment>, Vec<Header>), LogError> {
    let mut segments = open_segments(disk, dir)?;
    let mut headers = Vec::new();
    for at in 0..segments.len() {
        let segment = &segments[at];
        match segment.header()? {
            Ok(header) => headers.push(header),
            Err(_) if at + 1 == segments.len() && !any_record(segment, 0, segment.first)? => {
                tracing::warn!(segment = %segment.path().display(), "removing a segment that was being created");
                remove_newest(&mut segments, at)?;
                break;
            }
            Err(detail) => return Err(LogError::segment(segment.path(), detail)),
        }
    }
    Ok((segments, headers))
}

/// How many of the oldest segments the newest does not descend from.
fn unchained(headers: &[Header]) -> usize {
    let linked = |pair: &[Header]| pair[1].previous.is_some_and(|it| it.0 == pair[0].first);
    headers.windows(2).rposition(|pair| !linked(pair)).map_or(0, |at| at + 1)
}

fn replay(segments: Vec<Segment>, headers: &[Header]) -> Result<Found, LogError> {
    let mut found = Found::default();
    let mut rest = segments.into_iter();
    let mut successors = headers.iter().skip(1);
    while let Some(mut segment) = rest.next() {
        segment.base = found.segments.last().map_or(0, Segment::end);
        let noted = successors.next().and_then(|header| header.previous).map(|(_, len)| len);
        let truncated = replay_segment(&mut found, &mut segment, noted)?;
        found.segments.push(segment);
        if truncated {
            let keep = found.segments.len();
            found.segments.extend(rest.by_ref());
            remove_newest(&mut found.segments, keep)?;
        }
    }
    Ok(found)
}

/// Replays one segment and cuts what is torn. `noted` is its length according
/// to its successor, if it has one. True if a truncation voids the successors.
fn replay_segment(
    found: &mut Found,
    segment: &mut Segment,
    noted: Option<u64>,
) -> Result<bool, LogError> {
    let file = segment.file.clone();
    let mut reader =
        Reader::new(file.file.as_ref(), segment.first, HEADER_BYTES as u64, segment.len);
    let mut truncated = false;
    let damage = loop {
        match reader.next().map_err(LogError::io("read the segment", segment.path()))? {
            Step::Frame { offset, body } => {
                let damage = |detail: &str| LogError::corrupt(segment.path(), offset, detail);
                let (head, _) = record::decode(body).map_err(damage)?;
                found.apply(&head, segment, offset).map_err(damage)?;
                truncated |= head.kind == Kind::Truncate && noted.is_some_and(|len| len <= offset);
            }
            Step::End => break None,
            Step::Bad(detail) => break Some(detail),
        }
    };
    let reached = reader.offset();
    let whole = if truncated { None } else { noted };
    match (whole, damage) {
        (Some(len), _) if reached < len => {
            let detail = damage.unwrap_or("the segment ends early");
            Err(LogError::corrupt(segment.path(), reached, detail))
        }
        (Some(len), _) => cut(segment, len),
        (None, Some(detail)) if any_record(segment, reached + 1, found.next_index())? => {
            Err(LogError::corrupt(segment.path(), reached, detail))
        }
        (None, _) => cut(segment, reached),
    }?;
    Ok(truncated)
}

fn cut(segment: &mut Segment, len: u64) -> Result<(), LogError> {
    let surplus = segment.len - len;
    if surplus == 0 {
        return Ok(());
    }
    tracing::warn!(segment = %segment.path().display(), offset = len, surplus, "cutting the torn end");
    segment.cut(len)?;
    segment.file.sync().map_err(LogError::io("sync the segment", segment.path()))
}

/// Whether a valid record starts anywhere from `from` on.
fn any_record(segment: &Segment, from: u64, next_index: u64) -> Result<bool, LogError> {
    let index_max = next_index.max(segment.first).saturating_add(segment.len);
    let plausible =
        |body: &[u8]| record::decode(body).is_ok_and(|(head, _)| head.index <= index_max);
    let file = segment.file.file.as_ref();
    frame::any_valid(file, segment.first, from.min(segment.len), segment.len, plausible)
        .map_err(LogError::io("read the segment", segment.path()))
}

/// A purge beyond the end starts a segment with a mark. Without its mark, such
/// a segment would take records below its name, and names order the segments.
fn drop_empty_newest(found: &mut Found) -> Result<(), LogError> {
    let next_index = found.next_index();
    let misplaced =
        |newest: &Segment| newest.len == HEADER_BYTES as u64 && newest.first != next_index;
    match found.segments.last() {
        Some(newest) if misplaced(newest) => {
            let keep = found.segments.len() - 1;
            remove_newest(&mut found.segments, keep)
        }
        _ => Ok(()),
    }
}

/// The oldest segment must be the first ever, or follow what was purged.
fn check_start(found: &Found, header: Option<&Header>, leftovers: bool) -> Result<(), LogError> {
    let (Some(header), Some(oldest)) = (header, found.segments.first()) else { return Ok(()) };
    let first_ever = header.previous.is_none() && !leftovers;
    let whole = match found.purged {
        Some((purged, _)) => found.index.first_index().is_none_or(|first| first <= purged + 1),
        None => first_ever,
    };
    if whole {
        return Ok(());
    }
    Err(LogError::segment(oldest.path(), "the segment before it is missing"))
}

impl Found {
    fn next_index(&self) -> u64 {
        self.last.map_or(0, |(last, _)| last + 1)
    }

    fn apply(&mut self, head: &Head, segment: &Segment, offset: u64) -> Result<(), &'static str> {
        match head.kind {
            Kind::Truncate => self.truncate(head.index),
            Kind::PurgeMark => {
                self.purge(head.index, head.term);
                Ok(())
            }
            Kind::Blank | Kind::Batch | Kind::Membership => self.record(head, segment, offset),
        }
    }

    fn record(&mut self, head: &Head, segment: &Segment, offset: u64) -> Result<(), &'static str> {
        let Head { index, term, .. } = *head;
        if self.follows.is_some_and(|next| index != next) {
            return Err("its index does not follow");
        }
        self.follows = Some(index + 1);
        let position = segment.base + offset;
        self.index.note(Run { index, term, segment: segment.first, offset, position });
        self.last = Some((index, term));
        Ok(())
    }

    fn truncate(&mut self, void: u64) -> Result<(), &'static str> {
        if self.purged.is_some_and(|(purged, _)| void <= purged) {
            return Err("it truncates what was purged");
        }
        let kept = void.checked_sub(1).filter(|kept| self.index.first_index() <= Some(*kept));
        let term = kept.and_then(|kept| self.index.find(kept)).map(|(run, _)| run.term);
        self.last = kept.zip(term).or(self.purged);
        self.follows = self.last.map(|(last, _)| last + 1);
        self.index.truncate(void);
        Ok(())
    }

    fn purge(&mut self, index: u64, term: u64) {
        if self.purged.is_some_and(|(purged, _)| index <= purged) {
            return;
        }
        self.purged = Some((index, term));
        if self.last.is_none_or(|(last, _)| last <= index) {
            self.last = self.purged;
            self.follows = self.follows.map(|_| index + 1);
            self.index.clear();
        }
        self.index.purge(index);
    }
}
