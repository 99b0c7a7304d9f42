//! Measures Quoris beside Debian's redis-server, in one run on one machine.
//!
//! Every figure is a ratio: the two servers take turns for a few seconds each, so that what else
//! the machine does hits both. Throughput is the median of the turns. Server CPU per request comes
//! from the kernel's accounting and is the steadier figure, because the load generator shares the
//! machine and a closed loop flatters whoever wakes it least.
//!
//! ```text
//! make bench                        everything
//! make bench BENCH='single --quick' one part, with short turns
//! ```
//!
//! Parts: `single` (one node, no fsync), `collections` (the same, commands on collections),
//! `messages` (the same, scripts, transactions, publishing and waiting), `idle` (memory of 10,000
//! connections), `replicated` (three nodes), `memory` (bytes per key and per element), `failover`
//! (kill a leader twenty times).
#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

mod collections;
mod failover;
mod fan_out;
mod hand_over;
mod idle;
mod load;
mod memory;
mod messages;
mod replicated;
mod requests;
mod servers;
mod single;
mod table;

use anyhow::{Result, bail};

/// How much to measure.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Turns of each server in every case.
    pub rounds: usize,
    /// Length of a turn in milliseconds.
    pub turn_ms: u64,
    /// Leave out the bigger half of the cases.
    pub quick: bool,
}

fn main() -> Result<()> {
    let mut parts = Vec::new();
    let mut effort = Effort { rounds: 5, turn_ms: 1500, quick: false };
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--quick" => effort = Effort { rounds: 3, turn_ms: 700, quick: true },
            // Cargo says so to every benchmark.
            "--bench" => {}
            part if !part.starts_with('-') => parts.push(part.to_owned()),
            other => bail!("unknown option {other}"),
        }
    }
    if parts.is_empty() {
        parts = ["single", "collections", "messages", "idle", "replicated", "memory", "failover"]
            .map(str::to_owned)
            .into();
    }
    println!("Machine: {}\n", servers::machine());
    for part in parts {
        match part.as_str() {
            "single" => single::run(effort)?,
            "collections" => collections::run(effort)?,
            "messages" => messages::run(effort)?,
            "idle" => idle::run()?,
            "replicated" => replicated::run(effort)?,
            "memory" => memory::run(effort)?,
            "failover" => failover::run(effort)?,
            other => bail!("there is no part called {other}"),
        }
    }
    Ok(())
}
