//! `CLUSTER SLOTS`: ranges with the nodes that serve them.
//!
//! In the protocol an entry is `[start, end, node, node…]` with the master in
//! front, and a node is `[endpoint or null, port, id, metadata]`, where the
//! metadata is a map of all that is known about where the node is and was not
//! said already.

use alloc::vec::Vec;

use super::{Liveness, View};
use crate::id::NodeId;
use crate::node::{EndpointType, Node};
use crate::slot::SlotRange;

/// One range of slots with its nodes, the master in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotsEntry<'a> {
    /// The slots.
    pub range: SlotRange,
    /// Who serves them.
    pub nodes: Vec<SlotsNode<'a>>,
}

/// One node of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotsNode<'a> {
    /// What to connect to; null in the protocol if there is none.
    pub endpoint: Option<&'a str>,
    /// The port for a client of this kind.
    pub port: u16,
    /// Who it is.
    pub id: NodeId,
    /// `ip` and `hostname`, as far as they are not the endpoint.
    pub metadata: Vec<(&'static str, &'a str)>,
}

impl<'a> View<'a> {
    /// The entries of `CLUSTER SLOTS` in order of slots. Replicas that have
    /// failed or hold nothing yet are left out, as in Redis.
    pub fn slots(&self) -> Vec<SlotsEntry<'a>> {
        let entries = self.topology.slot_ranges().filter_map(|(range, shard)| {
            let master = self.master_of(shard)?;
            let replicas = self.replicas_of(shard).filter(|replica| self.can_serve(replica));
            let nodes = core::iter::once(master).chain(replicas);
            Some(SlotsEntry { range, nodes: nodes.map(|node| self.slots_node(node)).collect() })
        });
        entries.collect()
    }

    fn can_serve(&self, replica: &Node) -> bool {
        let health = self.health_of(replica);
        health.liveness != Liveness::Failed && health.offset != 0
    }

    fn slots_node(&self, node: &'a Node) -> SlotsNode<'a> {
        let endpoint = match self.preferred {
            EndpointType::UnknownEndpoint => None,
            preferred => Some(node.endpoint(preferred)),
        };
        let mut metadata = Vec::new();
        if self.preferred != EndpointType::Ip {
            metadata.push(("ip", node.host.as_str()));
        }
        if self.preferred != EndpointType::Hostname {
            metadata.extend(node.announced_hostname().map(|hostname| ("hostname", hostname)));
        }
        SlotsNode { endpoint, port: node.client_port(self.tls), id: node.id, metadata }
    }
}
