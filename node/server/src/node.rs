//! A node: starts its parts, runs until it is to stop, and takes them down again.
//!
//! A node is a plain value; a process may hold many. It lives on one thread, inside a
//! `LocalSet` or a local runtime.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use quoris_consensus as consensus;
use quoris_consensus::{
    Bus, GroupHandle, GroupOptions, LogKind, Offload, Outcome, Outcomes, Peers, Pulse, Registry,
    Scope, Secret, Transport,
};
use quoris_storage::{Disk, LogOptions, read_file};
use send_wrapper::SendWrapper;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::blocking;
use crate::cluster::{
    Addresses, Cluster, ClusterAdmin, ClusterOptions, Formation, OpenBus, Turn, bus_port,
};
use crate::commands;
use crate::config::Config;
use crate::connection::{Listener, listen};
use crate::error::StartError;
use crate::expiry;
use crate::flush;
use crate::functions;
use crate::identity::Identity;
use crate::machine::{self, ShardMachine, empty_engine};
use crate::migrate;
use crate::pubsub::{self, NodeMessages};
use crate::reclaim::Reclaim;
use crate::registry;
use crate::saves;
use crate::settings::{addresses_of, durability_of, timing_of};
use crate::shard_settings;
use crate::shared::{Exit, Parts, Shared};
use crate::stranded;
use crate::turn::Failure;
use crate::upkeep;
use crate::waits::Pause;
use crate::world::World;

/// How long a node that stops waits for another leader to take over.
const HANDOVER: Duration = Duration::from_secs(5);

/// How long it waits for the commands under way.
const DRAIN: Duration = Duration::from_secs(2);

/// A running node.
pub struct Node {
    shared: Rc<Shared>,
    addresses: Vec<SocketAddr>,
    tasks: JoinSet<()>,
    bus: OpenBus,
}

impl Node {
    /// Starts a node. It answers clients on return.
    ///
    /// # Errors
    /// [`StartError`], with what to do about it.
    pub async fn start<T: Transport>(config: Config, world: &World<T>) -> Result<Node, StartError> {
        let binds = addresses_of(&config).map_err(StartError::Bind)?;
        let listeners = open_listeners(&config, &binds, world).await?;
        let addresses: Vec<_> = listeners.iter().map(|listener| listener.address).collect();
        let port = addresses.first().map_or(config.port(), SocketAddr::port);

        let options = ClusterOptions::of(&config, port);
        let (cluster, peers) = know_cluster(&config, options, world)?;
        let formation = cluster.formation();
        let secret = formation.secret().cloned();
        let identity = Identity::of(formation, &*world.meta, &*world.entropy)?;
        let (bus_port, timing) = (bus_port(&config, port), timing_of(&config));
        let reclaim = Reclaim::start(world.offload).map_err(|source| {
            let doing = "start the thread that frees memory";
            StartError::System { doing, source }
        })?;
        let shared = Shared::new(Parts {
            reclaim,
            dial: migrate::dial(&world.transport),
            engine: empty_engine(identity.hash_seed),
            registry: registry::Registry::new(commands::FAMILIES),
            config,
            identity,
            cluster: Rc::clone(&cluster),
            clock: Rc::clone(&world.clock),
            entropy: Rc::clone(&world.entropy),
        });
        shared.port.set(port);
        shared.configure_notifications();
        if !cluster.formation().is_alone() {
            shard_settings::follow(&shared);
        }
        let pulse = start_pulse(&shared, &peers, world.offload)?;
        let groups = consensus::World {
            disk: Arc::clone(&world.disk),
            meta: Arc::clone(&world.meta),
            syncers: Arc::clone(&world.syncers),
            offload: world.offload,
            peers,
            registry: Registry::new(),
            scope: Scope::new(world.entropy.next_u64()),
            pulse,
        };
        let bus = OpenBus::open(&world.transport, &binds, bus_port, || Bus {
            secret: secret.clone(),
            groups: groups.registry.clone(),
            admin: Rc::new(ClusterAdmin(Rc::clone(&cluster))),
            messages: Some(Rc::new(NodeMessages::new(&shared))),
        });
        let bus = bus.await?;
        let group = start_shard(&shared, &groups).await?;
        *shared.group.borrow_mut() = Some(group.clone());
        let started = cluster.start(group, timing, &groups, turned(&shared)).await;
        started.map_err(|source| {
            let dir = shared.config.borrow().dir().to_owned();
            StartError::Topology { dir, source }
        })?;

        let mut tasks = JoinSet::new();
        tasks.spawn_local(flush::run(Rc::clone(&shared)));
        tasks.spawn_local(upkeep::run(Rc::clone(&shared)));
        tasks.spawn_local(expiry::run(Rc::clone(&shared)));
        tasks.spawn_local(blocking::run(Rc::clone(&shared)));
        tasks.spawn_local(stranded::run(Rc::clone(&shared)));
        tasks.spawn_local(shard_settings::run(Rc::clone(&shared)));
        tasks.spawn_local(functions::run(Rc::clone(&shared)));
        tasks.spawn_local(saves::run(Rc::clone(&shared)));
        tasks.spawn_local(upkeep::watch_group(Rc::clone(&shared)));
        tasks.spawn_local(pubsub::run(Rc::clone(&shared)));
        for listener in listeners {
            tasks.spawn_local(listener.run(Rc::clone(&shared)));
        }
        Ok(Node { shared, addresses, tasks, bus })
    }

