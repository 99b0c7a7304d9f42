//! Records as values and as bytes.

use bytes::Bytes;

use crate::frame::{self, Place};

/// Bytes of a record's body before its payload.
pub(super) const BODY_BYTES: usize = 41;

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
            _ => None,
        }
    }

    /// The kind of an entry, `None` for a mark.
    pub fn entry(self) -> Option<RecordKind> {
        match self {
            Kind::Blank => Some(RecordKind::Blank),
            Kind::Batch => Some(RecordKind::Batch),
            Kind::Membership => Some(RecordKind::Membership),
            Kind::Truncate => None,
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

/// Appends the record's frame to `buffer`; it will stand at `place`, behind so many bytes that no
/// finished sync covers. They may have been written with this call or before.
pub(super) fn encode(
    buffer: &mut Vec<u8>,
    head: &Head,
    payload: &[u8],
    place: Place,
    unsynced: u64,
) {
    assert!(payload.len() <= PAYLOAD_BYTES_MAX, "checked before anything was encoded");
    let start = frame::begin(buffer);
    let mut body = [0; BODY_BYTES];
    body[0] = head.kind as u8;
    body[1..9].copy_from_slice(&head.term.to_le_bytes());
    body[9..17].copy_from_slice(&head.index.to_le_bytes());
    body[17..25].copy_from_slice(&head.stamp.now_ms.to_le_bytes());
    body[25..33].copy_from_slice(&head.stamp.seed.to_le_bytes());
    body[33..37].copy_from_slice(&head.stamp.engine_version.to_le_bytes());
    let unsynced = u32::try_from(unsynced).unwrap_or(u32::MAX);
    body[37..41].copy_from_slice(&unsynced.to_le_bytes());
    buffer.extend_from_slice(&body);
    buffer.extend_from_slice(payload);
    frame::finish(buffer, start, place);
}

/// Up to where its segment was on the disk for sure when a record was written whose body stands at
/// `offset`, 0 if not even the header was.
pub(super) fn synced_before(body: &[u8], offset: u64) -> u64 {
    let unsynced = body
        .get(37..41)
        .map_or(u32::MAX, |bytes| u32::from_le_bytes(bytes.try_into().expect("four bytes")));
    if unsynced == u32::MAX { 0 } else { offset.saturating_sub(u64::from(unsynced)) }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::disk::{Disk, MemoryDisk, OpenMode};
    use crate::frame::{Reader, Step};

    fn records() -> impl Strategy<Value = Vec<Record>> {
        let kind = prop_oneof![
            Just(RecordKind::Blank),
            Just(RecordKind::Batch),
            Just(RecordKind::Membership)
        ];
        let stamp = any::<(u64, u64, u32)>().prop_map(|(now_ms, seed, engine_version)| Stamp {
            now_ms,
            seed,
            engine_version,
        });
        let payload = prop::collection::vec(any::<u8>(), 0..300);
        let record = (any::<u64>(), any::<u64>(), kind, stamp, payload).prop_map(
            |(index, term, kind, stamp, payload)| Record {
                index,
                term,
                kind,
                stamp,
                payload: payload.into(),
            },
        );
        prop::collection::vec(record, 0..8)
    }

    fn encode_all(records: &[Record], file: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        for record in records {
            let place = Place { file, offset: bytes.len() as u64 };
            encode(&mut bytes, &Head::of(record), &record.payload, place, 6);
        }
        bytes
    }

    /// The records before the first bad byte, and whether there is one.
    fn decode_all(bytes: &[u8], file: u64) -> (Vec<Record>, bool) {
        let disk = MemoryDisk::new();
        let path = std::path::Path::new("/file");
        disk.create_dir_all(std::path::Path::new("/")).unwrap();
        let handle = disk.open(path, OpenMode::CreateNew).unwrap();
        handle.write_all_at(bytes, 0).unwrap();
        let mut reader = Reader::new(handle.as_ref(), file, 0, bytes.len() as u64);
        let mut records = Vec::new();
        loop {
            match reader.next().unwrap() {
                Step::Frame { body, .. } => {
                    let (head, payload) = decode(body).unwrap();
                    records.push(head.record(payload).unwrap());
                }
                Step::End => return (records, false),
                Step::Bad(_) => return (records, true),
            }
        }
    }

    proptest! {
        #[test]
        fn records_survive_their_bytes(records in records(), file in any::<u64>()) {
            let bytes = encode_all(&records, file);
            let disk_bytes: u64 = records.iter().map(Record::disk_bytes).sum();
            prop_assert_eq!(disk_bytes, bytes.len() as u64);
            prop_assert_eq!(decode_all(&bytes, file), (records, false));
        }

        #[test]
        fn a_changed_bit_or_a_missing_end_is_noticed_where_it_is(
            records in records(),
            at in any::<prop::sample::Index>(),
            bit in 0..8u32,
        ) {
            let bytes = encode_all(&records, 3);
            prop_assume!(!bytes.is_empty());
            let at = at.index(bytes.len());
            let mut end = 0;
            let before = records.iter().take_while(|record| {
                end += record.disk_bytes() as usize;
                end <= at
            });
            let before: Vec<Record> = before.cloned().collect();
            let on_border = before.iter().map(Record::disk_bytes).sum::<u64>() == at as u64;
            prop_assert_eq!(decode_all(&bytes[..at], 3), (before.clone(), !on_border));
            let mut changed = bytes;
            changed[at] ^= 1 << bit;
            prop_assert_eq!(decode_all(&changed, 3), (before, true));
        }

        #[test]
        fn a_record_is_valid_in_its_own_place_only(records in records(), shift in 1..9usize) {
            prop_assume!(!records.is_empty());
            let bytes = encode_all(&records, 3);
            prop_assert_eq!(decode_all(&bytes, 4), (vec![], true));
            let next = records[0].disk_bytes() as usize;
            if records.len() > 1 {
                prop_assert_eq!(decode_all(&bytes[next..], 3), (vec![], true));
            }
            let moved = [vec![1; shift], bytes].concat();
            prop_assert!(decode_all(&moved, 3).0.is_empty());
        }
    }

    #[test]
    fn the_format_does_not_change_by_accident() {
        let record = Record {
            index: 2,
            term: 1,
            kind: RecordKind::Batch,
            stamp: Stamp { now_ms: 3, seed: 4, engine_version: 5 },
            payload: Bytes::from_static(b"*1\r\n$4\r\nPING\r\n"),
        };
        let bytes = encode_all(&[record], 0);
        let fixed = [
            &[55, 0, 0, 0][..],
            &bytes[4..8],
            &[2],
            &1u64.to_le_bytes(),
            &2u64.to_le_bytes(),
            &3u64.to_le_bytes(),
            &4u64.to_le_bytes(),
            &5u32.to_le_bytes(),
            &6u32.to_le_bytes(),
            b"*1\r\n$4\r\nPING\r\n",
        ];
        assert_eq!(bytes, fixed.concat());
        // CRC32C of 16 zero bytes (life 0, offset 0), the length and the body,
        // computed by another program.
        assert_eq!(bytes[4..8], 0x0852_75b9u32.to_le_bytes());
        assert_eq!(
            [Kind::Blank, Kind::Batch, Kind::Membership, Kind::Truncate].map(|kind| kind as u8),
            [1, 2, 3, 4]
        );
    }
}
