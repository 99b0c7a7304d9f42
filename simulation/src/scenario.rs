//! One run: a seed, and everything that follows from it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use turmoil::Sim;

use crate::chaos::{self, Fault, Schedule};
use crate::history::History;
use crate::invariants::replicas_are_equal;
use crate::random::Random;
use crate::trace::Trace;
use crate::workload::{Context, Workload};
use crate::world::{Nodes, PORT};
use crate::{forming, invariants, panics};

/// Workloads in one run.
const WORKLOADS: usize = 3;
/// Clients of each workload.
const CLIENTS: usize = 2;
/// Faults in one run.
const FAULTS: usize = 5;
/// Simulated time after which a run that has not ended has failed.
const LIMIT: Duration = Duration::from_mins(2);
/// Simulated time between the last cure and the last reads.
const SETTLING: Duration = Duration::from_secs(3);

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Decides everything.
    pub seed: u64,
    /// Shards of three nodes each.
    pub shards: usize,
    /// The one workload to run, instead of some that the seed chooses.
    pub only: Option<Workload>,
    /// Whether `fsync` keeps its promise once the cluster is formed. Only a test says no.
    pub disks_are_honest: bool,
    /// Whether clients know that an outcome may be unknown, instead of asking again. Only a test
    /// says no.
    pub clients_are_careful: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// What happened, line by line.
    pub trace: String,
    /// Operations that the clients asked for.
    pub operations: usize,
    /// The first invariant that was violated, in words.
    pub violation: Option<String>,
}

impl Scenario {
    /// An ordinary run.
    pub fn new(seed: u64) -> Self {
        Scenario { seed, shards: 1, only: None, disks_are_honest: true, clients_are_careful: true }
    }

    /// Runs it.
    pub fn run(self) -> Report {
        panics::watch();
        let mut random = Random::new(self.seed);
        let mut sim = builder(random.next_u64()).build();
        let nodes = Nodes::start(&mut sim, self.shards * 3, random.next_u64());
        let schedule = chaos::schedule(&mut random.fork(1), nodes.len(), FAULTS);
        let drawn = Workload::draw(&mut random.fork(3), WORKLOADS);
        let workloads = self.only.map_or(drawn, |only| vec![only]);
        let run = Run {
            history: History::default(),
            trace: Trace::default(),
            stop: Rc::default(),
            formed: Rc::default(),
            running: Rc::default(),
            disks_are_honest: self.disks_are_honest,
            clients_are_careful: self.clients_are_careful,
            workloads,
            random,
            nodes,
            sim,
        };
        run.play(schedule)
    }
}

fn builder(seed: u64) -> turmoil::Builder {
    let mut builder = turmoil::Builder::new();
    builder
        .rng_seed(seed)
        .simulation_duration(LIMIT)
        .tick_duration(Duration::from_millis(1))
        .min_message_latency(Duration::from_micros(200))
        .max_message_latency(Duration::from_millis(8))
        .tcp_capacity(4096)
        .ephemeral_ports(10_000..=65_000)
        .enable_random_order();
    builder
}

struct Run {
    sim: Sim<'static>,
    nodes: Nodes,
    history: History,
    trace: Trace,
    formed: Rc<Cell<bool>>,
    stop: Rc<Cell<bool>>,
    running: Rc<Cell<u32>>,
    disks_are_honest: bool,
    clients_are_careful: bool,
    workloads: Vec<Workload>,
    random: Random,
}

impl Run {
    fn play(mut self, schedule: Schedule) -> Report {
        let failure = self.act(schedule).err();
        let operations = self.history.operations();
        self.trace.history(&operations);
        let violation = failure.or_else(|| invariants::check(&operations).err());
        if let Some(violation) = &violation {
            self.trace.line(self.sim.elapsed(), violation);
        }
        Report { trace: self.trace.text(), operations: operations.len(), violation }
    }

    fn act(&mut self, schedule: Schedule) -> Result<(), String> {
        self.form();
        self.step_until("the cluster is formed", |run| run.formed.get())?;
        if !self.disks_are_honest {
            self.nodes.ignore_syncs();
        }
        self.start_clients();
        for (pause, fault) in schedule {
            self.pass(pause)?;
            self.inflict(&fault);
        }
        self.pass(SETTLING)?;
        self.stop.set(true);
        self.step_until("the clients come to an end", |run| run.running.get() == 0)?;
        self.finish();
        self.step_until("the last reads are done", |run| run.running.get() == 0)?;
        self.compare_replicas()
    }

