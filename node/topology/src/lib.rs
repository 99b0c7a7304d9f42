//! What every node of a cluster agrees on: who is in it, where each node is
//! reached, which shard owns which slots, and who leads each shard.
//!
//! # The record
//!
//! A [`Topology`] is the state machine of the *topology group*, a small Raft
//! group beside the shards' own. Its entries are [`Change`]s, and
//! [`Topology::apply`] is a function of the record and the change alone, so all
//! nodes hold the same record at the same index. Up to five nodes vote in that
//! group and all others learn, so every node can answer `MOVED` and `CLUSTER …`
//! from its own copy, even in a minority.
//!
//! That copy may be old, and nothing here pretends otherwise. It is good enough
//! to send a client somewhere, since a client that was sent wrongly is sent on;
//! it is never good enough to *serve* a slot, for which a shard asks its own
//! log. Two further consequences: identity is an id and never an address, so a
//! node that comes back elsewhere is the same node; and leaders are recorded
//! with their term, so an announcement that arrives late is recognised as old.
//!
//! # A cluster's life
//!
//! A fresh node is a complete cluster: [`Plan::alone`] describes it, one shard
//! of one node with all slots. `cluster-cli create` makes a [`Plan`] out of
//! several such nodes with [`Plan::new`] and sends it to each. There it becomes
//! the first entry of a new topology group, [`Change::form`]. From then on
//! nodes announce their addresses ([`Change::SetAddress`]) and leaders
//! themselves ([`Change::SetLeader`]), nodes and shards come and go, and slots
//! move as the [`migration`] page tells. Each change that a client could notice
//! advances the [`Epoch`]; a shard carries the epoch of its own last change,
//! which is what Redis calls its config epoch.
//!
//! Because a failover must not wait for two Raft groups in a row, leaders are
//! also announced directly; such news is kept apart from the record, in
//! [`LeaderHints`], and weighed against it by term.
//!
//! # What is read from it
//!
//! - [`Routing::decide`]: where the command for a slot goes, on the hot path.
//! - [`View`]: the texts and structures of `CLUSTER NODES`, `SLOTS`, `SHARDS`,
//!   `INFO`, `REPLICAS` and `LINKS`, to the byte as clients expect them.
//! - [`Topology::node_by_raft_id`]: the address book of the bus.
//!
//! # What is absent
//!
//! No clock, no randomness, no file and no socket: ids are drawn and times are
//! read by whoever calls, which `#![no_std]` makes hard to forget. No RESP
//! either; the server writes what is returned here. And nobody here moves any
//! data.

#![no_std]

extern crate alloc;

mod apply;
mod change;
pub mod codec;
pub mod format;
mod functions;
mod id;
mod leaders;
pub mod migration;
mod node;
mod plan;
mod routing;
mod slot;
#[cfg(test)]
mod tests;
mod topology;

pub use change::{Change, Outcome, Refusal};
pub use codec::DecodeError;
pub use format::View;
pub use functions::{Functions, Source};
pub use id::{BadId, ClusterId, Epoch, JobId, NodeId, ShardId, Term};
pub use leaders::LeaderHints;
pub use migration::Migration;
pub use node::{Address, BadAddress, BadEndpointType, EndpointType, Node};
pub use plan::{
    Plan, PlanError, PlanOptions, PlanWarning, PlannedShard, SHARD_MEMBERS_MAX, Secret,
    TOPOLOGY_VOTERS_MAX, choose_voters, even_slots,
};
pub use routing::{Down, Moved, Route, Routing};
pub use slot::{BadSlot, SLOT_COUNT, Slot, SlotRange, key_slot};
pub use topology::{FINISHED_JOBS_MAX, Shard, Topology};
