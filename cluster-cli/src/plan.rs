//! The plan that `create` sends to every node: who is who, and who owns what.

use std::fmt::Write;

use rand::{TryRngCore, rngs::OsRng};
use serde::Serialize;

use crate::{
    address::Address,
    failure::{Failure, Outcome},
    table::layout,
    view::{SLOT_COUNT, slot_ranges},
};

/// At most this many nodes vote on the topology.
const TOPOLOGY_VOTERS_MAX: usize = 5;

/// What `create` learnt about a node before planning.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The node's own id, 40 hex digits.
    pub id: String,
    /// Where clients and the other nodes reach it.
    pub address: Address,
    /// Where its bus is.
    pub bus_port: u16,
}

/// The document behind `CLUSTER FORM`.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// 40 hex digits, new for every cluster.
    pub cluster_id: String,
    /// What the nodes' buses prove to each other that they know.
    pub secret: String,
    nodes: Vec<PlannedNode>,
    shards: Vec<PlannedShard>,
    topology_voters: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
struct PlannedNode {
    id: String,
    host: String,
    port: u16,
    bus_port: u16,
    shard: String,
}

#[derive(Clone, Debug, Serialize)]
struct PlannedShard {
    id: String,
    slots: Vec<(u16, u16)>,
    members: Vec<String>,
}

impl Plan {
    /// Divides the nodes into shards of one leader and `replicas` followers.
    pub fn draw(candidates: &[Candidate], replicas: usize) -> Outcome<Self> {
        let shard_count = shard_count(candidates.len(), replicas)?;
        let share = |shard: usize| (shard * SLOT_COUNT / shard_count) as u16;
        let mut shards = Vec::new();
        for shard in 0..shard_count {
            let members = candidates.iter().skip(shard).step_by(shard_count);
            shards.push(PlannedShard {
                id: random_hex(20)?,
                slots: vec![(share(shard), (((shard + 1) * SLOT_COUNT / shard_count) - 1) as u16)],
                members: members.map(|candidate| candidate.id.clone()).collect(),
            });
        }
        let nodes = candidates.iter().enumerate().map(|(index, candidate)| PlannedNode {
            id: candidate.id.clone(),
            host: candidate.address.host.clone(),
            port: candidate.address.port,
            bus_port: candidate.bus_port,
            shard: shards[index % shard_count].id.clone(),
        });
        let voters = candidates.iter().take(TOPOLOGY_VOTERS_MAX);
        Ok(Self {
            cluster_id: random_hex(20)?,
            secret: random_hex(32)?,
            nodes: nodes.collect(),
            topology_voters: voters.map(|candidate| candidate.id.clone()).collect(),
            shards,
        })
    }

    /// The document that nodes are given.
    pub fn document(&self) -> String {
        serde_json::to_string(self).expect("a plan is strings and numbers only")
    }

    /// The document without the secret, for a person or a program to look at.
    pub fn public_document(&self) -> String {
        Self { secret: "kept to the nodes".into(), ..self.clone() }.document()
    }

    /// The plan as a person reads it, without the secret.
    pub fn describe(&self) -> String {
        let address = |id: &String| {
            let node = self.nodes.iter().find(|node| node.id == *id);
            node.map_or_else(String::new, |node| Address::new(&node.host, node.port).to_string())
        };
        let row = |(index, shard): (usize, &PlannedShard)| {
            let followers: Vec<String> = shard.members.iter().skip(1).map(address).collect();
            let leader = shard.members.first().map_or_else(String::new, address);
            vec![(index + 1).to_string(), slot_ranges(&shard.slots), leader, followers.join("  ")]
        };
        let rows: Vec<Vec<String>> = self.shards.iter().enumerate().map(row).collect();
        layout(&["SHARD", "SLOTS", "FIRST LEADER", "FOLLOWERS"], &rows, &[])
    }
}

/// How many shards the nodes make, if they come out even.
fn shard_count(nodes: usize, replicas: usize) -> Outcome<usize> {
    if !matches!(replicas, 0 | 2 | 4) {
        return Err(Failure::refused(
            "--replicas must be 0, 2 or 4: a shard has 1, 3 or 5 nodes, so that a majority \
             is left when one or two fail",
        ));
    }
    let size = replicas + 1;
    if nodes == 0 || !nodes.is_multiple_of(size) {
        return Err(Failure::refused(format!(
            "{nodes} nodes do not divide into shards of {size}; name a multiple of {size} nodes \
             or change --replicas"
        )));
    }
    Ok(nodes / size)
}

fn random_hex(byte_count: usize) -> Outcome<String> {
    let mut bytes = vec![0; byte_count];
    OsRng.try_fill_bytes(&mut bytes).map_err(|error| {
        Failure::refused(format!("the operating system gives no random bytes: {error}"))
    })?;
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes whatever is written");
    }
    Ok(text)
}
