//! What can be wrong with a plan, in words for the person who made it.

use alloc::string::String;
use core::fmt;

use super::{SHARD_MEMBERS_MAX, TOPOLOGY_VOTERS_MAX};
use crate::id::{NodeId, ShardId};
use crate::node::BadAddress;
use crate::slot::{SLOT_COUNT, Slot};

/// What is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is its own message below")]
pub enum PlanError {
    Json(String),
    NoNodes,
    NoShards,
    TwiceNode(NodeId),
    SameRaftId(NodeId, NodeId),
    BadAddress(NodeId, BadAddress),
    TwiceAddress { address: String, nodes: [NodeId; 2] },
    TwiceShard(ShardId),
    EmptyShard(ShardId),
    CrowdedShard { shard: ShardId, members: usize },
    UnknownMember { shard: ShardId, node: NodeId },
    ForeignMember { shard: ShardId, node: NodeId },
    TwiceMember { shard: ShardId, node: NodeId },
    HomelessNode(NodeId),
    TwiceSlot { slot: Slot, shards: [ShardId; 2] },
    UncoveredSlots { first: Slot, count: u16 },
    VoterCount(usize),
    UnknownVoter(NodeId),
    TwiceVoter(NodeId),
    FirstNodeMustVote(NodeId),
    TooFewNodes { nodes: usize, per_shard: usize },
    UnevenNodes { nodes: usize, per_shard: usize },
    TooManyReplicas(usize),
    TooManyShards(usize),
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(problem) => write!(f, "the plan is not valid JSON for a plan: {problem}"),
            Self::NoNodes => f.write_str("the plan has no nodes"),
            Self::NoShards => f.write_str("the plan has no shards"),
            Self::TwiceNode(node) => write!(f, "node {node} is listed twice"),
            Self::SameRaftId(one, other) => write!(
                f,
                "nodes {one} and {other} start with the same 16 digits, which Raft knows them by: \
                 give one of them a new data directory"
            ),
            Self::BadAddress(node, problem) => write!(f, "node {node}: {problem}"),
            Self::TwiceAddress { address, nodes: [one, other] } => {
                write!(f, "nodes {one} and {other} both have the address {address}")
            }
            Self::TwiceShard(shard) => write!(f, "shard {shard} is listed twice"),
            Self::EmptyShard(shard) => write!(f, "shard {shard} has no members"),
            Self::CrowdedShard { shard, members } => write!(
                f,
                "shard {shard} has {members} members, and {SHARD_MEMBERS_MAX} are the most it may"
            ),
            Self::UnknownMember { shard, node } => {
                write!(f, "shard {shard} has the member {node}, which is not a node of the plan")
            }
            Self::ForeignMember { shard, node } => {
                write!(f, "shard {shard} has the member {node}, which says it is in another shard")
            }
            Self::TwiceMember { shard, node } => {
                write!(f, "shard {shard} lists its member {node} twice")
            }
            Self::HomelessNode(node) => {
                write!(f, "node {node} is not a member of the shard that it names")
            }
            Self::TwiceSlot { slot, shards: [one, other] } => {
                write!(f, "slot {slot} is given to shard {one} and to shard {other}")
            }
            Self::UncoveredSlots { first, count } => {
                write!(f, "{count} slots are given to no shard, the first is {first}")
            }
            Self::VoterCount(count) => {
                write!(f, "the topology has 1 to {TOPOLOGY_VOTERS_MAX} voters, not {count}")
            }
            Self::UnknownVoter(node) => {
                write!(f, "the topology voter {node} is not a node of the plan")
            }
            Self::TwiceVoter(node) => write!(f, "the topology voter {node} is listed twice"),
            Self::FirstNodeMustVote(node) => {
                write!(f, "node {node} comes first and so forms the topology: it must be a voter")
            }
            Self::TooFewNodes { nodes, per_shard } => {
                write!(f, "{nodes} nodes are too few for one shard of {per_shard}")
            }
            Self::UnevenNodes { nodes, per_shard } => write!(
                f,
                "{nodes} nodes cannot be split into shards of {per_shard}: add {} or leave out {}",
                per_shard - nodes % per_shard,
                nodes % per_shard
            ),
            Self::TooManyReplicas(replicas) => write!(
                f,
                "{replicas} replicas are too many: a shard has at most {SHARD_MEMBERS_MAX} members"
            ),
            Self::TooManyShards(shards) => {
                write!(f, "{shards} shards are too many for {SLOT_COUNT} slots")
            }
        }
    }
}

impl core::error::Error for PlanError {}

/// Something about a valid plan that its author may not have intended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanWarning {
    /// One node more than needed: it adds a vote, and no further failure that
    /// the shard survives.
    EvenShard {
        /// The shard.
        shard: ShardId,
        /// Its even number of members.
        members: usize,
    },
    /// Losing this host means losing the shard's majority.
    HostHoldsMajority {
        /// The shard.
        shard: ShardId,
        /// The host.
        host: String,
    },
}

impl fmt::Display for PlanWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EvenShard { shard, members } => write!(
                f,
                "shard {shard} has {members} members and survives the loss of {}, as {} would",
                (members - 1) / 2,
                members - 1
            ),
            Self::HostHoldsMajority { shard, host } => {
                write!(f, "shard {shard} does not survive the loss of host {host}")
            }
        }
    }
}
