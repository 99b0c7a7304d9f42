//! Starting a group.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use openraft::storage::RaftLogStorage;
use openraft::{Config, SnapshotPolicy};
use quoris_storage::{Log, LogOptions, Snapshots};
use tokio::sync::{mpsc, watch};

use super::beats::Beats;
use super::proposer::Proposer;
use super::status::{self, Standing};
use super::{GroupError, GroupHandle, Inner, election};
use crate::audience::Audience;
use crate::bus::Member;
use crate::fault::Fault;
use crate::lease::Lease;
use crate::log::{Ballot, MetaStore, SegmentStore};
use crate::machine::Machine;
use crate::network::NetworkFactory;
use crate::outcome::{CommittedTags, Outcomes};
use crate::quarantine::Quarantine;
use crate::shelf::Shelf;
use crate::state_machine::{Growth, StateMachine};
use crate::timing::{Durability, Timing};
use crate::types::{GroupId, Raft, RaftId};
use crate::world::World;

/// What a group is and how it behaves.
#[derive(Clone, Debug)]
pub struct GroupOptions {
    /// Its name.
    pub group: GroupId,
    /// The cluster it belongs to. Calls from another are refused.
    pub cluster_id: String,
    /// This node.
    pub raft_id: RaftId,
    /// Heartbeats and elections.
    pub timing: Timing,
    /// What "written" means for entries of a shard.
    pub durability: Durability,
    /// Where its log lies.
    pub log: LogKind,
    /// The log is compacted when it has grown by this many bytes since the
    /// last snapshot.
    pub snapshot_log_bytes: u64,
    /// Entries that stay in the log although a snapshot holds them, so that a
    /// follower that is a little behind need not be sent a snapshot.
    pub kept_entries: u64,
}

/// Where a group's log lies.
#[derive(Clone, Debug)]
pub enum LogKind {
    /// In segments and snapshot files of its own.
    Segments {
        /// The directory of the segments.
        log_dir: PathBuf,
        /// The directory of the snapshots.
        snapshot_dir: PathBuf,
        /// Sizes.
        options: LogOptions,
    },
    /// In the metadata store, snapshot included, and in memory.
    Meta,
}

/// A group's log, of either kind.
pub(super) enum Store {
    Segments(SegmentStore),
    Meta(MetaStore),
}

/// What the parts of a group share from the start.
struct Parts {
    lease: Lease,
    fault: Fault,
    ballot: Ballot,
    store: Store,
    shelf: Shelf,
    audience: Audience,
}

impl GroupHandle {
    /// Brings `machine`, which must be empty, up from the newest snapshot and
    /// starts the group. It is reachable over the bus on return.
    ///
    /// # Errors
    /// [`GroupError::Storage`] if what is on the disk cannot be read;
    /// [`GroupError::Refused`] if the machine is not empty or the node takes
    /// part in the group already.
    pub async fn start<M: Machine>(
        options: GroupOptions,
        machine: Rc<RefCell<M>>,
        outcomes: Outcomes,
        world: &World,
    ) -> Result<Self, GroupError> {
        if machine.borrow().applied().is_some() {
            return Err(GroupError::Refused("a group starts with an empty machine".to_owned()));
        }
        let parts = open(&options, world)?;
        let vote = parts.ballot.read().map_err(storage("read the vote"))?;
        let tags = CommittedTags::default();
        let Parts { lease, fault, store, shelf, audience, .. } = parts;
        let (full, log_is_full) = mpsc::channel(1);
        let growth = Growth::new(options.snapshot_log_bytes, full);
        let sm = StateMachine::new(machine, tags.clone(), growth, shelf, audience, fault.clone());
        let (raft, voters) = world.scope.run(run(&options, world, &lease, &store, sm)).await?;

        let promised = election::may_have_promised(options.raft_id, vote.as_ref(), &voters);
        let quarantine = Quarantine::new(promised);
        let registration = world.registry.enter(options.group.clone(), |left| Member {
            cluster_id: options.cluster_id.clone(),
            me: options.raft_id,
            raft: raft.clone(),
            quarantine: quarantine.clone(),
            scope: world.scope.clone(),
            left,
        });
        let Some(registration) = registration else {
            let _ = world.scope.run(raft.shutdown()).await;
            return Err(GroupError::Refused(format!("{} runs here already", options.group)));
        };
        if let Some(pulse) = &world.pulse {
            pulse.enter(&options.group, raft.clone(), quarantine.clone());
        }
        if promised {
            let sit_out = election::sit_out(raft.clone(), quarantine, options.timing);
            tokio::spawn(world.scope.run(sit_out));
        } else {
            election::release(&raft, &quarantine);
        }

        tokio::spawn(world.scope.run(compact(raft.clone(), log_is_full)));
        let (standing, watched) = watch::channel(Standing::of(&raft, &lease, None));
        let beats = Beats {
            pulse: world.pulse.clone(),
            group: options.group.clone(),
            cluster_id: options.cluster_id.clone(),
            me: options.raft_id,
        };
        let follow = status::follow(raft.clone(), lease.clone(), fault, beats.clone(), standing);
        tokio::spawn(world.scope.run(follow));
        let (proposals, received) = mpsc::unbounded_channel();
        let proposer = Proposer { me: options.raft_id, raft: raft.clone(), tags, sink: outcomes };
        tokio::spawn(world.scope.run(proposer.run(received)));
        Ok(Self(Arc::new(Inner {
            group: options.group,
            me: options.raft_id,
            timing: options.timing,
            raft,
            store,
            syncers: world.syncers.clone(),
            lease,
            scope: world.scope.clone(),
            beats,
            proposals,
            standing: watched,
            registration: Mutex::new(Some(registration)),
        })))
    }
}

