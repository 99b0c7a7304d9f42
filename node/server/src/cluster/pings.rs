//! A ping to every node once a second, and what goes with it.
//!
//! Both sides say where they are, how far their log is applied and, if they
//! lead, since which term. So whoever has moved or has been asleep is up to
//! date within a second, although nothing of this is needed for a cluster that
//! is at rest.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use quoris_consensus::{GroupHandle, RaftId};
use quoris_topology::{Address, Change, NodeId, Term};
use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::Cluster;
use super::formation::remember_local_address;

/// Between two pings to the same node.
const PERIOD: Duration = Duration::from_secs(1);

/// What a node says about itself. Fields may be added; a release that does not
/// know one skips it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct News {
    /// Where it is now.
    address: Address,
    /// How far its shard's log is applied here; 0 for nothing.
    applied: u64,
    /// Since which term it leads its shard, if it does.
    leads: Option<Term>,
}

/// Pings for as long as the node runs.
pub(super) async fn ping_all(cluster: Rc<Cluster>) {
    let mut rounds = interval(PERIOD);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        for node in cluster.others() {
            let now = cluster.now();
            if cluster.health.borrow_mut().ping(node, now) {
                cluster.tasks.spawn(ping(Rc::clone(&cluster), node));
            }
        }
    }
}

async fn ping(cluster: Rc<Cluster>, node: NodeId) {
    let news = cluster.news();
    let cluster_id = cluster.cluster_id();
    let answer = cluster.peers().exchange(cluster.raft_id(), node.raft_id(), &cluster_id, news);
    let answer = timeout(PERIOD, answer).await;
    let now = cluster.now();
    match answer {
        Ok(Ok(bytes)) => {
            let offset = cluster.learn(node, &bytes);
            cluster.health.borrow_mut().pong(node, offset, now);
        }
        Ok(Err(error)) => {
            tracing::debug!("ping node {node}: {error}");
            cluster.health.borrow_mut().silence(node, now);
        }
        Err(_) => cluster.health.borrow_mut().silence(node, now),
    }
}

/// Has the topology record where this node is, whenever it says otherwise.
pub(super) async fn keep_address(cluster: Rc<Cluster>) {
    let mut changes = cluster.changes();
    loop {
        changes.borrow_and_update();
        let me = cluster.formation().me();
        let address = cluster.address();
        let is_wrong = || {
            let topology = cluster.topology();
            cluster.is_formed() && topology.node(me).is_some_and(|node| node.address() != address)
        };
        if is_wrong() {
            let change = Change::SetAddress { node: me, address: address.clone() };
            cluster.insist(&change, is_wrong).await;
        }
        if cluster.is_formed() && !is_wrong() {
            cluster.is_recorded();
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

impl Cluster {
    /// A peer has sent a ping; the answer is this node's own news.
    pub(super) fn asked(&self, from: RaftId, news: &[u8]) -> Bytes {
        if let Some(node) = self.node_id(from) {
            let offset = self.learn(node, news);
            self.health.borrow_mut().asked(node, offset, self.now());
        }
        self.news()
    }

    /// The topology says where this node is.
    fn is_recorded(&self) {
        let local = self.options().address.to_address();
        let mut last = self.last_local.borrow_mut();
        if last.as_ref() == Some(&local) {
            return;
        }
        match remember_local_address(&*self.meta, &local) {
            Ok(()) => *last = Some(local),
            Err(error) => tracing::warn!("remember the address: {error}"),
        }
    }

    fn news(&self) -> Bytes {
        let shard = self.shard_group();
        let leads = shard.filter(GroupHandle::is_leader).map(|group| Term(group.term()));
        let news = News { address: self.address(), applied: self.offset(), leads };
        serde_json::to_vec(&news).expect("news has only strings for keys").into()
    }

    /// Takes in what a node says about itself; returns how far it is. Nothing
    /// can be learnt from what this release does not understand.
    fn learn(&self, node: NodeId, news: &[u8]) -> u64 {
        let Ok(News { address, applied, leads }) = serde_json::from_slice(news) else { return 0 };
        if address.check().is_ok() {
            self.addresses.hear(node.raft_id(), &address);
        }
        let shard = self.topology().node(node).map(|node| node.shard);
        if let (Some(shard), Some(term)) = (shard, leads) {
            self.note_leader(shard, node, term);
        }
        applied
    }
}
