//! Records as values and as bytes.

use bytes::Bytes;

use crate::frame::{self, Place};

/// Bytes of a record's body before its payload.
pub(super) const BODY_BYTES: usize = 37;

/// Bytes that a record takes on disk beside its payload.
pub(super) const OVERHEAD_BYTES: usize = frame::HEAD_BYTES + BODY_BYTES;

/// The largest payload that the length field can express.
pub(super) const PAYLOAD_BYTES_MAX: usize = u32::MAX as usize - BODY_BYTES;

/// What the leader chose for an entry, once and for all replicas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The leader's clock, milliseconds since 1970.
    pub now_ms: u64,
    /// Seed of every random choice in the entry.
    pub seed: u64,
    /// The engine behaviour that the entry asks for.
    pub engine_version: u32,
}

/// What a record is to Raft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// A leader's no-op.
    Blank,
    /// Commands of clients.
    Batch,
    /// A change of the group's members.
    Membership,
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Position in the log; each record's is one more than its predecessor's.
    pub index: u64,
    /// Term of the leader that made it.
    pub term: u64,
    /// What it is to Raft.
    pub kind: RecordKind,
    /// Time and randomness of the entry.
    pub stamp: Stamp,
    /// What it says, opaque here.
    pub payload: Bytes,
}

impl Record {
    /// Bytes that the record takes on disk.
    pub fn disk_bytes(&self) -> u64 {
        (OVERHEAD_BYTES + self.payload.len()) as u64
    }
}

/// The kinds in the file format; the numbers are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Blank = 1,
    Batch = 2,
    Membership = 3,
    /// `index` is the first index that no longer exists.
    Truncate = 4,
    /// `index` and `term` are the last position that is purged.
    PurgeMark = 5,
}

impl From<RecordKind> for Kind {
    fn from(kind: RecordKind) -> Kind {
        match kind {
            RecordKind::Blank => Kind::Blank,
            RecordKind::Batch => Kind::Batch,
            RecordKind::Membership => Kind::Membership,
        }
    }
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Kind> {
        match byte {
            1 => Some(Kind::Blank),
            2 => Some(Kind::Batch),
            3 => Some(Kind::Membership),
            4 => Some(Kind::Truncate),
            5 => Some(Kind::PurgeMark),
            _ => None,
        }
    }

    /// The kind of an entry, `None` for the marks.
    pub fn entry(self) -> Option<RecordKind> {
        match self {
            Kind::Blank => Some(RecordKind::Blank),
            Kind::Batch => Some(RecordKind::Batch),
            Kind::Membership => Some(RecordKind::Membership),
            Kind::Truncate | Kind::PurgeMark => None,
        }
    }
}

/// Everything of a record but its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub kind: Kind,
    pub term: u64,
    pub index: u64,
    pub stamp: Stamp,
}

impl Head {
    /// A mark: neither stamp nor payload.
    pub fn mark(kind: Kind, index: u64, term: u64) -> Head {
        Head { kind, term, index, stamp: Stamp::default() }
    }

    /// The head of an entry.
    pub fn of(record: &Record) -> Head {
        let Record { index, term, kind, stamp, .. } = *record;
        Head { kind: kind.into(), term, index, stamp }
    }

    /// The entry with this head, `None` if it is a mark's.
    pub fn record(self, payload: &[u8]) -> Option<Record> {
        let Head { kind, term, index, stamp } = self;
        let payload = Bytes::copy_from_slice(payload);
        Some(Record { index, term, kind: kind.entry()?, stamp, payload })
    }
}

/// Appends the record's frame to `buffer`; it will stand at `place`.
pub(super) fn encode(buffer: &mut Vec<u8>, head: &Head, payload: &[u8], place: Place) {
    assert!(payload.len() <= PAYLOAD_BYTES_MAX, "checked before anything was encoded");
    let start = frame::begin(buffer);
    let mut body = [0; BODY_BYTES];
    body[0] = head.kind as u8;
    body[1..9].copy_from_slice(&head.term.to_le_bytes());
    body[9..17].copy_from_slice(&head.index.to_le_bytes());
    body[17..25].copy_from_slice(&head.stamp.now_ms.to_le_bytes());
    body[25..33].copy_from_slice(&head.stamp.seed.to_le_bytes());
    body[33..37].copy_from_slice(&head.stamp.engine_version.to_le_bytes());
    buffer.extend_from_slice(&body);
    buffer.extend_from_slice(payload);
    frame::finish(buffer, start, place);
}

/// The record in the body of a frame; the error says what is wrong with it.
pub(super) fn decode(body: &[u8]) -> Result<(Head, &[u8]), &'static str> {
    let (fixed, payload) =
        body.split_at_checked(BODY_BYTES).ok_or("it is too short for a record")?;
    let long = |at: usize| u64::from_le_bytes(fixed[at..at + 8].try_into().expect("eight bytes"));
    let kind = Kind::from_byte(fixed[0]).ok_or("its kind is unknown to this version")?;
    let engine_version = u32::from_le_bytes(fixed[33..37].try_into().expect("four bytes"));
    let stamp = Stamp { now_ms: long(17), seed: long(25), engine_version };
    Ok((Head { kind, term: long(1), index: long(9), stamp }, payload))
}
