//! Several nodes that form a cluster.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::process::Command;

use quoris_resp::Reply;

use crate::node::Node;
use crate::wire::{ask, text};
use crate::{binaries, wait};

/// A cluster, formed by `cluster-cli create`.
#[derive(Debug)]
pub struct Cluster {
    /// Its nodes, in the order in which they were named to `create`.
    pub nodes: Vec<Node>,
    shards: usize,
}

impl Cluster {
    /// Starts the nodes and forms the cluster.
    pub fn start(shards: usize, nodes_per_shard: usize, arguments: &[&str]) -> Cluster {
        let nodes = (0..shards * nodes_per_shard).map(|_| Node::start(arguments)).collect();
        Cluster::form(shards, nodes)
    }

    /// Forms a cluster of nodes that have been started and are empty.
    pub fn form(shards: usize, nodes: Vec<Node>) -> Cluster {
        let nodes_per_shard = nodes.len() / shards;
        let cluster = Cluster { nodes, shards };
        let mut create = Command::new(binaries::cli());
        create.args(["create", "--yes", "--replicas", &(nodes_per_shard - 1).to_string()]);
        create.args(cluster.addresses().iter().map(SocketAddr::to_string));
        let output = create.output().expect("cluster-cli was built");
        assert!(output.status.success(), "create: {}", String::from_utf8_lossy(&output.stderr));
        cluster.wait_until_whole();
        cluster
    }

    /// Where its nodes listen.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(Node::address).collect()
    }

    /// Waits until every running node says that the cluster is fine, and every shard has a leader
    /// that every other node follows or redirects to.
    pub fn wait_until_whole(&self) {
        for node in self.nodes.iter().filter(|node| node.pid().is_some()) {
            wait::until("the cluster is fine", || {
                let info = text(&ask(node.address(), "CLUSTER INFO").ok()?);
                info.contains("cluster_state:ok").then_some(())
            });
        }
        wait::until("every shard has a leader", || {
            (self.leaders().len() == self.shards).then_some(())
        });
        wait::until("all nodes have heard of them", || self.is_known_to_all().then_some(()));
    }

    /// Whether all running nodes tell the same: who leads, and that the other running nodes are
    /// well.
    fn is_known_to_all(&self) -> bool {
        let mut leaders: Vec<_> = self.leaders().iter().map(|at| self.port(*at)).collect();
        let mut running: Vec<_> = (0..self.nodes.len())
            .filter(|at| self.nodes[*at].pid().is_some())
            .map(|at| self.port(at))
            .collect();
        leaders.sort_unstable();
        running.sort_unstable();
        self.nodes.iter().filter(|node| node.pid().is_some()).all(|node| {
            let told = ranges(node.address());
            let mut first: Vec<_> = told.iter().map(|(_, ports)| ports[0]).collect();
            let mut all: Vec<_> = told.into_iter().flat_map(|(_, ports)| ports).collect();
            first.sort_unstable();
            all.sort_unstable();
            let shards = ask(node.address(), "CLUSTER SHARDS").map(|reply| format!("{reply:?}"));
            let loading = format!("{:?}", Reply::Bulk(b"loading".to_vec()));
            first == leaders && all == running && shards.is_ok_and(|it| !it.contains(&loading))
        })
    }

    fn port(&self, node: usize) -> i64 {
        self.nodes[node].address().port().into()
    }

    /// The nodes that lead a shard just now, by index.
    pub fn leaders(&self) -> Vec<usize> {
        let leads = |node: &Node| {
            let role = ask(node.address(), "ROLE").ok();
            matches!(role, Some(Reply::Array(parts)) if text(&parts[0]) == "master")
        };
        (0..self.nodes.len()).filter(|at| leads(&self.nodes[*at])).collect()
    }

    /// The node that leads the shard of `key`: the one that answers for it.
    pub fn leader_of(&self, key: &str) -> usize {
        wait::until("somebody leads the key's shard", || {
            (0..self.nodes.len()).find(|at| {
                let reply = ask(self.nodes[*at].address(), &format!("GET {key}"));
                matches!(reply, Ok(Reply::Null | Reply::Bulk(_)))
            })
        })
    }
    /// The nodes of the shard of `key`, as its leader lists them: the leader first.
    pub fn members_of(&self, key: &str) -> Vec<usize> {
        let leader = self.nodes[self.leader_of(key)].address();
        let slot = ask(leader, &format!("CLUSTER KEYSLOT {key}")).expect("a leader answers");
        let slot = slot.as_integer().expect("a slot is a number");
        let owner = ranges(leader).into_iter().find(|(range, _)| range.contains(&slot));
        let (_, ports) = owner.expect("every slot has an owner");
        let at = |port: i64| {
            let has_it = |at: &usize| self.port(*at) == port;
            (0..self.nodes.len()).find(has_it).expect("the port of one of the nodes")
        };
        ports.into_iter().map(at).collect()
    }

    /// The followers of the shard of `key`.
    pub fn followers_of(&self, key: &str) -> Vec<usize> {
        let leader = self.leader_of(key);
        self.members_of(key).into_iter().filter(|member| *member != leader).collect()
    }
}

/// `CLUSTER SLOTS`: ranges of slots with the ports of their nodes, the leader's first. Nothing if
/// the node does not answer.
fn ranges(node: SocketAddr) -> Vec<(RangeInclusive<i64>, Vec<i64>)> {
    let number = |reply: &Reply| reply.as_integer().expect("slots and ports are numbers");
    let port = |member: &Reply| number(&member.as_slice().expect("it has address and port")[1]);
    let Ok(reply) = ask(node, "CLUSTER SLOTS") else { return Vec::new() };
    let entries = reply.as_slice().unwrap_or_default().iter().filter_map(Reply::as_slice);
    entries
        .map(|it| (number(&it[0])..=number(&it[1]), it[2..].iter().map(port).collect()))
        .collect()
}
