//! The answers of `CLUSTER …` that clients parse, byte for byte as Redis 7.0
//! prints them.
//!
//! Everything here is a pure function of a [`View`]: the replicated topology
//! together with the few facts that only the answering node has, which are who
//! it is, whom it can reach, and what it was told to call others. This crate
//! knows no RESP: what is an array or a map in the protocol is a plain
//! structure here, with the names and the order of its fields fixed.
//!
//! Where Quoris has no such thing as Redis does, it answers with what a healthy
//! Redis would: `ping-sent` is 0 for a peer that answers, slots that move are
//! not marked `[slot->-node]`, because moving is atomic and a client must not
//! be made to `ASK`.

mod info;
mod links;
mod nodes;
mod shards;
mod slots;
#[cfg(test)]
mod tests;

use alloc::string::String;

pub use info::{InfoFacts, MessageCount};
pub use links::{Direction, Link};
pub use nodes::NotAMaster;
pub use shards::{ShardEntry, ShardNode};
pub use slots::{SlotsEntry, SlotsNode};

use crate::id::NodeId;
use crate::leaders::LeaderHints;
use crate::node::{EndpointType, Node};
use crate::topology::{Shard, Topology};

/// What the answering node thinks of a peer's life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Liveness {
    /// It answers.
    #[default]
    Alive,
    /// It has not answered for a while (`fail?`).
    Suspected,
    /// It has not answered for longer than `cluster-node-timeout` (`fail`).
    Failed,
}

/// What the answering node knows about a peer, or itself, from the bus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Health {
    /// Whether it answers.
    pub liveness: Liveness,
    /// Whether there is a connection to it. Ignored for the node itself.
    pub is_connected: bool,
    /// When the oldest unanswered ping was sent, in Unix milliseconds; 0 if
    /// none is outstanding.
    pub ping_sent_ms: u64,
    /// When it last answered, in Unix milliseconds; 0 if it never did.
    pub pong_received_ms: u64,
    /// How far its log is applied; 0 if it has nothing yet.
    pub offset: u64,
}

/// The topology as one node shows it to one kind of client.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The replicated record.
    pub topology: &'a Topology,
    /// What was heard about leaders since.
    pub hints: &'a LeaderHints,
    /// The answering node.
    pub myself: NodeId,
    /// `cluster-preferred-endpoint-type`.
    pub preferred: EndpointType,
    /// Whether the client came with TLS, and so is told of TLS ports.
    pub tls: bool,
    /// What the answering node knows about each node.
    pub health: &'a dyn Fn(NodeId) -> Health,
}

/// A value in a list of named fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// A bulk string.
    Text(String),
    /// An integer.
    Integer(u64),
}

impl<'a> View<'a> {
    fn health_of(&self, node: &Node) -> Health {
        (self.health)(node.id)
    }

    /// Who is shown as a shard's master. While no leader is known it is the
    /// last one or, before the first, the member that formed the group: clients
    /// insist on one, and it will point them on.
    fn master_of(&self, shard: &Shard) -> Option<&'a Node> {
        let leader = self.hints.leader_of(shard).or_else(|| shard.nominal_leader());
        self.topology.node(leader?)
    }

    fn is_master(&self, node: &Node) -> bool {
        let shard = self.topology.shard(node.shard);
        shard.and_then(|shard| self.master_of(shard)).is_some_and(|master| master.id == node.id)
    }

    /// The members of a shard except its master, in the order of joining.
    fn replicas_of(&self, shard: &'a Shard) -> impl Iterator<Item = &'a Node> {
        let master = self.master_of(shard).map(|master| master.id);
        let others = shard.members.iter().filter(move |member| Some(**member) != master);
        others.filter_map(|member| self.topology.node(*member))
    }
}
