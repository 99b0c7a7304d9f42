//! Plans for tests.

use quoris_topology::{Address, ClusterId, NodeId, Plan, PlanOptions, Secret, ShardId};

/// The id of node `number`.
pub fn node(number: u8) -> NodeId {
    NodeId::new([number; 20])
}

/// Where node `number` is.
pub fn address(number: u8) -> Address {
    let port = 7000 + u16::from(number);
    Address { host: "127.0.0.1".into(), hostname: None, port, bus_port: port + 10_000, tls_port: 0 }
}

/// A cluster of the nodes 1 to `nodes`, in shards of three.
pub fn plan(nodes: u8) -> Plan {
    let mut shard = 0x80;
    let options = PlanOptions {
        cluster_id: ClusterId::new([nodes; 20]),
        secret: Some(Secret("0123456789abcdef".into())),
        replicas_per_shard: 2,
        shard_id: &mut || {
            shard += 1;
            ShardId::new([shard; 20])
        },
    };
    let nodes = (1..=nodes).map(|number| (node(number), address(number))).collect();
    Plan::new(nodes, options).expect("whole shards of three")
}
