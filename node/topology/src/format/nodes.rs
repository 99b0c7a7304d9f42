//! `CLUSTER NODES`, and `CLUSTER REPLICAS`, which gives some of its lines.
//!
//! ```text
//! <id> <host>:<port>@<bus port>[,<hostname>] <flags> <master id or ->
//!      <ping-sent> <pong-received> <config epoch> connected|disconnected
//!      <slots> <slots> …
//! ```

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use super::{Liveness, View};
use crate::id::{NodeId, ShardId};
use crate::node::Node;
use crate::slot::SlotRange;

/// Why there are no replicas to list; shown as the text behind `ERR `.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAMaster {
    /// The argument names no node.
    Unknown(String),
    /// The node is a replica itself.
    Replica,
}

impl fmt::Display for NotAMaster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(argument) => write!(f, "Unknown node {argument}"),
            Self::Replica => f.write_str("The specified node is not a master"),
        }
    }
}

impl core::error::Error for NotAMaster {}

impl View<'_> {
    /// The text of `CLUSTER NODES`: a line for each node, each with its `\n`.
    pub fn nodes(&self) -> String {
        let mut slots: BTreeMap<ShardId, Vec<SlotRange>> = BTreeMap::new();
        for (range, shard) in self.topology.slot_ranges() {
            slots.entry(shard.id).or_default().push(range);
        }
        let mut text = String::new();
        for node in self.topology.nodes() {
            let owned = if self.is_master(node) { slots.get(&node.shard) } else { None };
            self.write_line(&mut text, node, owned.map_or(&[], Vec::as_slice));
            text.push('\n');
        }
        text
    }

    /// The lines of `CLUSTER REPLICAS <argument>`, without their ends.
    ///
    /// # Errors
    /// If the argument is not the id of a master.
    pub fn replicas(&self, argument: &str) -> Result<Vec<String>, NotAMaster> {
        let id: Option<NodeId> = argument.parse().ok();
        let node = id
            .and_then(|id| self.topology.node(id))
            .ok_or_else(|| NotAMaster::Unknown(argument.into()))?;
        let shard = self.topology.shard(node.shard).filter(|_| self.is_master(node));
        let shard = shard.ok_or(NotAMaster::Replica)?;
        let lines = self.replicas_of(shard).map(|replica| {
            let mut line = String::new();
            self.write_line(&mut line, replica, &[]);
            line
        });
        Ok(lines.collect())
    }

    fn write_line(&self, text: &mut String, node: &Node, slots: &[SlotRange]) {
        let done = self.try_write_line(text, node, slots);
        done.expect("a String takes all that is written to it");
    }

    fn try_write_line(&self, text: &mut String, node: &Node, slots: &[SlotRange]) -> fmt::Result {
        let health = self.health_of(node);
        let port = node.client_port(self.tls);
        write!(text, "{} {}:{port}@{}", node.id, node.host, node.bus_port)?;
        if let Some(hostname) = node.announced_hostname() {
            write!(text, ",{hostname}")?;
        }
        text.push(' ');
        self.push_flags(text, node, health.liveness);
        let shard = self.topology.shard(node.shard);
        match shard.and_then(|shard| self.master_of(shard)).filter(|master| master.id != node.id) {
            Some(master) => write!(text, " {}", master.id)?,
            None => text.push_str(" -"),
        }
        let epoch = shard.map(|shard| shard.config_epoch).unwrap_or_default();
        let is_linked = node.id == self.myself || health.is_connected;
        let link = if is_linked { "connected" } else { "disconnected" };
        write!(text, " {} {} {epoch} {link}", health.ping_sent_ms, health.pong_received_ms)?;
        slots.iter().try_for_each(|range| write!(text, " {range}"))
    }

    fn push_flags(&self, text: &mut String, node: &Node, liveness: Liveness) {
        if node.id == self.myself {
            text.push_str("myself,");
        }
        text.push_str(if self.is_master(node) { "master" } else { "slave" });
        text.push_str(match liveness {
            Liveness::Alive => "",
            Liveness::Suspected => ",fail?",
            Liveness::Failed => ",fail",
        });
        if node.host.is_empty() && node.id != self.myself {
            text.push_str(",noaddr");
        }
    }
}
