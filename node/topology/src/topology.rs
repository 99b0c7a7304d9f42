//! What a node knows about its cluster: the replicated record itself.
//!
//! Invariants, asserted whenever a record is decoded: a node is a member of
//! exactly the shard that it names; every owner in the slot map is a shard of
//! the list; a leader is a member; no slot takes part in two jobs; no shard
//! has functions that are not recorded yet.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::functions::Functions;
use crate::id::{ClusterId, Epoch, NodeId, ShardId, Term};
use crate::migration::Migration;
use crate::node::Node;
use crate::plan::Plan;
use crate::slot::{Slot, SlotMap, SlotRange};

/// How many finished jobs are remembered.
pub const FINISHED_JOBS_MAX: usize = 64;

/// One shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Its name.
    pub id: ShardId,
    /// Its nodes, in the order in which they joined.
    pub members: Vec<NodeId>,
    /// The last leader that announced itself, if it is still a member.
    pub leader: Option<NodeId>,
    /// The highest term in which a leader announced itself.
    pub term: Term,
    /// The cluster's epoch when this shard's leader or slots last changed.
    pub config_epoch: Epoch,
    /// The number of the record of [functions](Topology::functions) that it has; 0 for none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub function_version: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "it is what the serializer passes")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Shard {
    /// Who is shown as the master: the leader or, before there has been one,
    /// the member that forms the group and is likely to lead it.
    pub fn nominal_leader(&self) -> Option<NodeId> {
        self.leader.or_else(|| self.members.first().copied())
    }
}

/// The state of the topology group: everything that all nodes agree on.
///
/// Changed by [`Topology::apply`] only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    pub(crate) cluster: Option<ClusterId>,
    pub(crate) epoch: Epoch,
    pub(crate) nodes: BTreeMap<NodeId, Node>,
    pub(crate) shards: Vec<Shard>,
    pub(crate) slots: SlotMap,
    pub(crate) voters: Vec<NodeId>,
    pub(crate) migrations: Vec<Migration>,
    pub(crate) finished: Vec<Migration>,
    pub(crate) functions: Option<Arc<Functions>>,
}

impl Default for Topology {
    fn default() -> Self {
        Self::unformed()
    }
}

impl Topology {
    /// Before the first change: no cluster, no nodes, no owners.
    pub fn unformed() -> Self {
        Self {
            cluster: None,
            epoch: Epoch(0),
            nodes: BTreeMap::new(),
            shards: Vec::new(),
            slots: SlotMap::empty(),
            voters: Vec::new(),
            migrations: Vec::new(),
            finished: Vec::new(),
            functions: None,
        }
    }

    /// What a valid plan describes. The shards get the epochs from 1 on, as
    /// the masters of a new Redis Cluster do.
    pub fn of_plan(plan: &Plan) -> Self {
        let mut topology = Self::unformed();
        topology.cluster = Some(plan.cluster_id);
        topology.epoch = Epoch(plan.shards.len() as u64);
        topology.nodes = plan.nodes.iter().map(|node| (node.id, node.clone())).collect();
        topology.voters.clone_from(&plan.topology_voters);
        for (place, shard) in plan.shards.iter().enumerate() {
            topology.shards.push(Shard {
                id: shard.id,
                members: shard.members.clone(),
                leader: None,
                term: Term(0),
                config_epoch: Epoch(place as u64 + 1),
                function_version: 0,
            });
            for slot in shard.slots.iter().flat_map(|range| range.slots()) {
                topology.slots.set(slot, Some(place));
            }
        }
        topology
    }

    /// The cluster, once there is one.
    pub fn cluster_id(&self) -> Option<ClusterId> {
        self.cluster
    }

    /// Counts the changes that clients could notice.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// All nodes, by id.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = &Node> {
        self.nodes.values()
    }

    /// The node of this id.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(&id)
    }

    /// The node that Raft knows by this number.
    pub fn node_by_raft_id(&self, raft_id: u64) -> Option<&Node> {
        let (_, node) = self.nodes.range(NodeId::first_with_raft_id(raft_id)..).next()?;
        (node.id.raft_id() == raft_id).then_some(node)
    }

    /// All shards, in the order in which they joined.
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// The shard of this id.
    pub fn shard(&self, id: ShardId) -> Option<&Shard> {
        self.shards.iter().find(|shard| shard.id == id)
    }

    /// The shard that this node is a member of.
    pub fn home_of(&self, node: NodeId) -> Option<&Shard> {
        self.shard(self.node(node)?.shard)
    }

    /// The shard that owns a slot, in constant time.
    pub fn shard_of(&self, slot: Slot) -> Option<&Shard> {
        self.slots.owner(slot).map(|place| &self.shards[place])
    }

    /// Which shard owns which slots, as ranges in order of slots; unowned
    /// slots are left out. Walks the whole map.
    pub fn slot_ranges(&self) -> impl Iterator<Item = (SlotRange, &Shard)> {
        self.slots.ranges().into_iter().map(|(range, place)| (range, &self.shards[place]))
    }

    /// The slots of one shard. Walks the whole map.
    pub fn slots_of(&self, shard: ShardId) -> Vec<SlotRange> {
        let owned = self.slot_ranges().filter(|(_, owner)| owner.id == shard);
        owned.map(|(range, _)| range).collect()
    }

    /// How many slots have an owner.
    pub fn assigned_slot_count(&self) -> u16 {
        self.slots.assigned_count()
    }

    /// The nodes that are meant to vote in the topology group.
    pub fn voters(&self) -> &[NodeId] {
        &self.voters
    }

    /// The jobs that are not settled, oldest first.
    pub fn migrations(&self) -> &[Migration] {
        &self.migrations
    }

    /// The last [`FINISHED_JOBS_MAX`] jobs that are, oldest first.
    pub fn finished_migrations(&self) -> &[Migration] {
        &self.finished
    }

    /// The libraries that all shards are to have, once somebody has changed them.
    pub fn functions(&self) -> Option<&Functions> {
        self.functions.as_deref()
    }

    /// The number of that record; 0 for none.
    pub fn function_version(&self) -> u64 {
        self.functions().map_or(0, |functions| functions.version)
    }

    /// The job that a slot takes part in.
    pub fn migration_of(&self, slot: Slot) -> Option<&Migration> {
        self.migrations.iter().find(|job| job.slots.iter().any(|range| range.contains(slot)))
    }
}
