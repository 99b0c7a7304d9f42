//! This node as a member of its cluster: who the others are, where they are,
//! who leads what, and how that is agreed upon.
//!
//! # From alone to together
//!
//! A fresh node is a cluster of its own. `CLUSTER FORM` hands it a plan, which
//! it keeps in a file and obeys from its next start on, which follows at once
//! ([`formation`]). The first node of the plan and the first member of each
//! shard found the groups ([`founding`]). `cluster-cli create` only has to see
//! that every node has got the same plan; whatever crashes meanwhile, the rest
//! follows from the plan.
//!
//! # What a node knows
//!
//! The *topology* is agreed upon in a Raft group that all nodes listen to
//! ([`machine`]). Every node may propose changes; they go to whoever leads that
//! group ([`proposals`]). Beside it there is hearsay, which is faster and may be
//! wrong: leaders announce themselves to everybody ([`leaders`]), and pings
//! carry addresses ([`pings`], [`addresses`]). Hearsay only ever decides where a
//! client or a message is sent next. Whether a node may *serve* is a matter of
//! its own Raft group.
//!
//! The last topology that a node has seen is kept for its next start, so that
//! nodes which have all moved since the cluster was formed still find each
//! other after all of them were down.
//!
//! # What is answered from it
//!
//! Redirections ([`routes`]), `CLUSTER …` ([`commands`]), and the few facts
//! that `HELLO`, `ROLE` and `INFO` tell ([`facts`]).

mod addresses;
mod admin;
mod bus;
pub mod commands;
mod facts;
#[cfg(test)]
pub(crate) mod fixture;
mod form;
mod formation;
mod founding;
mod health;
mod leaders;
mod machine;
mod messages;
mod options;
mod pings;
mod proposals;
mod routes;
mod tasks;

use std::cell::{Cell, OnceCell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use quoris_consensus::{
    self as consensus, GroupError, GroupHandle, GroupId, GroupOptions, LogKind, RaftId, Timing,
    Transport,
};
use quoris_storage::{Disk, Meta, MetaError};
use quoris_topology::{Address, LeaderHints, NodeId, Plan, Topology};
use tokio::sync::watch;
use tokio::time::Instant;

pub use self::addresses::Addresses;
pub use self::admin::ClusterAdmin;
pub(crate) use self::bus::OpenBus;
pub use self::facts::{Primary, Replica};
pub use self::formation::{Formation, FormationError, accept};
use self::health::Moment;
use self::machine::{TopologyMachine, Waiting};
pub use self::options::{ClusterOptions, LocalAddress, bus_port};
use self::tasks::Tasks;
use crate::world::{Clock, World};

/// The topology group's log is compacted when it has grown by this much.
const SNAPSHOT_LOG_BYTES: u64 = 1 << 20;
/// Entries kept beyond that for nodes that are a little behind.
const KEPT_ENTRIES: u64 = 100;

/// What has changed, for those who wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The topology: slots, nodes, addresses.
    Topology,
    /// What is heard about leaders.
    Leaders,
}

/// This node's cluster. Lives on the node's thread.
pub struct Cluster {
    formation: Formation,
    options: RefCell<Rc<ClusterOptions>>,
    clock: Rc<dyn Clock>,
    meta: Arc<dyn Meta>,
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// The plan that takes effect at the next start.
    accepted: RefCell<Option<Plan>>,
    /// The record, or what stands in for it until the group has told it.
    topology: RefCell<Rc<Topology>>,
    is_formed: Cell<bool>,
    /// See [`Cluster::judge_coverage`].
    is_down: Cell<bool>,
    /// Under which address the node last had itself recorded.
    last_local: RefCell<Option<Address>>,
    hints: RefCell<LeaderHints>,
    health: RefCell<health::Peers>,
    addresses: Addresses,
    waiting: Waiting,
    peers: consensus::Peers,
    groups: RefCell<Option<Groups>>,
    changes: watch::Sender<()>,
    turned: OnceCell<Box<dyn Fn(Turn)>>,
    tasks: Tasks,
}

#[derive(Clone)]
struct Groups {
    shard: GroupHandle,
    topology: GroupHandle,
}

impl Cluster {
    /// What the node knows before it has talked to anybody. `addresses` is the
    /// book that `peers` looks nodes up in.
    ///
    /// # Errors
    /// If the metadata cannot be read.
    pub fn new<T: Transport>(
        formation: Formation,
        options: ClusterOptions,
        (addresses, peers): (Addresses, consensus::Peers),
        world: &World<T>,
    ) -> Result<Rc<Self>, MetaError> {
        let meta = Arc::clone(&world.meta);
        let topology = formation.first_topology(&*meta)?;
        let last_local = formation::last_local_address(&*meta)?;
        addresses.record(&topology);
        Ok(Rc::new(Self {
            formation,
            options: RefCell::new(Rc::new(options)),
            clock: Rc::clone(&world.clock),
            meta,
            disk: Arc::clone(&world.disk),
            dir: world.data.path().to_owned(),
            accepted: RefCell::default(),
            topology: RefCell::new(Rc::new(topology)),
            is_formed: Cell::new(false),
            is_down: Cell::new(false),
            last_local: RefCell::new(last_local),
            hints: RefCell::default(),
            health: RefCell::default(),
            addresses,
            waiting: Waiting::default(),
            peers,
            groups: RefCell::new(None),
            changes: watch::channel(()).0,
            turned: OnceCell::new(),
            tasks: Tasks::default(),
        }))
    }

