//! Kills the leader of a shard again and again, as seen by a client that follows redirects.

use std::net::SocketAddr;
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::Effort;
use crate::servers::{self, Durability, free_port, request, wait_until};

struct Node {
    dir: TempDir,
    port: u16,
    bus_port: u16,
    process: Child,
}

impl Node {
    fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Prints the distribution of outages, and fails if an acknowledged write is missing.
pub fn run(effort: Effort) -> Result<()> {
    let kills = if effort.quick { 5 } else { 20 };
    let mut nodes = Vec::new();
    for _ in 0..3 {
        let dir = TempDir::new()?;
        let (port, bus_port) = (free_port()?, free_port()?);
        let process = servers::start_node(&dir, port, bus_port, Durability::Always, false)?;
        nodes.push(Node { dir, port, bus_port, process });
    }
    let addresses: Vec<_> = nodes.iter().map(Node::address).collect();
    servers::create_cluster(&addresses, 2)?;
    let mut writer = Writer { addresses, at: 0, written: 0 };
    writer.write_until_ok()?;
    let mut outages = Vec::new();
    for _ in 0..kills {
        for _ in 0..100 {
            writer.write_until_ok()?;
        }
        let leader = writer.at;
        nodes[leader].process.kill()?;
        let begun = Instant::now();
        nodes[leader].process.wait()?;
        writer.write_until_ok()?;
        outages.push(begun.elapsed());
        let Node { dir, port, bus_port, .. } = &nodes[leader];
        nodes[leader].process =
            servers::start_node(dir, *port, *bus_port, Durability::Always, false)?;
        let address = nodes[leader].address();
        wait_until("the restarted node follows", || {
            Ok(request(address, "ROLE")?.contains("connected"))
        })?;
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
            match request(self.addresses[self.at], &command) {
                Ok(reply) if reply.starts_with("+OK") => {
                    self.written += 1;
                    return Ok(());
                }
                Ok(reply) => self.follow(&reply),
                Err(_) => self.at = (self.at + 1) % self.addresses.len(),
            }
        }
        bail!("no write succeeded for thirty seconds")
    }

    fn follow(&mut self, reply: &str) {
        let target = reply.strip_prefix("-MOVED ").and_then(|rest| rest.split_whitespace().nth(1));
        let known = target.and_then(|target| {
            self.addresses.iter().position(|address| address.to_string() == target)
        });
        self.at = known.unwrap_or((self.at + 1) % self.addresses.len());
    }

    /// How many of the acknowledged keys the leader does not have.
    fn missing(&self) -> Result<u64> {
        let mut missing = 0;
        for key in 0..self.written {
            let reply = request(self.addresses[self.at], &format!("GET key:{key}"))?;
            let value = reply.lines().nth(1).context("a bulk reply")?;
            missing += u64::from(value != key.to_string());
        }
        Ok(missing)
    }
}
