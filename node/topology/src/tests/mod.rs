//! Scenarios and properties that span the modules.

mod apply;
mod codec;
mod plan;
mod planner;
mod routing;

use alloc::format;
use alloc::vec::Vec;

use crate::{
    Address, Change, ClusterId, JobId, NodeId, Outcome, Plan, PlanOptions, ShardId, SlotRange,
    Topology,
};

fn node(number: u8) -> NodeId {
    let mut bytes = [0; 20];
    bytes[0] = number;
    NodeId::new(bytes)
}

fn shard(number: u8) -> ShardId {
    ShardId::new([number; 20])
}

fn job(number: u8) -> JobId {
    JobId::new([number; 20])
}

fn range(start: u16, end: u16) -> SlotRange {
    SlotRange::new(start, end).expect("slots in order")
}

fn address(host: &str, port: u16) -> Address {
    Address { host: host.into(), hostname: None, port, bus_port: port + 10000, tls_port: 0 }
}

/// Nodes 1, 2, 3… on these hosts, each with a port of its own.
fn nodes(hosts: &[&str]) -> Vec<(NodeId, Address)> {
    let numbered = hosts.iter().zip(1..);
    numbered.map(|(host, number)| (node(number), address(host, 7000 + u16::from(number)))).collect()
}

/// The options for shards 1, 2, 3…
fn with_options<T>(replicas_per_shard: usize, make: impl FnOnce(PlanOptions<'_>) -> T) -> T {
    let mut last = 0;
    let mut shard_id = || {
        last += 1;
        shard(last)
    };
    let cluster_id = ClusterId::new([9; 20]);
    make(PlanOptions { cluster_id, secret: None, replicas_per_shard, shard_id: &mut shard_id })
}

/// Three shards of three nodes on one host: shard 1 has the nodes 1, 4 and 7.
fn nine_nodes() -> Plan {
    let nodes = nodes(&["10.0.0.1"; 9]);
    with_options(2, |options| Plan::new(nodes, options)).expect("nine nodes make three shards")
}

fn nine_node_topology() -> Topology {
    let mut topology = Topology::unformed();
    let outcome = topology.apply(Change::form(&nine_nodes()));
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    topology
}

/// The text of a refusal, or what else happened.
fn told(outcome: &Outcome) -> alloc::string::String {
    match outcome {
        Outcome::Refused(refusal) => format!("{refusal}"),
        other => format!("{other:?}"),
    }
}