    /// What all its parts share.
    pub fn shared(&self) -> &Rc<Shared> {
        &self.shared
    }

    /// Where clients connect to.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Runs until the node is to stop, hands leadership over, and takes everything down.
    pub async fn run(mut self) -> Exit {
        let mut stopped = self.shared.stopped();
        // The sender lives as long as the node.
        let exit = stopped.wait_for(Option::is_some).await.map_or(None, |exit| *exit);
        let exit = exit.unwrap_or(Exit::Shutdown);
        if exit == Exit::Shutdown {
            // Whether somebody takes over or not, this node stops.
            let _ = tokio::time::timeout(HANDOVER, hand_over_all(&self.shared)).await;
        }
        if exit != Exit::Failed {
            drain(&self.shared).await;
        }
        self.tasks.shutdown().await;
        close_sessions(&self.shared).await;
        self.shared.cluster().stop().await;
        let group = self.shared.group.take();
        if let Some(group) = group {
            group.shutdown().await;
        }
        self.bus.close().await;
        exit
    }
}

/// Closes all connections, and waits until their tasks have noticed: what they hold of the node
/// would outlive it. One whose task has panicked never will.
async fn close_sessions(shared: &Shared) {
    let end = Instant::now() + DRAIN;
    while !shared.sessions.is_empty() && Instant::now() < end {
        shared.sessions.list().iter().for_each(|session| session.kill());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Holds back new commands, and waits until those under way have been answered.
async fn drain(shared: &Rc<Shared>) {
    let end = Instant::now() + DRAIN;
    shared.pause(Pause::All(end));
    while !shared.is_quiet() && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Gives leadership to another voter, if this node leads and there is one.
async fn hand_over(group: &GroupHandle) {
    let standing = group.watch().borrow().clone();
    if !group.is_leader() {
        return;
    }
    for voter in standing.voters.iter().filter(|voter| Some(**voter) != standing.leader) {
        match group.transfer_leader(*voter).await {
            Ok(()) => return,
            Err(error) => tracing::warn!("hand leadership to {voter:016x}: {error}"),
        }
    }
}

async fn open_listeners<T: Transport>(
    config: &Config,
    binds: &[(IpAddr, bool)],
    world: &World<T>,
) -> Result<Vec<Listener<T>>, StartError> {
    let mut listeners = Vec::new();
    for (address, may_miss) in binds {
        match listen(&world.transport, *address, config.port()).await {
            Ok(listener) => listeners.push(listener),
            Err(_) if *may_miss => {}
            Err(source) => {
                let address = SocketAddr::new(*address, config.port());
                return Err(StartError::Listen { address, source });
            }
        }
    }
    Ok(listeners)
}

/// What the node belongs to, and its way to the others.
fn know_cluster<T: Transport>(
    config: &Config,
    options: ClusterOptions,
    world: &World<T>,
) -> Result<(Rc<Cluster>, Peers), StartError> {
    let secret = told_secret(config, &*world.disk)?;
    let local = options.address.to_address();
    let formation = Formation::load(&*world.disk, &*world.meta, &world.data, &local, secret)?;
    let addresses = Addresses::default();
    let book = Arc::new(addresses.clone());
    let peers = Peers::new(world.transport.clone(), book, formation.secret());
    let cluster = Cluster::new(formation, options, (addresses, peers.clone()), world)?;
    Ok((cluster, peers))
}

/// Keeps this node in office while it is busy. A node that is alone has nobody to reassure, and
/// the simulation has no threads.
fn start_pulse(
    shared: &Shared,
    peers: &Peers,
    offload: Offload,
) -> Result<Option<Pulse>, StartError> {
    if offload == Offload::Inline || shared.cluster().formation().is_alone() {
        return Ok(None);
    }
    let config = shared.config.borrow();
    let pulse = Pulse::start(peers, timing_of(&config), config.engine_stall_timeout());
    let doing = "start the thread that repeats heartbeats";
    pulse.map(Some).map_err(|source| StartError::System { doing, source })
}

/// The content of `cluster-secret-file`, without the white space around it.
fn told_secret(config: &Config, disk: &dyn Disk) -> Result<Option<Secret>, StartError> {
    let Some(path) = config.cluster_secret_file() else { return Ok(None) };
    let refused = |problem: String| StartError::Secret { path: path.to_owned(), problem };
    let bytes = read_file(disk, path).map_err(|error| refused(error.to_string()))?;
    let text = String::from_utf8_lossy(&bytes);
    let secret = Secret::new(text.trim());
    secret.map(Some).ok_or_else(|| refused("not a line of visible ASCII characters".to_owned()))
}

/// Lets requests look again when something has changed that decides where they go.
fn turned(shared: &Rc<Shared>) -> impl Fn(Turn) + 'static {
    let shared = Rc::downgrade(shared);
    move |turn| {
        let Some(shared) = shared.upgrade() else { return };
        match turn {
            Turn::Topology => shared.set_routes(shared.cluster()),
            Turn::Leaders => shared.waits.resume_leaderless(),
        }
    }
}

/// Gives up leadership of both groups.
async fn hand_over_all(shared: &Shared) {
    hand_over(&shared.group()).await;
    if let Some(topology) = shared.cluster().topology_group() {
        hand_over(&topology).await;
    }
}

async fn start_shard(
    shared: &Rc<Shared>,
    world: &consensus::World,
) -> Result<GroupHandle, StartError> {
    let dir = shared.config.borrow().dir().to_owned();
    let machine = Rc::new(RefCell::new(ShardMachine::new(shared)));
    let outcomes = outcomes_of(shared);
    let started = GroupHandle::start(group_options(shared), machine, outcomes, world).await;
    started.map_err(|source| StartError::Shard { dir, source })
}

fn group_options(shared: &Shared) -> GroupOptions {
    let config = shared.config.borrow();
    GroupOptions {
        group: shared.identity.shard_group(),
        cluster_id: shared.identity.cluster.clone(),
        raft_id: shared.identity.raft_id(),
        timing: timing_of(&config),
        durability: durability_of(&config),
        log: LogKind::Segments {
            log_dir: config.dir().join("aof"),
            snapshot_dir: config.dir().join("snapshots"),
            options: LogOptions {
                segment_bytes: config.aof_segment_size(),
                ..LogOptions::default()
            },
        },
        snapshot_log_bytes: config.snapshot_log_bytes(),
        kept_entries: 1000,
    }
}

/// Tells the clients of a batch that was not applied under its tag.
fn outcomes_of(shared: &Rc<Shared>) -> Outcomes {
    let shared = SendWrapper::new(Rc::downgrade(shared));
    Arc::new(move |tag, outcome| {
        let Some(shared) = shared.upgrade() else { return };
        let failure = match outcome {
            Outcome::NotAppended { leader } => {
                let routes = shared.routes();
                Failure::NotAppended(leader.and_then(|leader| routes.client_address(leader)))
            }
            Outcome::Unknown => Failure::Unknown,
        };
        machine::fail(&shared, tag, &failure);
    })
}
