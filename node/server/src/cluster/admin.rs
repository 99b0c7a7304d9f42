//! What this node does for its peers beside replication.

use std::rc::Rc;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use quoris_consensus::{Admin, Announcement, GroupHandle, GroupId, ProposeError, RaftId};

use super::Cluster;

/// The service, as the bus calls it.
pub struct ClusterAdmin(pub Rc<Cluster>);

impl Admin for ClusterAdmin {
    fn cluster_id(&self) -> String {
        self.0.cluster_id()
    }

    fn raft_id(&self) -> RaftId {
        self.0.raft_id()
    }

    fn propose(
        &self,
        group: GroupId,
        payload: Bytes,
    ) -> LocalBoxFuture<'static, Result<Bytes, ProposeError>> {
        let cluster = Rc::clone(&self.0);
        async move {
            if group != GroupId::topology() {
                return Err(ProposeError::Refused("only the topology takes proposals".into()));
            }
            cluster.propose_here(payload).await
        }
        .boxed_local()
    }

    fn announce(&self, announcement: Announcement) {
        self.0.heard(&announcement);
    }

    fn ping(&self, from: RaftId, news: Bytes) -> Bytes {
        self.0.asked(from, &news)
    }

    fn hand_over(&self, group: GroupId, to: RaftId) -> LocalBoxFuture<'static, Result<(), String>> {
        let shard = self.0.shard_group().filter(|shard| *shard.group() == group);
        let cluster = Rc::clone(&self.0);
        async move {
            let shard = shard.ok_or_else(|| format!("group {group} is not on this node"))?;
            cluster.start_handing_over(&shard, to)
        }
        .boxed_local()
    }
}

impl Cluster {
    /// Begins to hand leadership over, if nothing speaks against it.
    fn start_handing_over(self: Rc<Self>, shard: &GroupHandle, to: RaftId) -> Result<(), String> {
        if !shard.is_leader() {
            return Err("this node does not lead the shard".to_owned());
        }
        if to == self.raft_id() || !shard.watch().borrow().voters.contains(&to) {
            return Err(format!("{to:016x} is not another voter of the shard"));
        }
        let shard = shard.clone();
        self.tasks.spawn(async move {
            if let Err(error) = shard.transfer_leader(to).await {
                tracing::warn!("hand leadership over to {to:016x}: {error}");
            }
        });
        Ok(())
    }
}
