//! The words of this crate, and how they are spelt for openraft.
//!
//! Everything public here is free of openraft's generics, so that the crates
//! above need not know which library does the work.

use std::fmt;

use bytes::Bytes;
use openraft::impls::leader_id_std::LeaderId;
use openraft::vote::RaftLeaderId;
use openraft::{EmptyNode, OptionalSend};

pub use quoris_storage::Stamp;

use crate::outcome::Ticket;
use crate::runtime::Runtime;

/// A node's number in Raft: the first 16 hex digits of its 40-digit id. Never
/// reused for another data directory.
pub type RaftId = u64;

/// Which Raft group: `"topology"`, or the 40-hex id of a shard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub String);

impl GroupId {
    /// The group that spans the whole cluster.
    pub fn topology() -> Self {
        Self("topology".to_owned())
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A place in a group's log. Ordered by term, then index, as Raft orders logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPosition {
    /// The term of the leader that appended the entry.
    pub term: u64,
    /// Its place in the log, from 0.
    pub index: u64,
}

impl fmt::Display for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.term, self.index)
    }
}

/// A batch that the leader wants in the log.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Comes back with the entry when it is applied on this node, or with the
    /// [`Outcome`](crate::Outcome) when it is not. In memory only: neither on
    /// the wire nor on the disk.
    pub tag: u64,
    /// Time and randomness for the batch, chosen by the leader.
    pub stamp: Stamp,
    /// The commands. Opaque to this crate.
    pub payload: Bytes,
}

/// An entry that a majority holds, on its way into the state machine.
#[derive(Clone, Copy, Debug)]
pub struct Committed<'a> {
    /// Where it stands in the log.
    pub position: LogPosition,
    /// The leader's stamp.
    pub stamp: Stamp,
    /// The tag under which this process proposed it; none if another node did,
    /// or this one before a restart.
    pub tag: Option<u64>,
    /// The commands.
    pub payload: &'a Bytes,
}

/// What an ordinary log entry holds: a stamped batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub(crate) stamp: Stamp,
    pub(crate) payload: Bytes,
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes at {}", self.payload.len(), self.stamp.now_ms)
    }
}

/// openraft's view of a group. Nodes carry no data: their addresses are looked
/// up in the address book for every connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TypeConfig;

impl openraft::RaftTypeConfig for TypeConfig {
    type D = Batch;
    type R = ();
    type NodeId = RaftId;
    type Node = EmptyNode;
    type Term = u64;
    type LeaderId = LeaderId<u64, RaftId>;
    type Vote = openraft::impls::Vote<Self::LeaderId>;
    type Payload = openraft::EntryPayload<Batch, RaftId, EmptyNode>;
    type Entry = openraft::impls::Entry<CommittedLeaderId, Self::Payload>;
    type Responder<T>
        = Ticket<T>
    where
        T: OptionalSend + 'static;
    type Batch<T>
        = openraft::impls::InlineBatch<T>
    where
        T: OptionalSend + 'static;
    type AsyncRuntime = Runtime;
    type ErrorSource = openraft::impls::BoxedErrorSource;
}

/// A leader that has been elected: its term says all.
pub(crate) type CommittedLeaderId = <LeaderId<u64, RaftId> as RaftLeaderId>::Committed;
pub(crate) type LogId = openraft::alias::LogIdOf<TypeConfig>;
pub(crate) type Vote = openraft::alias::VoteOf<TypeConfig>;
pub(crate) type Entry = openraft::alias::EntryOf<TypeConfig>;
pub(crate) type Payload = openraft::alias::PayloadOf<TypeConfig>;
pub(crate) type Membership = openraft::Membership<RaftId, EmptyNode>;
pub(crate) type StoredMembership = openraft::alias::StoredMembershipOf<TypeConfig>;
pub(crate) type SnapshotMeta = openraft::alias::SnapshotMetaOf<TypeConfig>;
pub(crate) type Raft = openraft::Raft<TypeConfig, crate::state_machine::StateMachine>;

impl From<LogId> for LogPosition {
    fn from(id: LogId) -> Self {
        Self { term: id.committed_leader_id().term, index: id.index }
    }
}

impl From<LogPosition> for LogId {
    fn from(position: LogPosition) -> Self {
        LogId::new_term_index(position.term, position.index)
    }
}
