//! `CLUSTER SHARDS`: every shard with its slots and all its nodes.
//!
//! In the protocol a shard is the map `{slots: [start, end, start, end…],
//! nodes: [node…]}` and a node is the map that [`ShardNode::fields`] lists.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::{Field, Liveness, View};
use crate::id::NodeId;
use crate::node::Node;
use crate::slot::SlotRange;

/// One shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardEntry<'a> {
    /// Its slots; empty if it owns none.
    pub slots: Vec<SlotRange>,
    /// Its nodes, the master in front.
    pub nodes: Vec<ShardNode<'a>>,
}

/// One node of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardNode<'a> {
    /// Who it is.
    pub id: NodeId,
    /// Port without TLS, 0 if it has none.
    pub port: u16,
    /// Port with TLS, 0 if it has none.
    pub tls_port: u16,
    /// Where peers reach it.
    pub ip: &'a str,
    /// What a client is to connect to.
    pub endpoint: &'a str,
    /// What it announces.
    pub hostname: Option<&'a str>,
    /// `master` or `replica`.
    pub role: &'static str,
    /// How far its log is applied.
    pub offset: u64,
    /// `online`, `loading` or `fail`.
    pub health: &'static str,
}

impl ShardNode<'_> {
    /// The map in the protocol; ports that there are none of are left out.
    pub fn fields(&self) -> Vec<(&'static str, Field)> {
        let text = |value: &str| Field::Text(value.into());
        let mut fields = Vec::from([("id", Field::Text(self.id.to_string()))]);
        for (name, port) in [("port", self.port), ("tls-port", self.tls_port)] {
            if port != 0 {
                fields.push((name, Field::Integer(port.into())));
            }
        }
        fields.push(("ip", text(self.ip)));
        fields.push(("endpoint", text(self.endpoint)));
        fields.extend(self.hostname.map(|hostname| ("hostname", text(hostname))));
        fields.push(("role", text(self.role)));
        fields.push(("replication-offset", Field::Integer(self.offset)));
        fields.push(("health", text(self.health)));
        fields
    }
}

impl<'a> View<'a> {
    /// The shards of `CLUSTER SHARDS`, in the order in which they joined.
    pub fn shards(&self) -> Vec<ShardEntry<'a>> {
        let ranges: Vec<_> = self.topology.slot_ranges().collect();
        let entries = self.topology.shards().iter().map(|shard| {
            let owned = ranges.iter().filter(|(_, owner)| owner.id == shard.id);
            let master = self.master_of(shard).map(|node| self.shard_node(node, "master"));
            let replicas = self.replicas_of(shard).map(|node| self.shard_node(node, "replica"));
            ShardEntry {
                slots: owned.map(|(range, _)| *range).collect(),
                nodes: master.into_iter().chain(replicas).collect(),
            }
        });
        entries.collect()
    }

    fn shard_node(&self, node: &'a Node, role: &'static str) -> ShardNode<'a> {
        let health = self.health_of(node);
        ShardNode {
            id: node.id,
            port: node.port,
            tls_port: node.tls_port,
            ip: &node.host,
            endpoint: node.endpoint(self.preferred),
            hostname: node.announced_hostname(),
            role,
            offset: health.offset,
            health: match health.liveness {
                Liveness::Failed => "fail",
                _ if role == "replica" && health.offset == 0 => "loading",
                _ => "online",
            },
        }
    }
}
