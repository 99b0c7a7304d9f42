//! Where a command for a slot is to be executed, as the topology has it.

use quoris_consensus::RaftId;
use quoris_engine::{CommandError, Slot};
use quoris_topology::{Routing, SLOT_COUNT};

use super::Cluster;
use crate::routes::{Route, Routes};

fn slot_of(slot: Slot) -> quoris_topology::Slot {
    quoris_topology::Slot::new(slot.number()).expect("both crates have the same slots")
}

impl Cluster {
    /// With `cluster-require-full-coverage`, one slot without an owner puts the
    /// whole cluster down. Counting them is too much for every request.
    pub(super) fn judge_coverage(&self) {
        let is_complete = self.topology.borrow().assigned_slot_count() == SLOT_COUNT;
        self.is_down.set(self.options().require_full_coverage && !is_complete);
    }
}

impl Routes for Cluster {
    fn is_single_shard(&self) -> bool {
        self.topology.borrow().shards().len() == 1
    }

    fn owns(&self, slot: Slot) -> bool {
        let topology = self.topology.borrow();
        let home = topology.node(self.formation.me()).map(|node| node.shard);
        let owner = topology.shard_of(slot_of(slot)).map(|shard| shard.id);
        owner.is_some() && owner == home && !self.is_down.get()
    }

    fn decide(&self, slot: Slot, leads: bool, readonly: bool) -> Route {
        let topology = self.topology.borrow();
        let hints = self.hints.borrow();
        let me = self.formation.me();
        let routing = Routing::new(&topology, &hints, me, self.options().preferred, false);
        match routing.down_if(self.is_down.get()).decide(slot_of(slot), leads, readonly) {
            quoris_topology::Route::Local => Route::Local,
            quoris_topology::Route::Moved(to) => {
                Route::Moved { host: to.host.to_owned(), port: to.port }
            }
            quoris_topology::Route::LeaderUnknown(_) => Route::LeaderUnknown,
            quoris_topology::Route::Down(down) => {
                Route::Refused(CommandError::text(down.to_string()))
            }
        }
    }

    fn client_address(&self, node: RaftId) -> Option<(String, u16)> {
        let topology = self.topology.borrow();
        let node = topology.node_by_raft_id(node)?;
        if node.id == self.formation.me() {
            return None;
        }
        Some((node.endpoint(self.options().preferred).to_owned(), node.client_port(false)))
    }
}
