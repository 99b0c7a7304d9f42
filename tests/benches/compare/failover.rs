//! Kills the leader of a shard again and again, as seen by a client that follows redirects.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use quoris_resp::Reply;
use quoris_tests::cluster::Cluster;
use quoris_tests::wire::{ask, text};

use crate::Effort;
use crate::servers::{Durability, quoris_arguments};

/// Prints the distribution of outages, and fails if an acknowledged write is missing.
pub fn run(effort: Effort) -> Result<()> {
    let kills = if effort.quick { 5 } else { 20 };
    let mut cluster = Cluster::start(1, 3, &quoris_arguments(Durability::Always));
    let mut writer = Writer { addresses: cluster.addresses(), at: 0, written: 0 };
    let mut outages = Vec::new();
    for _ in 0..kills {
        for _ in 0..100 {
            writer.write_until_ok()?;
        }
        let leader = writer.at;
        let begun = Instant::now();
        cluster.nodes[leader].kill();
        writer.write_until_ok()?;
        outages.push(begun.elapsed());
        cluster.nodes[leader].restart();
        cluster.wait_until_whole();
    }
    let missing = writer.missing()?;
    if missing > 0 {
        bail!("{missing} acknowledged writes are missing");
    }
    outages.sort_unstable();
    println!("### `kill -9` of a leader, {kills} times, {} writes acknowledged\n", writer.written);
    println!("| least | median | most | acknowledged writes missing |\n|---|---|---|---|");
    println!(
        "| {} ms | **{} ms** | {} ms | {missing} |\n",
        outages[0].as_millis(),
        outages[kills / 2].as_millis(),
        outages[kills - 1].as_millis()
    );
    Ok(())
}

/// Writes numbered keys, one after another, wherever the leader is.
struct Writer {
    addresses: Vec<SocketAddr>,
    at: usize,
    written: u64,
}

impl Writer {
    /// Writes the next key, however often that has to be tried.
    fn write_until_ok(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            let command = format!("SET key:{} {}", self.written, self.written);
            match ask(self.addresses[self.at], &command) {
                Ok(Reply::Simple(_)) => {
                    self.written += 1;
                    return Ok(());
                }
                Ok(reply) => self.follow(&text(&reply)),
                Err(_) => self.at = (self.at + 1) % self.addresses.len(),
            }
        }
        bail!("no write succeeded for thirty seconds")
    }

    fn follow(&mut self, reply: &str) {
        let target = reply.strip_prefix("MOVED ").and_then(|rest| rest.split_whitespace().nth(1));
        let known = target.and_then(|target| {
            self.addresses.iter().position(|address| address.to_string() == target)
        });
        self.at = known.unwrap_or((self.at + 1) % self.addresses.len());
    }

    /// How many of the acknowledged keys the leader does not have.
    fn missing(&self) -> Result<u64> {
        let mut missing = 0;
        for key in 0..self.written {
            let reply = ask(self.addresses[self.at], &format!("GET key:{key}"))?;
            let value = reply.as_bytes().context("the leader answers reads")?;
            missing += u64::from(value != key.to_string().as_bytes());
        }
        Ok(missing)
    }
}
