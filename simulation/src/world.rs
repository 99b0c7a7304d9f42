//! The nodes of a run: each a turmoil host with a disk that outlives its crashes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use quoris_consensus::{Offload, sync_inline};
use quoris_server::config::Config;
use quoris_server::{Clock, Entropy, Exit, Node, Shared, World};
use quoris_storage::{DataDir, DiskMeta, MemoryDisk};
use tokio::sync::Notify;
use tokio::task::spawn_local;
use turmoil::Sim;

use crate::invariants::replicas_are_equal::Replica;
use crate::random::Random;
use crate::transport::SimulatedTcp;

/// The port that clients connect to on every node.
pub const PORT: u16 = 7000;
/// The port of the bus on every node.
pub const BUS_PORT: u16 = 17000;
/// When every run begins, in milliseconds since the Unix epoch.
const BEGINNING_MS: u64 = 1_700_000_000_000;

/// The nodes of a run, seen from outside the simulated network.
pub struct Nodes {
    machines: Vec<Machine>,
    random: Random,
}

/// What is left of a node when it has crashed.
#[derive(Clone)]
struct Machine {
    name: String,
    disk: MemoryDisk,
    /// The running node, to be asked whether it leads.
    running: Rc<RefCell<Weak<Shared>>>,
    is_up: Rc<Cell<bool>>,
    /// Tells the running node to take a snapshot.
    snapshot: Rc<Notify>,
}

impl Nodes {
    /// Adds `count` empty nodes to the simulation and starts them.
    pub fn start(sim: &mut Sim<'static>, count: usize, seed: u64) -> Nodes {
        let mut random = Random::new(seed);
        let mut machines = Vec::new();
        for number in 0..count {
            let machine = Machine {
                name: format!("node{number}"),
                disk: MemoryDisk::new(),
                running: Rc::default(),
                is_up: Rc::new(Cell::new(true)),
                snapshot: Rc::default(),
            };
            let entropy = random.next_u64();
            let lives = Rc::new(Cell::new(0));
            let host = machine.clone();
            sim.host(machine.name.clone(), move || {
                lives.set(lives.get() + 1);
                run(host.clone(), Random::new(entropy).fork(lives.get()))
            });
            machines.push(machine);
        }
        Nodes { machines, random }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.machines.len()
    }

    /// The host names.
    pub fn names(&self) -> Vec<String> {
        self.machines.iter().map(|machine| machine.name.clone()).collect()
    }

    /// Makes every `fsync` a lie: for the test that shows that this is noticed.
    pub fn ignore_syncs(&self) {
        self.machines.iter().for_each(|machine| machine.disk.ignore_syncs(true));
    }

    /// The nodes that lead a shard just now.
    pub fn leaders(&self) -> Vec<usize> {
        let leads = |machine: &Machine| {
            machine.is_up.get()
                && machine
                    .running
                    .borrow()
                    .upgrade()
                    .is_some_and(|shared| shared.group().is_leader())
        };
        (0..self.len()).filter(|at| leads(&self.machines[*at])).collect()
    }

    /// The state of every node, once all nodes of each shard have applied all of the same log, so
    /// that a state can be told to belong to an index. `None` while one is down or behind.
    pub fn replicas(&self) -> Option<Vec<Replica>> {
        let running = self.machines.iter().map(|machine| {
            let peer = machine.running.borrow().upgrade().filter(|_| machine.is_up.get())?;
            let status = peer.group().status();
            let index = status.applied?.index;
            let shard = peer.group().group().to_string();
            (status.last_index == Some(index)).then_some((&machine.name, shard, index, peer))
        });
        let running = running.collect::<Option<Vec<_>>>()?;
        let mut indexes = BTreeMap::new();
        if running.iter().any(|(_, shard, at, _)| indexes.entry(shard).or_insert(*at) != at) {
            return None;
        }
        let replicas = running.iter().map(|(node, shard, index, peer)| {
            let digest = peer.engine.borrow().digest();
            Replica { node: (*node).clone(), shard: shard.clone(), index: *index, digest }
        });
        Some(replicas.collect())
    }

