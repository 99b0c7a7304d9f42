//! One node beside one redis-server, neither waiting for the disk.

use anyhow::Result;

use crate::load::{Kind, Load, populate};
use crate::servers::{self, Durability};
use crate::{Effort, table};

/// Prints the table.
pub fn run(effort: Effort) -> Result<()> {
    table::head("One node, `appendfsync no`, beside redis-server without persistence");
    servers::pin_load();
    let sizes: &[usize] = if effort.quick { &[3] } else { &[3, 1024] };
    let key_counts: &[u64] = if effort.quick { &[100_000] } else { &[100_000, 1_000_000] };
    for &value_bytes in sizes {
        for &keys in key_counts {
            let ours = servers::quoris(Durability::Memory);
            let theirs = servers::redis(Durability::Memory)?;
            populate(ours.address, keys, value_bytes)?;
            populate(theirs.address, keys, value_bytes)?;
            for kind in [Kind::Get, Kind::Set] {
                for (pipeline, connections) in [(1, 50), (16, 50), (64, 50), (1, 1), (1, 500)] {
                    let load = Load { kind, connections, pipeline, value_bytes, keys };
                    let figures = table::duel(&ours, &theirs, &load, effort)?;
                    let case = format!(
                        "{kind:?} P{pipeline}, {connections} conn., {value_bytes} B, {} k keys",
                        keys / 1000
                    );
                    table::row(&case, &figures);
                }
            }
        }
    }
    servers::unpin_load();
    println!();
    Ok(())
}