    fn form(&mut self) {
        let (hosts, formed) = (self.nodes.names(), Rc::clone(&self.formed));
        let random = self.random.fork(2);
        self.sim.client("operator", async move {
            forming::form(&hosts, 2, random).await;
            formed.set(true);
            // The simulation would end with its last client.
            std::future::pending::<()>().await;
            Ok(())
        });
    }

    fn start_clients(&mut self) {
        self.trace.line(self.sim.elapsed(), &format!("{:?}", self.workloads));
        for client in 0..self.workloads.len() * CLIENTS {
            let (workload, context) = (self.workloads[client / CLIENTS], self.context(client));
            self.sim.client(format!("client{client}"), async move {
                workload.run(context).await;
                Ok(())
            });
        }
    }

    fn finish(&mut self) {
        for at in 0..self.workloads.len() {
            let reader = self.workloads.len() * CLIENTS + at;
            let (workload, context) = (self.workloads[at], self.context(reader));
            self.sim.client(format!("reader{at}"), async move {
                workload.finish(context).await;
                Ok(())
            });
        }
    }

    fn compare_replicas(&mut self) -> Result<(), String> {
        let what = "the nodes of each shard have applied the same index";
        self.step_until(what, |run| run.nodes.replicas().is_some())?;
        let replicas = self.nodes.replicas().unwrap_or_default();
        for replica in &replicas {
            self.trace.line(self.sim.elapsed(), &format!("{replica:?}"));
        }
        replicas_are_equal::check(&replicas)
    }

    fn context(&mut self, client: usize) -> Context {
        self.running.set(self.running.get() + 1);
        Context {
            client: client as u32,
            nodes: self.nodes.names().iter().map(|name| format!("{name}:{PORT}")).collect(),
            history: self.history.clone(),
            random: self.random.fork(100 + client as u64),
            stop: Rc::clone(&self.stop),
            running: Rc::clone(&self.running),
            clients_are_careful: self.clients_are_careful,
        }
    }

    fn inflict(&mut self, fault: &Fault) {
        self.trace.line(self.sim.elapsed(), &format!("{fault:?}"));
        match fault {
            Fault::Crash(nodes) => nodes.iter().for_each(|at| self.crash(*at)),
            Fault::CrashLeader => {
                for at in self.nodes.leaders() {
                    self.trace.line(self.sim.elapsed(), &format!("node{at} led"));
                    self.crash(at);
                }
            }
            Fault::Snapshot(nodes) => nodes.iter().for_each(|at| self.nodes.snapshot(*at)),
            Fault::Restart(_) => self.nodes.restart_all(&mut self.sim),
            Fault::Partition(side) => {
                self.between(side, |sim, one, other| sim.partition(one, other));
            }
            Fault::Hold(side) => self.between(side, |sim, one, other| sim.hold(one, other)),
            Fault::Heal => {
                let all: Vec<usize> = (0..self.nodes.len()).collect();
                for at in all {
                    self.between(&[at], |sim, one, other| {
                        sim.repair(one, other);
                        sim.release(one, other);
                    });
                }
            }
        }
    }

    fn crash(&mut self, at: usize) {
        self.nodes.crash(&mut self.sim, at);
    }

    /// Does something to every link between `side` and the other nodes.
    fn between(&mut self, side: &[usize], mut act: impl FnMut(&mut Sim<'static>, &str, &str)) {
        let names = self.nodes.names();
        for one in side {
            for other in (0..names.len()).filter(|other| !side.contains(other)) {
                act(&mut self.sim, &names[*one], &names[other]);
            }
        }
    }

    fn pass(&mut self, time: Duration) -> Result<(), String> {
        let until = self.sim.elapsed() + time;
        self.step_until("time passes", |run| run.sim.elapsed() >= until)
    }

    fn step_until(&mut self, what: &str, done: impl Fn(&Run) -> bool) -> Result<(), String> {
        while !done(self) {
            if self.sim.elapsed() >= LIMIT {
                return Err(format!("time was up before {what}"));
            }
            let step = self.sim.step().map_err(|error| error.to_string());
            if let Some(problem) = panics::last().or(step.err()) {
                return Err(format!("while {what}: {problem}"));
            }
        }
        Ok(())
    }
}