    /// Starts the topology group beside the shard's, founds both if that is up
    /// to this node, and takes part in the cluster from then on. `turned` is
    /// called whenever something has changed that decides where commands go.
    ///
    /// # Errors
    /// If the topology group cannot start, or a group cannot be founded.
    pub async fn start(
        self: &Rc<Self>,
        shard: GroupHandle,
        timing: Timing,
        world: &consensus::World,
        turned: impl Fn(Turn) + 'static,
    ) -> Result<(), GroupError> {
        assert!(self.turned.set(Box::new(turned)).is_ok(), "a cluster is started once");
        let weak = Rc::downgrade(self);
        let machine = TopologyMachine::new(self.waiting.clone(), move |topology| {
            if let Some(cluster) = weak.upgrade() {
                cluster.agreed(topology);
            }
        });
        let machine = Rc::new(RefCell::new(machine));
        let outcomes = self.waiting.outcomes();
        let options = self.group_options(timing);
        let topology = GroupHandle::start(options, machine, outcomes, world).await?;
        *self.groups.borrow_mut() = Some(Groups { shard: shard.clone(), topology });
        self.found(&shard).await?;
        self.tasks.spawn(founding::keep_topology(Rc::clone(self)));
        self.tasks.spawn(leaders::follow_shard(Rc::clone(self), shard));
        self.tasks.spawn(pings::keep_address(Rc::clone(self)));
        self.tasks.spawn(pings::ping_all(Rc::clone(self)));
        Ok(())
    }

    fn group_options(&self, timing: Timing) -> GroupOptions {
        GroupOptions {
            group: GroupId::topology(),
            cluster_id: self.cluster_id(),
            raft_id: self.raft_id(),
            timing,
            durability: consensus::Durability::Always,
            log: LogKind::Meta,
            snapshot_log_bytes: SNAPSHOT_LOG_BYTES,
            kept_entries: KEPT_ENTRIES,
        }
    }

    /// Takes part no longer. The shard's group is left to whoever started it.
    pub async fn stop(&self) {
        self.tasks.stop().await;
        let groups = self.groups.take();
        if let Some(groups) = groups {
            groups.topology.shutdown().await;
        }
    }

    /// Which cluster it is, and how it was formed.
    pub fn formation(&self) -> &Formation {
        &self.formation
    }

    /// What this node was told about its part.
    pub fn options(&self) -> Rc<ClusterOptions> {
        Rc::clone(&self.options.borrow())
    }

    /// Replaces what this node was told, after `CONFIG SET`.
    pub fn configure(&self, options: ClusterOptions) {
        *self.options.borrow_mut() = Rc::new(options);
        self.judge_coverage();
        self.changes.send_replace(());
        self.turn(Turn::Topology);
    }

    /// What all nodes agree on, as far as this one knows.
    pub fn topology(&self) -> Rc<Topology> {
        Rc::clone(&self.topology.borrow())
    }

    /// This node's name in Raft.
    pub fn raft_id(&self) -> RaftId {
        self.formation.raft_id()
    }

    /// The group that keeps the topology, while the node runs.
    pub fn topology_group(&self) -> Option<GroupHandle> {
        self.groups.borrow().as_ref().map(|groups| groups.topology.clone())
    }

    fn shard_group(&self) -> Option<GroupHandle> {
        self.groups.borrow().as_ref().map(|groups| groups.shard.clone())
    }

    fn cluster_id(&self) -> String {
        self.formation.cluster_id()
    }

    fn peers(&self) -> &consensus::Peers {
        &self.peers
    }

    /// Whether the plan has become the topology group's first entry.
    fn is_formed(&self) -> bool {
        self.is_formed.get()
    }

    /// Every other node, by id.
    fn others(&self) -> Vec<NodeId> {
        let me = self.formation.me();
        self.topology().nodes().map(|node| node.id).filter(|node| *node != me).collect()
    }

    fn node_id(&self, raft_id: RaftId) -> Option<NodeId> {
        self.topology().node_by_raft_id(raft_id).map(|node| node.id)
    }

    /// Changes whenever the topology does.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    fn now(&self) -> Moment {
        Moment { at: Instant::now(), unix_ms: self.clock.unix_ms() }
    }

    /// How far the shard's log is applied here, as `CLUSTER SHARDS` counts it:
    /// 0 for nothing.
    fn offset(&self) -> u64 {
        let applied = self.shard_group().and_then(|group| group.status().applied);
        applied.map_or(0, |position| position.index + 1)
    }

    /// Where this node is to be reached now.
    fn address(&self) -> Address {
        let topology = self.topology();
        let recorded = topology.node(self.formation.me()).map(quoris_topology::Node::address);
        let last = self.last_local.borrow();
        self.options().address.resolved(last.as_ref(), recorded.as_ref())
    }

    /// The topology group has told a new record.
    fn agreed(&self, topology: &Topology) {
        if topology.cluster_id().is_none() {
            return;
        }
        self.is_formed.set(true);
        self.addresses.record(topology);
        self.hints.borrow_mut().retain_known(topology);
        self.health.borrow_mut().retain(|node| topology.node(node).is_some());
        if let Err(error) = formation::remember_topology(&*self.meta, topology) {
            tracing::warn!("keep the topology for the next start: {error}");
        }
        *self.topology.borrow_mut() = Rc::new(topology.clone());
        self.judge_coverage();
        self.changes.send_replace(());
        self.turn(Turn::Topology);
    }

    fn turn(&self, what: Turn) {
        if let Some(turned) = self.turned.get() {
            turned(what);
        }
    }
}
