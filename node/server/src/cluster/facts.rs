//! The few facts about the cluster that commands outside `CLUSTER` tell.

use quoris_consensus::GroupStatus;
use quoris_topology::format::{Health, Link, MessageCount};
use quoris_topology::{LeaderHints, NodeId, Topology, View};

use super::Cluster;

/// Whom a follower follows, as `ROLE` and `INFO replication` show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Primary {
    /// Where it is.
    pub host: String,
    /// The port that its clients use.
    pub port: u16,
    /// Whether it answers.
    pub is_connected: bool,
    /// How far this node has applied its log.
    pub offset: u64,
}

/// A follower of this node, as `ROLE` and `INFO replication` show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Who it is.
    pub id: NodeId,
    /// Where it is.
    pub host: String,
    /// The port that its clients use.
    pub port: u16,
    /// Whether it answers.
    pub is_connected: bool,
    /// How much of the log it is known to hold.
    pub offset: u64,
}

impl Cluster {
    /// `mode` of `HELLO` and `redis_mode` of `INFO`.
    pub fn mode(&self) -> &'static str {
        if self.options().is_enabled { "cluster" } else { "standalone" }
    }

    /// Whether this node leads its shard.
    pub fn leads(&self) -> bool {
        self.shard_group().is_some_and(|group| group.is_leader())
    }

    /// `role` of `HELLO`: clients know `master` and `replica`.
    pub fn role(&self) -> &'static str {
        if self.leads() { "master" } else { "replica" }
    }

    /// The section `Cluster` of `INFO`, without its title.
    pub fn info(&self) -> String {
        format!("cluster_enabled:{}\r\n", u8::from(self.options().is_enabled))
    }

    /// Whom this node follows; `None` if it leads, or knows no leader.
    pub fn primary(&self) -> Option<Primary> {
        let leader = self.leader().filter(|leader| *leader != self.formation.me())?;
        let health = self.health_of(leader);
        let topology = self.topology();
        let node = topology.node(leader)?;
        Some(Primary {
            host: node.host.clone(),
            port: node.client_port(false),
            is_connected: health.is_connected,
            offset: self.offset(),
        })
    }

    /// The other members of this node's shard, in the order of joining. Their
    /// offsets are exact on the leader, and otherwise what they last said.
    pub fn replicas(&self) -> Vec<Replica> {
        let topology = self.topology();
        let status = self.shard_group().map(|group| group.status());
        let members = topology.home_of(self.formation.me()).map(|shard| &shard.members);
        let others = members.into_iter().flatten().filter(|node| **node != self.formation.me());
        let replicas = others.filter_map(|id| {
            let node = topology.node(*id)?;
            let health = self.health_of(*id);
            Some(Replica {
                id: *id,
                host: node.host.clone(),
                port: node.client_port(false),
                is_connected: health.is_connected,
                offset: replicated(status.as_ref(), *id).unwrap_or(health.offset),
            })
        });
        replicas.collect()
    }

    /// Who leads this node's shard, as far as it knows.
    pub fn leader(&self) -> Option<NodeId> {
        if self.leads() {
            return Some(self.formation.me());
        }
        let topology = self.topology();
        let shard = topology.home_of(self.formation.me())?;
        self.hints.borrow().leader_of(shard)
    }

    /// What this node thinks of a node.
    pub(super) fn health_of(&self, node: NodeId) -> Health {
        let now = self.now();
        if node == self.formation.me() {
            return Health { is_connected: true, offset: self.offset(), ..Health::default() };
        }
        self.health.borrow().health(node, now.at, self.options().node_timeout)
    }

    /// The connections of the bus, as far as they are used for pings.
    pub(super) fn links(&self) -> Vec<Link> {
        self.health.borrow().links()
    }

    /// How many messages went over the bus, as far as they are counted.
    pub(super) fn messages(&self) -> [MessageCount; 2] {
        self.health.borrow().messages()
    }

    /// Asks the leader of this node's shard to make this node the leader.
    pub(super) async fn ask_to_hand_over(&self, leader: NodeId) -> std::io::Result<()> {
        let (cluster_id, group) = (self.cluster_id(), self.formation.shard_group());
        self.peers().hand_over(leader.raft_id(), &cluster_id, &group, self.raft_id()).await
    }

    /// The topology as this node shows it.
    pub(super) fn with_view<R>(&self, show: impl FnOnce(&View<'_>) -> R) -> R {
        let topology: &Topology = &self.topology();
        let hints: &LeaderHints = &self.hints.borrow();
        show(&View {
            topology,
            hints,
            myself: self.formation.me(),
            preferred: self.options().preferred,
            tls: false,
            health: &|node| self.health_of(node),
        })
    }
}

fn replicated(status: Option<&GroupStatus>, node: NodeId) -> Option<u64> {
    let held = status?.replicated.get(&node.raft_id())?;
    Some(held.map_or(0, |position| position.index + 1))
}
