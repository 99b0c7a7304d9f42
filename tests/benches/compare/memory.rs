//! Bytes per key: one million keys of 16 bytes with values of 32.

use anyhow::Result;

use crate::load::populate;
use crate::servers::{self, Durability, Server};

const KEYS: u64 = 1_000_000;

/// Prints the table.
pub fn run() -> Result<()> {
    let ours = bytes_per_key(&servers::quoris(Durability::Memory))?;
    let theirs = bytes_per_key(&servers::redis(Durability::Memory)?)?;
    println!("### Memory: 1 M keys of 16 bytes with 32-byte values, resident set\n");
    println!("| | Quoris | Redis | ratio |\n|---|---|---|---|");
    println!("| bytes per key | {ours:.0} | {theirs:.0} | **{:.2}×** |\n", ours / theirs);
    Ok(())
}

fn bytes_per_key(server: &Server) -> Result<f64> {
    let before = server.resident_bytes()?;
    populate(server.address, KEYS, 32)?;
    Ok((server.resident_bytes()? - before) as f64 / KEYS as f64)
}
