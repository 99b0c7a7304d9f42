//! The entries of the topology group's log, and what applying one can yield.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::functions::Functions;
use crate::id::{Epoch, JobId, NodeId, ShardId, Term};
use crate::migration::{Phase, Side, Step};
use crate::node::{Address, BadAddress, Node};
use crate::plan::Plan;
use crate::slot::{Slot, SlotRange};

/// One entry of the topology group's log.
///
/// The names of variants and fields are what is written to the log; a new
/// field or variant needs a new [format version](crate::codec::FORMAT_VERSION).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// Begin: the cluster is as planned. Made by [`Change::form`].
    Form(Box<Plan>),
    /// A node says where it is reached now.
    SetAddress {
        /// Who.
        node: NodeId,
        /// Where.
        address: Address,
    },
    /// A node says that it leads its shard. Ignored if an equal or higher term
    /// is known.
    SetLeader {
        /// The shard.
        shard: ShardId,
        /// Its leader.
        node: NodeId,
        /// The term that it was elected in.
        term: Term,
    },
    /// A node joins the shard that it names.
    AddNode(Node),
    /// A node leaves for good; its id is not to be used again.
    RemoveNode {
        /// Who.
        node: NodeId,
    },
    /// A shard without members and slots.
    AddShard {
        /// Its name.
        shard: ShardId,
    },
    /// A shard that has lost its members and slots leaves.
    RemoveShard {
        /// Its name.
        shard: ShardId,
    },
    /// Slots that nobody owns get an owner.
    AssignSlots {
        /// The owner.
        shard: ShardId,
        /// The slots.
        slots: Vec<SlotRange>,
    },
    /// Slots of this shard lose their owner.
    ReleaseSlots {
        /// The owner so far.
        shard: ShardId,
        /// The slots.
        slots: Vec<SlotRange>,
    },
    /// Who is meant to vote in the topology group.
    SetVoters {
        /// One to five nodes.
        voters: Vec<NodeId>,
    },
    /// All shards are to have these libraries of functions.
    SetFunctions(Functions),
    /// A shard has the functions of a record. Ignored if it is known to have later ones.
    FollowFunctions {
        /// The shard.
        shard: ShardId,
        /// The record's number.
        version: u64,
    },
    /// A migration begins.
    StartMigration {
        /// Its name, drawn by whoever proposes it.
        id: JobId,
        /// What moves.
        slots: Vec<SlotRange>,
        /// The owner so far.
        from: ShardId,
        /// The owner to be.
        to: ShardId,
    },
    /// A migration takes a step.
    AdvanceMigration {
        /// Its name.
        id: JobId,
        /// The step.
        step: Step,
    },
    /// One side of a decided migration has cleaned up.
    SettleMigration {
        /// Its name.
        id: JobId,
        /// The side.
        side: Side,
    },
}

impl Change {
    /// The change that forms a cluster. The plan's secret stays behind: the log
    /// and its snapshots are readable by whoever can read a data directory.
    pub fn form(plan: &Plan) -> Self {
        Self::Form(Box::new(plan.without_secret()))
    }
}

/// What came of a change; the same on every node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect; the epoch is the cluster's after it.
    Applied {
        /// The epoch, moved on if clients could notice.
        epoch: Epoch,
    },
    /// It says what is the case already, or is older than what is known.
    Unchanged,
    /// It does not fit, and nothing has changed.
    Refused(Refusal),
}

/// Why a change does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is its own message below")]
pub enum Refusal {
    AlreadyFormed,
    NotFormed,
    BadPlan(String),
    BadAddress(BadAddress),
    UnknownNode(NodeId),
    UnknownShard(ShardId),
    KnownNode(NodeId),
    SameRaftId(NodeId, NodeId),
    KnownShard(ShardId),
    TooManyShards,
    FullShard(ShardId),
    NotAMember { node: NodeId, shard: ShardId },
    SecondLeader { shard: ShardId, term: Term, leader: NodeId },
    LastMember { node: NodeId, shard: ShardId },
    LastVoter(NodeId),
    BusyShard(ShardId),
    NoSlots,
    RepeatedSlots,
    OwnedSlot { slot: Slot, shard: ShardId },
    ForeignSlot { slot: Slot, shard: ShardId },
    MovingSlot { slot: Slot, job: JobId },
    BadVoters(String),
    SameShard(ShardId),
    EmptyShard(ShardId),
    KnownJob(JobId),
    UnknownJob(JobId),
    BadStep { job: JobId, phase: Phase, step: Step },
    UndecidedJob(JobId),
    OtherFunctions { version: u64 },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyFormed => f.write_str("the cluster is formed already"),
            Self::NotFormed => f.write_str("the cluster is not formed yet"),
            Self::BadPlan(problem) | Self::BadVoters(problem) => f.write_str(problem),
            Self::BadAddress(problem) => problem.fmt(f),
            Self::UnknownNode(node) => write!(f, "node {node} is not known"),
            Self::UnknownShard(shard) => write!(f, "shard {shard} is not known"),
            Self::KnownNode(node) => write!(f, "node {node} is in the cluster already"),
            Self::SameRaftId(one, other) => {
                write!(f, "nodes {one} and {other} start with the same 16 digits")
            }
            Self::KnownShard(shard) => write!(f, "shard {shard} is in the cluster already"),
            Self::TooManyShards => f.write_str("the cluster has as many shards as slots"),
            Self::FullShard(shard) => write!(f, "shard {shard} has no room for another member"),
            Self::NotAMember { node, shard } => {
                write!(f, "node {node} is not a member of shard {shard}")
            }
            Self::SecondLeader { shard, term, leader } => {
                write!(f, "node {leader} leads shard {shard} in term {term}")
            }
            Self::LastMember { node, shard } => {
                write!(f, "node {node} is the last member of shard {shard}, which owns slots")
            }
            Self::LastVoter(node) => {
                write!(f, "node {node} is the only voter of the topology: choose others first")
            }
            Self::BusyShard(shard) => {
                write!(f, "shard {shard} still has members, slots or a migration")
            }
            Self::NoSlots => f.write_str("no slots are given"),
            Self::RepeatedSlots => f.write_str("slots are given more than once"),
            Self::OwnedSlot { slot, shard } => write!(f, "slot {slot} is owned by shard {shard}"),
            Self::ForeignSlot { slot, shard } => {
                write!(f, "slot {slot} is not owned by shard {shard}")
            }
            Self::MovingSlot { slot, job } => write!(f, "slot {slot} is part of migration {job}"),
            Self::SameShard(shard) => write!(f, "shard {shard} is both source and target"),
            Self::EmptyShard(shard) => write!(f, "shard {shard} has no members"),
            Self::KnownJob(job) => write!(f, "migration {job} exists and is another one"),
            Self::UnknownJob(job) => write!(f, "migration {job} is not known"),
            Self::BadStep { job, phase, step } => {
                write!(f, "migration {job} is {phase} and cannot {step}")
            }
            Self::OtherFunctions { version } => {
                write!(f, "the functions have number {version} now")
            }
            Self::UndecidedJob(job) => write!(f, "migration {job} has no outcome yet"),
        }
    }
}

impl core::error::Error for Refusal {}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Seal => "be sealed",
            Self::Ready => "be ready",
            Self::Move => "be moved",
            Self::Cancel => "be cancelled",
        })
    }
}
