//! Who leads what, from three sources: this node's own shard group, what other
//! leaders announce, and the topology, which all of it ends up in.
//!
//! A new leader tells everybody at once, because clients wait; and it proposes
//! [`Change::SetLeader`] until that is recorded, because whoever was not there
//! to hear must learn it too. Either may arrive late: every account carries the
//! term, and an older one is ignored.

use std::rc::Rc;
use std::time::Duration;

use quoris_consensus::{Announcement, GroupHandle, Role, Standing};
use quoris_topology::{Change, NodeId, ShardId, Term};
use tokio::time::timeout;

use super::{Cluster, Turn};

/// A node that has not heard an announcement by then learns it from a ping.
const PATIENCE: Duration = Duration::from_secs(1);

/// Follows the shard's own group for as long as the node runs.
pub(super) async fn follow_shard(cluster: Rc<Cluster>, group: GroupHandle) {
    let mut standings = group.watch();
    let mut announced = None;
    loop {
        let standing = standings.borrow_and_update().clone();
        cluster.note_standing(&standing);
        if standing.is_ready && announced != Some(standing.term) {
            announced = Some(standing.term);
            let announcing = Rc::clone(&cluster).announce(group.clone(), standing.term);
            cluster.tasks.spawn(announcing);
        }
        if standings.changed().await.is_err() {
            return;
        }
    }
}

impl Cluster {
    /// What this node's own shard group says. A leader that is only just elected
    /// counts: its clients wait for the moment that it takes to get ready.
    fn note_standing(&self, standing: &Standing) {
        let shard = self.formation().shard().id;
        let term = Term(standing.term);
        let leader = match standing.role {
            Role::Leader => Some(self.formation().me()),
            _ => standing.leader.and_then(|leader| self.node_id(leader)),
        };
        match leader {
            Some(leader) => self.note_leader(shard, leader, term),
            None => self.hint(|hints| hints.lost(shard, term)),
        }
    }

    /// Somebody says that `leader` leads `shard` since `term`.
    pub(super) fn note_leader(&self, shard: ShardId, leader: NodeId, term: Term) {
        self.hint(|hints| hints.note(shard, leader, term));
    }

    /// Tells everybody that this node leads its shard since `term`.
    async fn announce(self: Rc<Self>, group: GroupHandle, term: u64) {
        let shard = self.formation().shard().id;
        let me = self.formation().me();
        for node in self.others() {
            let shard = group.group().clone();
            let news = Announcement { shard, leader: me.raft_id(), term };
            let cluster = Rc::clone(&self);
            self.tasks.spawn(async move {
                let cluster_id = cluster.cluster_id();
                let told = cluster.peers().announce(node.raft_id(), &cluster_id, news);
                if let Ok(Err(error)) = timeout(PATIENCE, told).await {
                    tracing::debug!("announce leadership to node {node}: {error}");
                }
            });
        }
        let change = Change::SetLeader { shard, node: me, term: Term(term) };
        let is_wanted = || group.is_leader() && group.term() == term;
        self.insist(&change, is_wanted).await;
    }

    /// A peer announces a leader. Nodes and shards that are not known yet are
    /// ignored: the topology will tell.
    pub(super) fn heard(&self, announcement: &Announcement) {
        let Announcement { shard, leader, term } = announcement;
        if let (Ok(shard), Some(leader)) = (shard.0.parse(), self.node_id(*leader)) {
            self.note_leader(shard, leader, Term(*term));
        }
    }

    fn hint(&self, change: impl FnOnce(&mut quoris_topology::LeaderHints) -> bool) {
        let is_news = change(&mut self.hints.borrow_mut());
        if is_news {
            self.turn(Turn::Leaders);
        }
    }
}
