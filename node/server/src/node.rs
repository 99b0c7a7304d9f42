//! A node: starts its parts, runs until it is to stop, and takes them down again.
//!
//! A node is a plain value; a process may hold many. It lives on one thread, inside a
//! `LocalSet` or a local runtime.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use quoris_consensus as consensus;
use quoris_consensus::{
    AddressBook, GroupHandle, GroupOptions, LogKind, Outcome, Outcomes, Peers, RaftId, Registry,
    Scope, Transport,
};
use quoris_storage::LogOptions;
use send_wrapper::SendWrapper;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::commands;
use crate::config::Config;
use crate::connection::listen;
use crate::error::StartError;
use crate::expiry;
use crate::flush;
use crate::identity::Identity;
use crate::machine::{self, ShardMachine, empty_engine};
use crate::registry;
use crate::routes::Alone;
use crate::settings::{addresses_of, durability_of, engine_settings, timing_of};
use crate::shared::{Exit, Parts, Shared};
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
}

impl Node {
    /// Starts a node. It answers clients on return.
    ///
    /// # Errors
    /// [`StartError`], with what to do about it.
    pub async fn start<T: Transport>(config: Config, world: &World<T>) -> Result<Node, StartError> {
        let identity = Identity::load(&world.data, &*world.meta, &*world.entropy)?;
        let mut listeners = Vec::new();
        for (address, may_miss) in addresses_of(&config).map_err(StartError::Bind)? {
            match listen(&world.transport, address, config.port()).await {
                Ok(listener) => listeners.push(listener),
                Err(_) if may_miss => {}
                Err(source) => {
                    let address = SocketAddr::new(address, config.port());
                    return Err(StartError::Listen { address, source });
                }
            }
        }
        let shared = Shared::new(Parts {
            engine: empty_engine(engine_settings(&config), identity.hash_seed),
            registry: registry::Registry::new(commands::FAMILIES),
            config,
            identity,
            clock: Rc::clone(&world.clock),
            entropy: Rc::clone(&world.entropy),
            routes: Rc::new(Alone),
        });
        let group = start_shard(&shared, world).await?;
        *shared.group.borrow_mut() = Some(group);

        let mut tasks = JoinSet::new();
        tasks.spawn_local(flush::run(Rc::clone(&shared)));
        tasks.spawn_local(upkeep::run(Rc::clone(&shared)));
        tasks.spawn_local(expiry::run(Rc::clone(&shared)));
        tasks.spawn_local(upkeep::watch_group(Rc::clone(&shared)));
        let addresses: Vec<_> = listeners.iter().map(|listener| listener.address).collect();
        shared.port.set(addresses.first().map_or(0, SocketAddr::port));
        for listener in listeners {
            tasks.spawn_local(listener.run(Rc::clone(&shared)));
        }
        Ok(Node { shared, addresses, tasks })
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
            let _ = tokio::time::timeout(HANDOVER, hand_over(&self.shared.group())).await;
        }
        if exit != Exit::Failed {
            drain(&self.shared).await;
        }
        self.tasks.shutdown().await;
        while !self.shared.sessions.is_empty() {
            self.shared.sessions.list().iter().for_each(|session| session.kill());
            tokio::task::yield_now().await;
        }
        let group = self.shared.group.take();
        if let Some(group) = group {
            group.shutdown().await;
        }
        exit
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

async fn start_shard<T: Transport>(
    shared: &Rc<Shared>,
    world: &World<T>,
) -> Result<GroupHandle, StartError> {
    let raft_id = shared.identity.raft_id();
    let options = group_options(shared);
    let world = consensus::World {
        disk: Arc::clone(&world.disk),
        meta: Arc::clone(&world.meta),
        syncers: Arc::clone(&world.syncers),
        offload: world.offload,
        peers: Peers::new(world.transport.clone(), Arc::new(Nobody), None),
        registry: Registry::new(),
        scope: Scope::new(world.entropy.next_u64()),
        // A node that is alone has nobody to reassure.
        pulse: None,
    };
    let dir = shared.config.borrow().dir().to_owned();
    let failed = |source| StartError::Shard { dir: dir.clone(), source };
    let machine = Rc::new(RefCell::new(ShardMachine::new(shared)));
    let outcomes = outcomes_of(shared);
    let group = GroupHandle::start(options, machine, outcomes, &world).await.map_err(failed)?;
    let is_new = group.watch().borrow().voters.is_empty();
    if is_new {
        group.initialize(BTreeSet::from([raft_id])).await.map_err(failed)?;
    }
    Ok(group)
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

/// The address book of a node that is alone.
struct Nobody;

impl AddressBook for Nobody {
    fn bus_address(&self, _: RaftId) -> Option<String> {
        None
    }
}