    /// Cuts the power of one node.
    pub fn crash(&mut self, sim: &mut Sim<'static>, at: usize) {
        let machine = &self.machines[at];
        if machine.is_up.replace(false) {
            sim.crash(machine.name.as_str());
            machine.disk.crash(self.random.next_u64());
        }
    }

    /// Has a node take a snapshot of its shard, which otherwise takes more log than a run has.
    pub fn snapshot(&self, at: usize) {
        self.machines[at].snapshot.notify_one();
    }

    /// Starts every node that is down.
    pub fn restart_all(&mut self, sim: &mut Sim<'static>) {
        for machine in &self.machines {
            if !machine.is_up.replace(true) {
                sim.bounce(machine.name.as_str());
            }
        }
    }
}

/// One life of a node, from power-on until it ends or its host is crashed.
async fn run(machine: Machine, random: Random) -> turmoil::Result {
    let world = open_world(&machine.disk, random)?;
    let ip = turmoil::lookup(machine.name.as_str()).to_string();
    loop {
        let node = Node::start(config(&ip), &world).await?;
        *machine.running.borrow_mut() = Rc::downgrade(node.shared());
        let running = Rc::downgrade(node.shared());
        let snapshots = spawn_local(take_snapshots(running, Rc::clone(&machine.snapshot)));
        let exit = node.run().await;
        snapshots.abort();
        match exit {
            Exit::Restart => {}
            Exit::Shutdown => return Ok(()),
            Exit::Failed => return Err("a node failed although its disk did not".into()),
        }
    }
}

async fn take_snapshots(node: Weak<Shared>, wanted: Rc<Notify>) {
    loop {
        wanted.notified().await;
        let Some(group) = node.upgrade().map(|shared| shared.group()) else { return };
        // A node that is about to stop takes none.
        let _ = group.trigger_snapshot().await;
    }
}

fn open_world(disk: &MemoryDisk, random: Random) -> turmoil::Result<World<SimulatedTcp>> {
    let disk = disk.mount();
    let dir = PathBuf::from("/data");
    let entropy = SeededEntropy(RefCell::new(random));
    let data = DataDir::open(&disk, &dir, entropy.next_id())?;
    let meta = DiskMeta::open(Arc::clone(&disk), &dir.join("meta"))?;
    Ok(World {
        transport: SimulatedTcp,
        disk,
        meta: Arc::new(meta),
        data: Rc::new(data),
        clock: Rc::new(SimulatedClock),
        entropy: Rc::new(entropy),
        syncers: Arc::new(sync_inline),
        offload: Offload::Inline,
    })
}

/// What every node is started with; `ip` is its own address.
fn config(ip: &str) -> Config {
    let (port, bus_port) = (PORT.to_string(), BUS_PORT.to_string());
    Config::from_flags(&[
        "--bind",
        "0.0.0.0",
        "--port",
        &port,
        "--cluster-port",
        &bus_port,
        "--dir",
        "/data",
        "--cluster-announce-ip",
        ip,
        "--protected-mode",
        "no",
        "--tcp-keepalive",
        "0",
        // So small that a run has several, and that files of purged ones are written over.
        "--aof-segment-size",
        "16kb",
    ])
    .expect("these directives exist")
}

/// Simulated time, the same on every node.
struct SimulatedClock;

impl Clock for SimulatedClock {
    fn unix_ms(&self) -> u64 {
        BEGINNING_MS + turmoil::sim_elapsed().unwrap_or_default().as_millis() as u64
    }
}

/// Randomness that the seed of the run decides.
struct SeededEntropy(RefCell<Random>);

impl Entropy for SeededEntropy {
    fn next_u64(&self) -> u64 {
        self.0.borrow_mut().next_u64()
    }
}
