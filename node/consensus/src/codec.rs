//! Between openraft's types and the bus's messages; the message for a
//! membership is also what lies on the disk.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use openraft::{EmptyNode, EntryPayload};
use prost::Message;
use quoris_proto::raft as wire;
use quoris_storage::log::{Record, RecordKind};
use thiserror::Error;

use crate::types::{Batch, Entry, LogId, Membership, Stamp, StoredMembership, Vote};

/// A message that lacks a part, or bytes that are no message.
#[derive(Debug, Error)]
pub(crate) enum Malformed {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("entry of an unknown kind {0}")]
    UnknownKind(i32),
    #[error("membership is not decodable: {0}")]
    Undecodable(#[from] prost::DecodeError),
    #[error("membership is inconsistent: {0}")]
    Inconsistent(String),
}

impl From<Malformed> for std::io::Error {
    fn from(error: Malformed) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, error)
    }
}

impl From<Malformed> for tonic::Status {
    fn from(error: Malformed) -> Self {
        Self::invalid_argument(error.to_string())
    }
}

pub(crate) fn vote_to_wire(vote: &Vote) -> wire::Vote {
    wire::Vote {
        term: vote.leader_id.term,
        node: vote.leader_id.voted_for,
        committed: vote.committed,
    }
}

pub(crate) fn vote_from_wire(vote: Option<wire::Vote>) -> Result<Vote, Malformed> {
    let vote = vote.ok_or(Malformed::Missing("vote"))?;
    Ok(if vote.committed {
        Vote::new_committed(vote.term, vote.node)
    } else {
        Vote::new(vote.term, vote.node)
    })
}

pub(crate) fn log_id_to_wire(id: LogId) -> wire::LogId {
    wire::LogId { term: id.leader_id.term, index: id.index }
}

pub(crate) fn log_id_from_wire(id: wire::LogId) -> LogId {
    LogId::new_term_index(id.term, id.index)
}

pub(crate) fn membership_to_wire(membership: &Membership) -> wire::Membership {
    let configs = membership.get_joint_config().iter();
    wire::Membership {
        configs: configs
            .map(|voters| wire::VoterSet { nodes: voters.iter().copied().collect() })
            .collect(),
        nodes: membership.nodes().map(|(id, _)| *id).collect(),
    }
}

#[expect(clippy::zero_sized_map_values, reason = "openraft's membership is a map to nodes")]
pub(crate) fn membership_from_wire(wire: &wire::Membership) -> Result<Membership, Malformed> {
    if wire.configs.is_empty() {
        return Ok(Membership::default());
    }
    let configs: Vec<BTreeSet<_>> =
        wire.configs.iter().map(|set| set.nodes.iter().copied().collect()).collect();
    let nodes: BTreeMap<_, _> = wire.nodes.iter().map(|id| (*id, EmptyNode::new())).collect();
    Membership::new(configs, nodes).map_err(|error| Malformed::Inconsistent(error.to_string()))
}

/// A membership and where it was decided, as bytes for a snapshot's header.
pub(crate) fn stored_membership_to_bytes(stored: &StoredMembership) -> Vec<u8> {
    let header = wire::SnapshotHeader {
        membership_at: stored.log_id().map(log_id_to_wire),
        membership: Some(membership_to_wire(stored.membership())),
        ..Default::default()
    };
    header.encode_to_vec()
}

pub(crate) fn stored_membership_from_bytes(bytes: &[u8]) -> Result<StoredMembership, Malformed> {
    let header = wire::SnapshotHeader::decode(bytes)?;
    stored_membership_from_wire(header.membership_at, header.membership)
}

pub(crate) fn stored_membership_from_wire(
    at: Option<wire::LogId>,
    membership: Option<wire::Membership>,
) -> Result<StoredMembership, Malformed> {
    let membership = membership_from_wire(&membership.ok_or(Malformed::Missing("membership"))?)?;
    Ok(StoredMembership::new(at.map(log_id_from_wire), membership))
}

pub(crate) fn entry_to_wire(entry: Entry) -> wire::Entry {
    let mut out = wire::Entry {
        term: entry.log_id.leader_id.term,
        index: entry.log_id.index,
        ..Default::default()
    };
    match entry.payload {
        EntryPayload::Blank => {}
        EntryPayload::Normal(batch) => {
            out.set_kind(wire::entry::Kind::Batch);
            out.now_ms = batch.stamp.now_ms;
            out.seed = batch.stamp.seed;
            out.engine_version = batch.stamp.engine_version;
            out.payload = batch.payload;
        }
        EntryPayload::Membership(membership) => {
            out.set_kind(wire::entry::Kind::Membership);
            out.payload = membership_to_wire(&membership).encode_to_vec().into();
        }
    }
    out
}

