//! Opening a log: what a crash can have left behind, and what it cannot.
//!
//! 1. The purge mark says which segments are of no more use. They are not even read.
//! 2. The newest segment may have been created but not written: one with a bad header is removed if
//!    no record in it says that the header had been synced.
//! 3. Headers are followed from the newest segment backwards. Older segments that this chain does
//!    not reach are what a purge did not get to remove.
//! 4. Records are replayed. In a segment with a successor they must reach at least the length that
//!    the successor noted. Anything beyond is a truncation that was under way: if it is complete,
//!    the later segments are what it did not get to remove; if not, it never happened and is cut
//!    off.
//! 5. In the newest segment a torn end is cut off, and so is whatever an earlier life of its file
//!    has left behind the end.
//!
//! Relaxed segments, those at the end of the log for which nobody waited, reach the disk in any
//! order. What is torn in one of them was lost with the power: the log ends there, whatever
//! segments follow.

use std::path::Path;
use std::sync::Arc;

use super::error::LogError;
use super::index::{Index, Run};
use super::mark::{self, MarkFile};
use super::record::{self, Head, Kind};
use super::segment::{HEADER_BYTES, Header, Name, OTHER_VERSION, Segment, parse_name};
use crate::disk::{Disk, parent};
use crate::frame::{self, Reader, Step};

/// A log as it was found.
#[derive(Debug)]
pub(super) struct Found {
    pub segments: Vec<Segment>,
    pub index: Index,
    pub last: Option<(u64, u64)>,
    pub purged: Option<(u64, u64)>,
    pub mark: MarkFile,
    /// The number of the next segment's life.
    pub life_next: u64,
    /// There is a truncation that need not be durable.
    pub truncated: bool,
    /// The index that the next record must have. Unknown before the first one: what stood before
    /// it may be purged.
    follows: Option<u64>,
}

/// The files in the directory of a log.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// First index and life of the segments, in their order.
    pub segments: Vec<(u64, u64)>,
    /// Names of other files that the log made.
    pub others: Vec<String>,
    life_max: u64,
}

pub(super) fn recover(disk: &Arc<dyn Disk>, dir: &Path) -> Result<Found, LogError> {
    disk.create_dir_all(dir).map_err(LogError::io("create the directory", dir))?;
    let files = survey(disk, dir)?;
    let (mark_file, mark) = MarkFile::open(disk, dir)?;
    let purged = mark.map(|mark| mark.purged);
    let mut segments = files.open(disk, dir)?;
    let covered = purged.map_or(0, |(index, _)| covered(&segments, index));
    let mut removable: Vec<Segment> = segments.drain(..covered).collect();
    let mut headers = read_headers(&mut segments, mark.is_some_and(|mark| mark.relaxed))?;
    let leftovers = unchained(&headers);
    headers.drain(..leftovers);
    removable.extend(segments.drain(..leftovers));
    let life_next = files.life_max + 1;
    let mut found = Found::new(mark_file, purged, life_next);
    found.replay(segments, &headers)?;
    found.finish();
    check_start(&found, headers.first(), leftovers > 0)?;
    drop_empty_newest(&mut found)?;
    if purged.is_some() && found.last == purged {
        removable.append(&mut found.segments);
    }
    remove_rest(disk, dir, &removable, &files.others)?;
    if let Some(newest) = found.segments.last().filter(|newest| !newest.relaxed) {
        newest.file.sync().map_err(LogError::io("sync the segment", newest.path()))?;
    }
    disk.sync_dir(dir).map_err(LogError::io("sync the directory", dir))?;
    Ok(found)
}

/// Lists the directory; refuses it if there is a file in it that this log did not make.
pub(super) fn survey(disk: &Arc<dyn Disk>, dir: &Path) -> Result<Files, LogError> {
    let mut files = Files::default();
    for name in disk.list(dir).map_err(LogError::io("list the directory", dir))? {
        let life = match parse_name(&name) {
            Some(Name::Segment { first, life }) => {
                files.segments.push((first, life));
                life
            }
            Some(Name::Spare { life }) => {
                files.others.push(name);
                life
            }
            Some(Name::Old) => return Err(LogError::segment(&dir.join(name), OTHER_VERSION)),
            None if name == mark::NAME => continue,
            None => return Err(LogError::Foreign { path: dir.join(name) }),
        };
        files.life_max = files.life_max.max(life);
    }
    files.segments.sort_unstable();
    Ok(files)
}

