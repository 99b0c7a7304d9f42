//! Nodes that become a cluster, lose members and get them back, as clients see it. Over real
//! sockets, on disks that forget what was not synced.

mod answers;
mod atomicity;
mod functions;
mod lives;
mod messages;
mod node;
mod wire;

use std::time::Duration;

use quoris_topology::{Address, ClusterId, NodeId, Plan, PlanOptions, Secret, ShardId};

use crate::node::Machine;
use crate::wire::Wire;

/// Longer than anything here takes, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(10);

/// Several machines that are meant to be one cluster.
pub struct Fleet {
    /// Where they run.
    pub machines: Vec<Machine>,
    /// What they were or will be told; its nodes are in the order of the machines.
    pub plan: Plan,
}

impl Fleet {
    /// Lonely nodes, and a plan for them.
    pub fn lonely(nodes: usize, replicas_per_shard: usize) -> Fleet {
        let machines: Vec<_> = (1..=nodes).map(|at| Machine::start(at as u64, &[])).collect();
        let plan = plan(&machines, replicas_per_shard, 1);
        Fleet { machines, plan }
    }

    /// A whole cluster.
    pub fn formed(nodes: usize, replicas_per_shard: usize) -> Fleet {
        let fleet = Fleet::lonely(nodes, replicas_per_shard);
        for machine in &fleet.machines {
            assert_eq!(machine.ask(&["CLUSTER", "FORM", &fleet.plan.to_json()]), "OK");
        }
        let all: Vec<usize> = (0..nodes).collect();
        fleet.wait_until_whole(&all);
        fleet
    }

    /// Waits until these nodes agree that all of them are in the cluster and that every shard has
    /// a leader.
    pub fn wait_until_whole(&self, running: &[usize]) {
        for at in running {
            until("the node sees the whole cluster", || {
                let info = self.try_ask(*at, &["CLUSTER", "INFO"])?;
                let count = format!("cluster_known_nodes:{}\r\n", self.machines.len());
                (info.contains("cluster_state:ok") && info.contains(&count)).then_some(())
            });
        }
        for shard in 0..self.plan.shards.len() {
            until("the shard has a leader", || self.leader(shard));
        }
    }

    /// The member of a shard that says that it leads it.
    pub fn leader(&self, shard: usize) -> Option<usize> {
        self.members(shard).find(|at| {
            let role = self.try_ask(*at, &["ROLE"]);
            role.is_some_and(|role| role.starts_with("[master "))
        })
    }

    /// Waits for a shard's leader.
    pub fn wait_for_leader(&self, shard: usize) -> usize {
        until("the shard has a leader", || self.leader(shard))
    }

    /// The machines of a shard.
    pub fn members(&self, shard: usize) -> impl Iterator<Item = usize> + '_ {
        let shard = self.plan.shards[shard].id;
        (0..self.machines.len()).filter(move |at| self.plan.nodes[*at].shard == shard)
    }

    /// Asks a node that may be down.
    pub fn try_ask(&self, at: usize, words: &[&str]) -> Option<String> {
        Wire::connect(self.machines[at].port).ok()?.try_ask(words).ok()
    }

    /// Sends a command to `at` and follows redirections, again and again until it succeeds.
    pub fn insist(&self, at: usize, words: &[&str]) -> String {
        until("the command succeeds", || {
            let mut port = self.machines[at].port;
            for _ in 0..3 {
                let reply = Wire::connect(port).ok()?.try_ask(words).ok()?;
                let Some(moved) = reply.strip_prefix("-MOVED ") else {
                    return (!reply.starts_with('-')).then_some(reply);
                };
                let (_, address) = moved.split_once(' ').expect("a slot and an address");
                let (_, to) = address.rsplit_once(':').expect("a host and a port");
                assert_ne!(to, port.to_string(), "a node sent a client to itself");
                port = to.parse().expect("a port");
            }
            None
        })
    }
}

/// The plan of a cluster of these machines; `number` tells plans apart.
pub fn plan(machines: &[Machine], replicas_per_shard: usize, number: u8) -> Plan {
    let mut shard = 0;
    let options = PlanOptions {
        cluster_id: ClusterId::new([number; 20]),
        secret: Some(Secret("correct-horse-battery-staple".into())),
        replicas_per_shard,
        shard_id: &mut || {
            shard += 1;
            ShardId::new([shard; 20])
        },
    };
    let nodes = machines.iter().map(|machine| {
        let id: NodeId = machine.id().parse().expect("an id");
        let (port, bus_port) = (machine.port, machine.bus_port);
        let host = "127.0.0.1".into();
        (id, Address { host, hostname: None, port, bus_port, tls_port: 0 })
    });
    Plan::new(nodes.collect(), options).expect("the machines fit the shards")
}

/// Looks again and again until there is something to see.
#[expect(clippy::disallowed_methods, reason = "a test looks at other threads' nodes")]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = std::time::Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(start.elapsed() < PATIENCE, "waited too long until {what}");
        std::thread::sleep(LOOK);
    }
}
