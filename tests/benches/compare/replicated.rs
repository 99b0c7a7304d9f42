//! Three nodes with a quorum beside one redis-server with two asynchronous replicas.
//!
//! Redis promises less here: it answers before a replica has the write, and a failover may lose it.

use anyhow::Result;

use crate::load::{Kind, Load, populate};
use crate::servers::{self, Durability};
use crate::{Effort, table};

/// Prints the tables.
pub fn run(effort: Effort) -> Result<()> {
    for (durability, title) in [
        (
            Durability::Memory,
            "Three nodes, `appendfsync no`, beside Redis without persistence + 2 replicas",
        ),
        (
            Durability::Always,
            "Three nodes, `appendfsync always`, beside Redis `always` + 2 replicas",
        ),
    ] {
        table::head(title);
        let ours = servers::quoris_replicated(durability);
        let theirs = servers::redis_replicated(durability)?;
        let keys = 100_000;
        populate(ours.address, keys, 3)?;
        populate(theirs.address, keys, 3)?;
        for (pipeline, connections) in [(1, 50), (16, 50), (1, 1), (1, 500)] {
            let load = Load { kind: Kind::Set, connections, pipeline, value_bytes: 3, keys };
            let figures = table::duel(&ours, &theirs, &load, effort)?;
            table::row(&format!("SET P{pipeline}, {connections} conn."), &figures);
        }
        println!();
    }
    Ok(())
}