impl Files {
    /// Opens the segments, in their order.
    pub fn open(&self, disk: &Arc<dyn Disk>, dir: &Path) -> Result<Vec<Segment>, LogError> {
        self.segments.iter().map(|name| Segment::open(disk, dir, *name)).collect()
    }
}

/// How many of the oldest segments hold nothing after `index`.
pub(super) fn covered(segments: &[Segment], index: u64) -> usize {
    segments.partition_point(|it| it.first <= index.saturating_add(1)).saturating_sub(1)
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

/// Removes purged segments, the oldest first, and spare files. Files are not used again that were
/// found: what they hold may be of a life whose number nobody knows any more.
fn remove_rest(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    segments: &[Segment],
    others: &[String],
) -> Result<(), LogError> {
    for segment in segments {
        tracing::info!(segment = %segment.path().display(), "removing a purged segment");
        segment.remove()?;
    }
    for name in others {
        let path = dir.join(name);
        disk.remove_file(&path).map_err(LogError::io("remove the spare segment", &path))?;
    }
    Ok(())
}

/// Reads the headers, and removes segments from the end on that never got one. `relaxed` is the
/// first, or none.
fn read_headers(segments: &mut Vec<Segment>, relaxed: bool) -> Result<Vec<Header>, LogError> {
    let mut headers = Vec::new();
    let mut bad = None;
    for (at, segment) in segments.iter_mut().enumerate() {
        match segment.header()? {
            Ok(header) => {
                segment.relaxed = header.relaxed;
                headers.push(header);
            }
            Err(OTHER_VERSION) => return Err(LogError::segment(segment.path(), OTHER_VERSION)),
            Err(detail) => {
                bad.get_or_insert((at, detail));
            }
        }
    }
    let Some((at, detail)) = bad else { return Ok(headers) };
    let segment = &segments[at];
    let unborn = at + 1 == segments.len() && !vouched_for(segment, 0, segment.first)?;
    let relaxed =
        (at > 0 || relaxed) && headers[at.saturating_sub(1)..].iter().all(|header| header.relaxed);
    if !unborn && !relaxed {
        return Err(LogError::segment(segment.path(), detail));
    }
    tracing::warn!(segment = %segment.path().display(), "removing a segment that was being created");
    remove_newest(segments, at)?;
    headers.truncate(at);
    Ok(headers)
}

/// How many of the oldest segments the newest does not descend from.
fn unchained(headers: &[Header]) -> usize {
    let linked = |pair: &[Header]| pair[1].previous.is_some_and(|it| it.0 == pair[0].life);
    headers.windows(2).rposition(|pair| !linked(pair)).map_or(0, |at| at + 1)
}

impl Found {
    fn new(mark: MarkFile, purged: Option<(u64, u64)>, life_next: u64) -> Found {
        let (segments, index) = (Vec::new(), Index::default());
        let (last, truncated, follows) = (None, false, None);
        Found { segments, index, last, purged, mark, life_next, truncated, follows }
    }

    fn replay(&mut self, segments: Vec<Segment>, headers: &[Header]) -> Result<(), LogError> {
        let mut rest = segments.into_iter();
        for (at, header) in headers.iter().enumerate() {
            let Some(mut segment) = rest.next() else { break };
            segment.base = self.segments.last().map_or(0, Segment::end);
            let next = headers.get(at + 1).and_then(|header| header.previous);
            let expected = Expected {
                noted: next.map(|(_, len)| len),
                relaxed: headers[at..].iter().all(|header| header.relaxed),
                recycled: header.recycled,
            };
            let is_last = self.replay_segment(&mut segment, expected)?;
            self.segments.push(segment);
            if is_last {
                let keep = self.segments.len();
                self.segments.extend(rest.by_ref());
                remove_newest(&mut self.segments, keep)?;
            }
        }
        Ok(())
    }

    /// Replays one segment and cuts what is torn. True if nothing that comes after it counts,
    /// because a truncation voids it or a part of this one was lost with the power.
    fn replay_segment(
        &mut self,
        segment: &mut Segment,
        expected: Expected,
    ) -> Result<bool, LogError> {
        let noted = expected.noted;
        let file = segment.file.clone();
        let mut reader =
            Reader::new(file.file.as_ref(), segment.life, HEADER_BYTES as u64, segment.len);
        let mut truncated = false;
        let damage = loop {
            match reader.next().map_err(LogError::io("read the segment", segment.path()))? {
                Step::Frame { offset, body } => {
                    let damage = |detail: &str| LogError::corrupt(segment.path(), offset, detail);
                    let (head, _) = record::decode(body).map_err(damage)?;
                    self.apply(&head, segment, offset).map_err(damage)?;
                    truncated |=
                        head.kind == Kind::Truncate && noted.is_some_and(|len| len <= offset);
                }
                Step::End => break None,
                Step::Bad(detail) => break Some(detail),
            }
        };
        let reached = reader.offset();
        let whole = if truncated { None } else { noted };
        let lost = whole.is_some_and(|len| reached < len);
        let next_index = self.last.map_or(0, |(last, _)| last + 1);
        let is_damaged = match damage {
            _ if lost && !expected.relaxed => true,
            Some(_) if lost || whole.is_none() => vouched_for(segment, reached, next_index)?,
            _ => false,
        };
        if is_damaged {
            let detail = damage.unwrap_or("the segment ends early");
            return Err(LogError::corrupt(segment.path(), reached, detail));
        }
        let (len, recycled) =
            if lost { (reached, false) } else { (whole.unwrap_or(reached), expected.recycled) };
        cut(segment, len, recycled)?;
        Ok(truncated || lost)
    }
}

/// What is known of a segment before it is read.
#[derive(Clone, Copy, Debug)]
struct Expected {
    /// Its length according to its successor, if it has one.
    noted: Option<u64>,
    /// It and all later segments are relaxed.
    relaxed: bool,
    /// There is something behind its end that is not its own.
    recycled: bool,
}

fn cut(segment: &mut Segment, len: u64, recycled: bool) -> Result<(), LogError> {
    let surplus = segment.len - len;
    if surplus == 0 {
        return Ok(());
    }
    if !recycled {
        tracing::warn!(segment = %segment.path().display(), offset = len, surplus, "cutting the torn end");
    }
    segment.cut(len)?;
    segment.file.sync().map_err(LogError::io("sync the segment", segment.path()))
}

/// Whether a valid record stands somewhere behind byte `bad` that was written when that byte was on
/// the disk for sure: then what stands there was not torn, it is damaged.
fn vouched_for(segment: &Segment, bad: u64, next_index: u64) -> Result<bool, LogError> {
    let index_max = next_index.max(segment.first).saturating_add(segment.len);
    let plausible = |offset: u64, body: &[u8]| {
        record::synced_before(body, offset) > bad
            && record::decode(body).is_ok_and(|(head, _)| head.index <= index_max)
    };
    let file = segment.file.file.as_ref();
    frame::any_valid(file, segment.life, bad.min(segment.len), segment.len, plausible)
        .map_err(LogError::io("read the segment", segment.path()))
}

/// A segment without records takes the record after the last one, and names order the segments: if
/// its name says otherwise, what stood before it was lost.
fn drop_empty_newest(found: &mut Found) -> Result<(), LogError> {
    let next_index = found.last.map_or(0, |(last, _)| last + 1);
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
    fn apply(&mut self, head: &Head, segment: &Segment, offset: u64) -> Result<(), &'static str> {
        if head.kind == Kind::Truncate {
            self.truncated |= segment.relaxed;
            self.truncate(head.index);
            return Ok(());
        }
        let Head { index, term, .. } = *head;
        if self.follows.is_some_and(|next| index != next) {
            return Err("its index does not follow");
        }
        self.follows = Some(index + 1);
        let position = segment.base + offset;
        self.index.note(Run { index, term, segment: segment.life, offset, position });
        self.last = Some((index, term));
        Ok(())
    }

    fn truncate(&mut self, void: u64) {
        let kept = void.checked_sub(1).filter(|kept| self.index.first_index() <= Some(*kept));
        let term = kept.and_then(|kept| self.index.find(kept)).map(|(run, _)| run.term);
        let purged = self.purged.filter(|(purged, _)| *purged < void);
        self.last = kept.zip(term).or(purged);
        self.follows = self.last.map(|(last, _)| last + 1);
        self.index.truncate(void);
    }

    /// Applies the purge mark to what was replayed.
    fn finish(&mut self) {
        let Some((index, _)) = self.purged else { return };
        if self.last.is_none_or(|(last, _)| last <= index) {
            self.last = self.purged;
            self.index.clear();
        }
        self.index.purge(index);
    }
}
