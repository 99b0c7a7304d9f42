//! Founding the groups of a plan, and keeping the topology group's members.
//!
//! Who founds what is written in the plan, so that exactly one node does: the
//! first node founds the topology group with the planned voters, the first
//! member of each shard founds the shard with all of its members. A group
//! refuses to be founded twice, so every start tries again, and a crash in
//! between does no harm.
//!
//! Everything after that is the work of whoever leads the topology group. It
//! records the plan as the first change, and then compares, whenever one of the
//! two changes, the members of the group with what the topology says: all nodes
//! learn, and those that are meant to vote do.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use quoris_consensus::{GroupError, GroupHandle, RaftId};
use quoris_topology::{Change, NodeId, Topology};
use tokio::time::sleep;

use super::Cluster;

/// Between two attempts that failed.
const PAUSE: Duration = Duration::from_millis(250);

impl Cluster {
    /// Founds what it is up to this node to found.
    ///
    /// # Errors
    /// If a group's storage fails.
    pub(super) async fn found(&self, shard: &GroupHandle) -> Result<(), GroupError> {
        let plan = self.formation().plan();
        let me = self.formation().me();
        let members = &self.formation().shard().members;
        if members.first() == Some(&me) {
            found_group(shard, members).await?;
        }
        let topology = self.topology_group().expect("the group was started");
        if plan.nodes.first().is_some_and(|node| node.id == me) {
            found_group(&topology, &plan.topology_voters).await?;
        }
        Ok(())
    }
}

async fn found_group(group: &GroupHandle, voters: &[NodeId]) -> Result<(), GroupError> {
    let status = group.status();
    if status.last_index.is_some() || status.snapshot.is_some() {
        return Ok(());
    }
    let voters = voters.iter().map(NodeId::raft_id).collect();
    match group.initialize(voters).await {
        // It has a past after all.
        Err(GroupError::Refused(_)) | Ok(()) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Looks after the topology group for as long as the node runs.
pub(super) async fn keep_topology(cluster: Rc<Cluster>) {
    let Some(group) = cluster.topology_group() else { return };
    let mut standing = group.watch();
    let mut topology = cluster.changes();
    loop {
        topology.borrow_and_update();
        let is_ready = standing.borrow_and_update().is_ready;
        let done = !is_ready || keep(&cluster, &group).await;
        tokio::select! {
            changed = standing.changed() => if changed.is_err() { return },
            changed = topology.changed() => if changed.is_err() { return },
            () = sleep(PAUSE), if !done => {}
        }
    }
}

/// One step, or more. `false` if something failed that is worth another try.
async fn keep(cluster: &Cluster, group: &GroupHandle) -> bool {
    if !cluster.is_formed() {
        let form = Change::form(cluster.formation().plan());
        let formed = cluster.propose(&form).await;
        if let Err(error) = &formed {
            tracing::debug!("record the plan in the topology: {error}");
        }
        return formed.is_ok();
    }
    let members = wanted(&cluster.topology());
    let kept = reconcile(group, &members).await;
    if let Err(error) = &kept {
        tracing::debug!("change the members of the topology group: {error}");
    }
    kept.is_ok()
}

/// Who is to be in the group, and who of them is to vote.
#[derive(Debug, PartialEq, Eq)]
struct Members {
    all: BTreeSet<RaftId>,
    voters: BTreeSet<RaftId>,
}

fn wanted(topology: &Topology) -> Members {
    Members {
        all: topology.nodes().map(|node| node.id.raft_id()).collect(),
        voters: topology.voters().iter().map(NodeId::raft_id).collect(),
    }
}

async fn reconcile(group: &GroupHandle, wanted: &Members) -> Result<(), GroupError> {
    let standing = group.watch().borrow().clone();
    for node in &wanted.all {
        if !standing.voters.contains(node) && !standing.learners.contains(node) {
            group.add_learner(*node).await?;
        }
    }
    if !wanted.voters.is_empty() && standing.voters != wanted.voters {
        group.change_voters(wanted.voters.clone(), true).await?;
    }
    Ok(())
}