fn open(options: &GroupOptions, world: &World) -> Result<Parts, GroupError> {
    let lease = Lease::new(options.raft_id);
    let fault = Fault::new(lease.clone());
    let audience = Audience::default();
    let group = &options.group;
    let ballot = Ballot::new(world.meta.clone(), group, lease.clone(), fault.clone());
    let (store, shelf) = match &options.log {
        LogKind::Segments { log_dir, snapshot_dir, options: sizes } => {
            let log =
                Log::open(world.disk.clone(), log_dir, *sizes).map_err(storage("open the log"))?;
            let syncer =
                (world.syncers)(options.durability).map_err(storage("start the log thread"))?;
            let snapshots = Snapshots::open(world.disk.clone(), snapshot_dir, &group.0)
                .map_err(storage("open the snapshots"))?;
            let store =
                SegmentStore::new(log, syncer, ballot.clone(), audience.clone(), fault.clone());
            let shelf = Shelf::in_files(snapshots, group.clone(), world.offload);
            (Store::Segments(store), shelf)
        }
        LogKind::Meta => {
            let store = MetaStore::open(world.meta.clone(), group, ballot.clone(), fault.clone())
                .map_err(storage("read the log"))?;
            (Store::Meta(store), Shelf::in_meta(world.meta.clone(), group))
        }
    };
    Ok(Parts { lease, fault, ballot, store, shelf, audience })
}

/// Takes a snapshot whenever the log has grown enough, until the state machine
/// is gone.
async fn compact(raft: Raft, mut log_is_full: mpsc::Receiver<()>) {
    while log_is_full.recv().await.is_some() {
        if raft.trigger().snapshot().await.is_err() {
            return;
        }
    }
}

/// Starts openraft with elections off, and learns who the voters are.
async fn run(
    options: &GroupOptions,
    world: &World,
    lease: &Lease,
    store: &Store,
    sm: StateMachine,
) -> Result<(Raft, BTreeSet<RaftId>), GroupError> {
    let network = NetworkFactory {
        cluster_id: options.cluster_id.clone(),
        group: options.group.clone(),
        me: options.raft_id,
        peers: world.peers.clone(),
        lease: lease.clone(),
        timing: options.timing,
        reach: match store {
            Store::Segments(log) => log.reach(),
            Store::Meta(log) => log.reach(),
        },
    };
    let config = Arc::new(config(options)?);
    let raft = match store {
        Store::Segments(log) => build(options.raft_id, config, network, log.clone(), sm).await,
        Store::Meta(log) => build(options.raft_id, config, network, log.clone(), sm).await,
    }?;
    let voters =
        raft.with_raft_state(|state| state.membership_state.effective().voter_ids().collect());
    let voters = voters.await.map_err(super::stopped)?;
    Ok((raft, voters))
}

async fn build<L: RaftLogStorage<crate::types::TypeConfig>>(
    me: RaftId,
    config: Arc<Config>,
    network: NetworkFactory,
    log: L,
    sm: StateMachine,
) -> Result<Raft, GroupError> {
    Raft::new(me, config, network, log, sm)
        .await
        .map_err(|fatal| storage("recover the group")(io::Error::other(fatal.to_string())))
}

fn config(options: &GroupOptions) -> Result<Config, GroupError> {
    let millis = |duration: std::time::Duration| duration.as_millis() as u64;
    let config = Config {
        cluster_name: options.group.0.clone(),
        heartbeat_interval: millis(options.timing.heartbeat),
        election_timeout_min: millis(options.timing.election_min),
        election_timeout_max: millis(options.timing.election_max),
        // Entries that have just been acknowledged make a heartbeat superfluous.
        heartbeat_min_interval: Some(millis(options.timing.heartbeat) / 2),
        max_payload_entries: 64,
        snapshot_policy: SnapshotPolicy::Never,
        max_in_snapshot_log_to_keep: options.kept_entries,
        purge_batch_size: 1,
        api_batch_capacity: 1,
        api_batch_linger_ms: 0,
        broadcast_submitted_on_append: Some(true),
        enable_pre_vote: Some(true),
        // A leader that restarts has lost its state and its followers' promise.
        enable_leader_restore: Some(false),
        enable_elect: false,
        ..Config::default()
    };
    config.validate().map_err(|error| GroupError::Refused(error.to_string()))
}

fn storage<E: Into<io::Error>>(doing: &'static str) -> impl FnOnce(E) -> GroupError {
    move |error| GroupError::Storage { doing, source: error.into() }
}
