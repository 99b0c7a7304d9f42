//! Starts the servers that are measured, and reads what they cost.

use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use quoris_tests::cluster::Cluster;
use quoris_tests::node::Node;
use quoris_tests::ports::free_port;
use quoris_tests::wait;
use quoris_tests::wire::{ask, text};
use tempfile::TempDir;

/// What kind of persistence a case asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// No persistence in Redis; the log without `fdatasync` in Quoris.
    Memory,
    /// `appendfsync always` in both.
    Always,
}

/// One or more processes that answer at one address.
pub struct Server {
    /// Where to send requests.
    pub address: SocketAddr,
    /// The process behind that address.
    pid: u32,
    _nodes: Vec<Node>,
    processes: Vec<Child>,
    _dirs: Vec<TempDir>,
}

impl Drop for Server {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Server {
    fn of_nodes(nodes: Vec<Node>) -> Server {
        let (address, pid) = (nodes[0].address(), nodes[0].pid().expect("it was started"));
        Server { address, pid, _nodes: nodes, processes: Vec::new(), _dirs: Vec::new() }
    }

    fn of_redis(port: u16, processes: Vec<Child>, dirs: Vec<TempDir>) -> Server {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let pid = processes[0].id();
        Server { address, pid, _nodes: Vec::new(), processes, _dirs: dirs }
    }

    /// CPU time that the process behind `address` has used so far, all threads.
    pub fn cpu(&self) -> Duration {
        cpu_of(self.pid)
    }

    /// Resident memory of the process behind `address`, in bytes.
    pub fn resident_bytes(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next());
        Ok(kilobytes.context("no VmRSS")?.parse::<u64>()? * 1024)
    }
}

/// One redis-server, pinned to the first core.
pub fn redis(durability: Durability) -> Result<Server> {
    let dir = TempDir::new()?;
    let port = free_port();
    let process =
        redis_process(port, dir.path().to_str().context("path")?, durability, None, true)?;
    let server = Server::of_redis(port, vec![process], vec![dir]);
    wait::until("redis-server answers", || ask(server.address, "PING").ok());
    Ok(server)
}

/// A redis-server with two replicas that follow it asynchronously.
pub fn redis_replicated(durability: Durability) -> Result<Server> {
    let (mut processes, mut dirs, mut ports) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        let dir = TempDir::new()?;
        let port = free_port();
        let path = dir.path().to_str().context("path")?.to_owned();
        processes.push(redis_process(port, &path, durability, ports.first().copied(), false)?);
        ports.push(port);
        dirs.push(dir);
    }
    let server = Server::of_redis(ports[0], processes, dirs);
    wait::until("both replicas are online", || {
        let info = text(&ask(server.address, "INFO replication").ok()?);
        (info.matches("state=online").count() == 2).then_some(())
    });
    Ok(server)
}

fn redis_process(
    port: u16,
    dir: &str,
    durability: Durability,
    leader: Option<u16>,
    pinned: bool,
) -> Result<Child> {
    let launcher: &[&str] = if pinned { PINNED } else { &[] };
    let words: Vec<&str> = launcher.iter().copied().chain(["redis-server"]).collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command.args(["--port", &port.to_string(), "--dir", dir, "--save", "", "--daemonize", "no"]);
    match durability {
        Durability::Memory => command.args(["--appendonly", "no"]),
        Durability::Always => command.args(["--appendonly", "yes", "--appendfsync", "always"]),
    };
    if let Some(leader) = leader {
        command.args(["--replicaof", "127.0.0.1", &leader.to_string()]);
    }
    command.stdout(Stdio::null()).spawn().context("start redis-server (Debian: redis-server)")
}

/// One Quoris node, pinned to the first core.
pub fn quoris(durability: Durability) -> Server {
    Server::of_nodes(vec![Node::start_by(PINNED, &quoris_arguments(durability))])
}

/// A shard of three Quoris nodes; requests go to its leader.
pub fn quoris_replicated(durability: Durability) -> Server {
    let cluster = Cluster::start(1, 3, &quoris_arguments(durability));
    let leader = cluster.leaders()[0];
    let mut nodes = cluster.nodes;
    // The first process is the one whose CPU time is reported.
    nodes.swap(0, leader);
    Server::of_nodes(nodes)
}

/// What to start a node with.
pub fn quoris_arguments(durability: Durability) -> [&'static str; 2] {
    ["--appendfsync", if durability == Durability::Memory { "no" } else { "always" }]
}

const PINNED: &[&str] = &["taskset", "-c", "0"];

/// Pins this process, the load generator, to the second core.
pub fn pin_load() {
    let pid = std::process::id().to_string();
    let _ = Command::new("taskset").args(["-p", "-c", "1", &pid]).stdout(Stdio::null()).status();
}

/// Lets this process run anywhere again.
pub fn unpin_load() {
    let pid = std::process::id().to_string();
    let _ = Command::new("taskset").args(["-p", "-c", "0,1", &pid]).stdout(Stdio::null()).status();
}

fn cpu_of(pid: u32) -> Duration {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Duration::ZERO };
    let nanos = threads.flatten().filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

/// The machine, for the head of the report.
pub fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("\t: ?");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cores = cpus.matches("processor\t").count();
    format!("{} cores,{}, Linux {}", cores, model.trim_start_matches(['\t', ':']), kernel.trim())
}
