//! Where a command for a slot is to be executed.
//!
//! Invariant: a node never redirects a client to itself. A client would follow
//! that for ever, and it is what a node would do that has just lost, or not yet
//! noticed, its own leadership; the answer then is that the leader is unknown.
//!
//! What is decided here is where the *topology* sends a command. Whether this
//! shard owns the slot, has sealed it or is still staging it is for the shard's
//! own log to say; see [`migration`](crate::migration).

use core::fmt;

use crate::id::{NodeId, ShardId};
use crate::leaders::LeaderHints;
use crate::node::{EndpointType, Node};
use crate::slot::Slot;
use crate::topology::{Shard, Topology};

/// What to do with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route<'a> {
    /// Execute it here.
    Local,
    /// Answer with this redirection: `-` and its text.
    Moved(Moved<'a>),
    /// The shard that owns the slot has no leader that we know of: let the
    /// command wait a little, then answer with a retryable error.
    LeaderUnknown(ShardId),
    /// Answer with this error: `-` and its text.
    Down(Down),
}

/// A redirection; shown as its error text, `MOVED 12182 127.0.0.1:7002`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved<'a> {
    /// The slot asked for.
    pub slot: Slot,
    /// The host as the client is to be told, possibly `?` or empty.
    pub host: &'a str,
    /// The port for a client of this kind.
    pub port: u16,
}

impl fmt::Display for Moved<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MOVED {} {}:{}", self.slot, self.host, self.port)
    }
}

/// Why nobody can execute a command; shown as its error text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Down {
    /// No shard owns the slot.
    SlotNotServed,
    /// Some slot has no owner, and `cluster-require-full-coverage` is on.
    Cluster,
}

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SlotNotServed => "CLUSTERDOWN Hash slot not served",
            Self::Cluster => "CLUSTERDOWN The cluster is down",
        })
    }
}

/// Decides for one node and one kind of client; made once per turn of the loop.
#[derive(Debug, Clone, Copy)]
pub struct Routing<'a> {
    topology: &'a Topology,
    hints: &'a LeaderHints,
    myself: Option<&'a Node>,
    preferred: EndpointType,
    tls: bool,
    is_down: bool,
}

impl<'a> Routing<'a> {
    /// For the node `myself` and clients that came with or without TLS.
    pub fn new(
        topology: &'a Topology,
        hints: &'a LeaderHints,
        myself: NodeId,
        preferred: EndpointType,
        tls: bool,
    ) -> Self {
        let myself = topology.node(myself);
        Self { topology, hints, myself, preferred, tls, is_down: false }
    }

    /// With `cluster-require-full-coverage`: as long as `down` holds, because a
    /// slot has no owner, no command is executed at all.
    #[must_use]
    pub fn down_if(self, down: bool) -> Self {
        Self { is_down: down, ..self }
    }

    /// Where a command for `slot` goes. `i_am_leader`: this node leads its own
    /// shard. `readonly`: the connection has said `READONLY` *and* the command
    /// only reads.
    pub fn decide(&self, slot: Slot, i_am_leader: bool, readonly: bool) -> Route<'a> {
        let Some(owner) = self.topology.shard_of(slot) else {
            return Route::Down(Down::SlotNotServed);
        };
        if self.is_down {
            return Route::Down(Down::Cluster);
        }
        let is_mine = self.myself.is_some_and(|node| node.shard == owner.id);
        if is_mine && (i_am_leader || readonly) { Route::Local } else { self.redirect(slot, owner) }
    }

    fn redirect(&self, slot: Slot, owner: &Shard) -> Route<'a> {
        let leader = self.hints.leader_of(owner).and_then(|leader| self.topology.node(leader));
        match leader.filter(|leader| !self.is_myself(leader)) {
            Some(leader) => Route::Moved(Moved {
                slot,
                host: leader.endpoint(self.preferred),
                port: leader.client_port(self.tls),
            }),
            None => Route::LeaderUnknown(owner.id),
        }
    }

    /// By id, or by address: a peer that is recorded where this node is now has
    /// moved away and not said so yet.
    fn is_myself(&self, other: &Node) -> bool {
        self.myself.is_some_and(|myself| {
            let port = |node: &Node| node.client_port(self.tls);
            myself.id == other.id || (myself.host == other.host && port(myself) == port(other))
        })
    }
}
