//! Starts the servers that are measured, and reads what they cost.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
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
    /// CPU time that the process behind `address` has used so far, all threads.
    pub fn cpu(&self) -> Duration {
        cpu_of(self.processes[0].id())
    }

    /// Resident memory of the process behind `address`, in bytes.
    pub fn resident_bytes(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.processes[0].id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next());
        Ok(kilobytes.context("no VmRSS")?.parse::<u64>()? * 1024)
    }
}

/// One redis-server, pinned to the first core.
pub fn redis(durability: Durability) -> Result<Server> {
    let dir = TempDir::new()?;
    let port = free_port()?;
    let process =
        redis_process(port, dir.path().to_str().context("path")?, durability, None, true)?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let server = Server { address, processes: vec![process], _dirs: vec![dir] };
    wait_until("redis-server answers", || Ok(request(address, "PING")?.starts_with("+PONG")))?;
    Ok(server)
}

/// A redis-server with two replicas that follow it asynchronously.
pub fn redis_replicated(durability: Durability) -> Result<Server> {
    let (mut processes, mut dirs, mut ports) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        let dir = TempDir::new()?;
        let port = free_port()?;
        let path = dir.path().to_str().context("path")?.to_owned();
        processes.push(redis_process(port, &path, durability, ports.first().copied(), false)?);
        ports.push(port);
        dirs.push(dir);
    }
    let address = SocketAddr::from(([127, 0, 0, 1], ports[0]));
    let server = Server { address, processes, _dirs: dirs };
    wait_until("both replicas are online", || {
        Ok(request(address, "INFO replication")?.matches("state=online").count() == 2)
    })?;
    Ok(server)
}

fn redis_process(
    port: u16,
    dir: &str,
    durability: Durability,
    leader: Option<u16>,
    pinned: bool,
) -> Result<Child> {
    let mut command = pinned_command("redis-server", pinned);
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
pub fn quoris(durability: Durability) -> Result<Server> {
    let dir = TempDir::new()?;
    let (process, address) = quoris_process(&dir, durability, true)?;
    Ok(Server { address, processes: vec![process], _dirs: vec![dir] })
}

/// A shard of three Quoris nodes; requests go to its leader.
pub fn quoris_replicated(durability: Durability) -> Result<Server> {
    let (mut processes, mut dirs, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        let dir = TempDir::new()?;
        let (process, address) = quoris_process(&dir, durability, false)?;
        processes.push(process);
        dirs.push(dir);
        addresses.push(address);
    }
    create_cluster(&addresses, 2)?;
    let mut leader = None;
    wait_until("the shard has a leader", || {
        leader = addresses.iter().position(|address| {
            request(*address, "SET probe 1").is_ok_and(|reply| reply.starts_with("+OK"))
        });
        Ok(leader.is_some())
    })?;
    let leader = leader.context("just found")?;
    // The first process is the one whose CPU time is reported.
    processes.swap(0, leader);
    Ok(Server { address: addresses[leader], processes, _dirs: dirs })
}

/// Forms a cluster out of empty nodes.
pub fn create_cluster(addresses: &[SocketAddr], replicas: usize) -> Result<()> {
    let mut command = Command::new(binary("cluster-cli"));
    command.args(["create", "--yes", "--replicas", &replicas.to_string()]);
    command.args(addresses.iter().map(SocketAddr::to_string));
    let output = command.output().context("run cluster-cli")?;
    if !output.status.success() {
        bail!("cluster-cli create: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Starts a node on a free port, and waits until it answers.
pub fn quoris_process(
    dir: &TempDir,
    durability: Durability,
    pinned: bool,
) -> Result<(Child, SocketAddr)> {
    let port = free_port()?;
    let child = start_node(dir, port, free_port()?, durability, pinned)?;
    Ok((child, SocketAddr::from(([127, 0, 0, 1], port))))
}

/// Starts a node on given ports, and waits until it answers.
pub fn start_node(
    dir: &TempDir,
    port: u16,
    bus_port: u16,
    durability: Durability,
    pinned: bool,
) -> Result<Child> {
    let mut command = pinned_command(binary("quoris-node").to_str().context("path")?, pinned);
    command.args(["--port", &port.to_string(), "--cluster-port", &bus_port.to_string()]);
    command.args(["--dir", dir.path().to_str().context("path")?]);
    let appendfsync = if durability == Durability::Memory { "no" } else { "always" };
    command.args(["--appendfsync", appendfsync]);
    let log = fs::File::create(dir.path().with_extension("log"))?;
    let child =
        command.stdout(log.try_clone()?).stderr(log).spawn().context("start quoris-node")?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    wait_until("quoris-node answers", || Ok(request(address, "PING")?.starts_with("+PONG")))?;
    Ok(child)
}

fn pinned_command(program: &str, pinned: bool) -> Command {
    if !pinned {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", "0", program]);
    command
}

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

fn binary(name: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    root.join(std::env::var("QUORIS_BIN_DIR").unwrap_or_else(|_| "target/release".into()))
        .join(name)
}

/// A port that nobody listens on just now.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Sends one inline request and returns what arrives first.
pub fn request(address: SocketAddr, line: &str) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(format!("{line}\r\n").as_bytes())?;
    let mut buffer = vec![0; 16 * 1024];
    let read = stream.read(&mut buffer)?;
    Ok(String::from_utf8_lossy(&buffer[..read]).into_owned())
}

/// Polls a condition; errors count as "not yet".
pub fn wait_until(what: &str, mut ready: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        if ready().unwrap_or(false) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    bail!("gave up waiting until {what}")
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
