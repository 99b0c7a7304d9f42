//! Several nodes that form a cluster.

use std::net::SocketAddr;
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
        let ranges = ask(leader, "CLUSTER SLOTS").expect("a leader answers");
        let ranges = ranges.as_slice().expect("slots come as ranges");
        let number = |reply: &Reply| reply.as_integer().expect("slots and ports are numbers");
        let mut owners = ranges.iter().filter_map(Reply::as_slice);
        let owner = owners.find(|range| (number(&range[0])..=number(&range[1])).contains(&slot));
        let members = owner.expect("every slot has an owner")[2..].iter().map(|member| {
            number(&member.as_slice().expect("a member has an address and a port")[1])
        });
        let at = |port| {
            let has_it = |node: &Node| i64::from(node.address().port()) == port;
            self.nodes.iter().position(has_it).expect("the port of one of the nodes")
        };
        members.map(at).collect()
    }

    /// The followers of the shard of `key`.
    pub fn followers_of(&self, key: &str) -> Vec<usize> {
        let leader = self.leader_of(key);
        self.members_of(key).into_iter().filter(|member| *member != leader).collect()
    }
}