pub(crate) fn entry_from_wire(entry: wire::Entry) -> Result<Entry, Malformed> {
    let kind =
        wire::entry::Kind::try_from(entry.kind).map_err(|_| Malformed::UnknownKind(entry.kind))?;
    let stamp =
        Stamp { now_ms: entry.now_ms, seed: entry.seed, engine_version: entry.engine_version };
    let payload = match kind {
        wire::entry::Kind::Blank => EntryPayload::Blank,
        wire::entry::Kind::Batch => EntryPayload::Normal(Batch { stamp, payload: entry.payload }),
        wire::entry::Kind::Membership => membership_payload(entry.payload)?,
    };
    Ok(Entry { log_id: LogId::new_term_index(entry.term, entry.index), payload })
}

pub(crate) fn entry_to_record(entry: Entry) -> Record {
    let nothing = Stamp { now_ms: 0, seed: 0, engine_version: 0 };
    let (kind, stamp, payload) = match entry.payload {
        EntryPayload::Blank => (RecordKind::Blank, nothing, Bytes::new()),
        EntryPayload::Normal(batch) => (RecordKind::Batch, batch.stamp, batch.payload),
        EntryPayload::Membership(membership) => {
            let bytes = membership_to_wire(&membership).encode_to_vec();
            (RecordKind::Membership, nothing, bytes.into())
        }
    };
    Record { index: entry.log_id.index, term: entry.log_id.leader_id.term, kind, stamp, payload }
}

pub(crate) fn entry_from_record(record: Record) -> Result<Entry, Malformed> {
    let payload = match record.kind {
        RecordKind::Blank => EntryPayload::Blank,
        RecordKind::Batch => {
            EntryPayload::Normal(Batch { stamp: record.stamp, payload: record.payload })
        }
        RecordKind::Membership => membership_payload(record.payload)?,
    };
    Ok(Entry { log_id: LogId::new_term_index(record.term, record.index), payload })
}

fn membership_payload(bytes: Bytes) -> Result<crate::types::Payload, Malformed> {
    let membership = wire::Membership::decode(bytes)?;
    Ok(EntryPayload::Membership(membership_from_wire(&membership)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        let stamp = Stamp { now_ms: 1_700_000_000_000, seed: u64::MAX, engine_version: 3 };
        let batch = Batch { stamp, payload: Bytes::from_static(b"*1\r\n$4\r\nPING\r\n") };
        let joint = vec![BTreeSet::from([1, 2, 3]), BTreeSet::from([2, 3, 4])];
        let membership = Membership::new_with_defaults(joint, [5]);
        [EntryPayload::Blank, EntryPayload::Normal(batch), EntryPayload::Membership(membership)]
            .into_iter()
            .zip(7..)
            .map(|(payload, index)| Entry { log_id: LogId::new_term_index(4, index), payload })
            .collect()
    }

    #[test]
    fn entries_survive_the_wire_and_the_disk() {
        for entry in entries() {
            let bytes = entry_to_wire(entry.clone()).encode_to_vec();
            let back = entry_from_wire(wire::Entry::decode(&bytes[..]).unwrap()).unwrap();
            assert_eq!(back, entry);
            assert_eq!(entry_from_record(entry_to_record(entry.clone())).unwrap(), entry);
        }
    }

    #[test]
    fn a_stored_membership_survives_the_disk_even_when_empty() {
        let full = StoredMembership::new(
            Some(LogId::new_term_index(2, 9)),
            Membership::new_with_defaults(vec![BTreeSet::from([1])], [2]),
        );
        for stored in [full, StoredMembership::default()] {
            let bytes = stored_membership_to_bytes(&stored);
            assert_eq!(stored_membership_from_bytes(&bytes).unwrap(), stored);
        }
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        let unknown = wire::Entry { kind: 9, ..Default::default() };
        assert!(matches!(entry_from_wire(unknown), Err(Malformed::UnknownKind(9))));
        let mut garbage =
            wire::Entry { payload: Bytes::from_static(b"\xff"), ..Default::default() };
        garbage.set_kind(wire::entry::Kind::Membership);
        assert!(matches!(entry_from_wire(garbage), Err(Malformed::Undecodable(_))));
        let voter_without_node =
            wire::Membership { configs: vec![wire::VoterSet { nodes: vec![1] }], nodes: vec![] };
        assert!(membership_from_wire(&voter_without_node).is_err());
        assert!(matches!(vote_from_wire(None), Err(Malformed::Missing("vote"))));
    }
}
