//! One Raft group of a node, as the server uses it.

mod beats;
mod election;
mod options;
mod proposer;
mod status;

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use openraft::Instant as _;
use openraft::async_runtime::watch::WatchReceiver as _;
use openraft::errors::{ClientWriteError, LinearizableReadError, RaftError};
use openraft::raft::ClientWriteResponse;
use openraft::{EmptyNode, ReadPolicy};
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use self::options::Store;
pub use self::options::{GroupOptions, LogKind};
pub use self::status::{GroupStatus, Role, Standing};
use crate::bus::Registration;
use crate::lease::Lease;
use crate::runtime::Scope;
use crate::timing::{Durability, Timing};
use crate::types::{GroupId, Proposal, Raft, RaftId, TypeConfig};
use crate::world::Syncers;

/// This node does not lead the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not the leader")]
pub struct NotLeader {
    /// Who does, as far as this node knows; never this node itself.
    pub leader: Option<RaftId>,
}

/// Why a group could not be started or changed.
#[derive(Debug, Error)]
pub enum GroupError {
    /// Only the leader can do that.
    #[error(transparent)]
    NotLeader(#[from] NotLeader),
    /// The group does not allow it now, and says why.
    #[error("{0}")]
    Refused(String),
    /// The group's storage failed.
    #[error("{doing}: {source}")]
    Storage {
        /// What was attempted, as a verb phrase.
        doing: &'static str,
        /// What went wrong.
        source: io::Error,
    },
    /// The group has stopped.
    #[error("the group has stopped: {0}")]
    Stopped(String),
}

/// A running group. Cheap to clone; all clones are the same group.
#[derive(Clone)]
pub struct GroupHandle(Arc<Inner>);

struct Inner {
    group: GroupId,
    me: RaftId,
    timing: Timing,
    raft: Raft,
    store: Store,
    syncers: Syncers,
    lease: Lease,
    scope: Scope,
    beats: beats::Beats,
    proposals: mpsc::UnboundedSender<proposer::Ordered>,
    standing: watch::Receiver<Standing>,
    registration: Mutex<Option<Registration>>,
}

impl GroupHandle {
    /// The group's name.
    pub fn group(&self) -> &GroupId {
        &self.0.group
    }

    /// Hands a batch to the log and returns at once. It is appended only if
    /// this node still leads the term that it leads now, so that what the
    /// leader decided from its applied state holds if the batch commits. What
    /// becomes of it shows in [`Machine::apply`](crate::Machine::apply) under
    /// its tag, or in an [`Outcome`](crate::Outcome).
    pub fn propose(&self, proposal: Proposal) {
        let ordered = proposer::Ordered { term: self.0.lease.led_term(), proposal };
        // The task that receives them lives as long as this handle.
        let _ = self.0.proposals.send(ordered);
    }

    /// Whether this node leads. It may not know yet that it has been deposed;
    /// reads need [`GroupHandle::can_read`].
    pub fn is_leader(&self) -> bool {
        self.0.lease.led_term().is_some()
    }

    /// Whether other nodes have a say in what commits.
    pub fn has_other_voters(&self) -> bool {
        self.0.standing.borrow().voters.iter().any(|voter| *voter != self.0.me)
    }

    /// Who leads, as far as this node knows.
    pub fn leader(&self) -> Option<RaftId> {
        self.0.standing.borrow().leader
    }

    /// The newest term that this node knows of.
    pub fn term(&self) -> u64 {
        self.0.standing.borrow().term
    }

    /// Whether requests that had arrived by `now` may be answered from the
    /// applied state. `now` must have been read *after* the requests were, or a
    /// pause of the process between the two could let a stale answer out.
    pub fn can_read(&self, now: Instant) -> bool {
        self.0.lease.holds(now) || self.look_up_lease(now)
    }

    /// Asks the group whether this node still leads. After `Ok`, requests that
    /// had arrived before the call may be answered from the applied state.
    ///
    /// # Errors
    /// [`NotLeader`] if it does not, or a majority does not say so in time.
    pub async fn renew_lease(&self) -> Result<(), NotLeader> {
        if self.0.lease.is_possible() && self.linearize(ReadPolicy::LeaseRead).await.is_ok() {
            return Ok(());
        }
        self.linearize(ReadPolicy::ReadIndex).await
    }

    /// A view of the group, assembled for the occasion.
    pub fn status(&self) -> GroupStatus {
        GroupStatus::of(&self.0.raft, self.0.standing.borrow().clone())
    }

    /// Who leads, which term, who the members are, and whether something has
    /// broken: changes whenever one of them does.
    pub fn watch(&self) -> watch::Receiver<Standing> {
        self.0.standing.clone()
    }

    /// Makes the first membership of a group that has none. To be called on
    /// one of the members only.
    ///
    /// # Errors
    /// [`GroupError::Refused`] if the group has a past.
    pub async fn initialize(&self, voters: BTreeSet<RaftId>) -> Result<(), GroupError> {
        let result = self.0.scope.run(self.0.raft.initialize(voters)).await;
        result.map_err(|error| match error {
            RaftError::APIError(error) => GroupError::Refused(error.to_string()),
            RaftError::Fatal(fatal) => GroupError::Stopped(fatal.to_string()),
        })
    }

    /// Adds a member that receives the log but does not count for majorities.
    /// Returns once the group has decided so, not once it has caught up.
    ///
    /// # Errors
    /// [`GroupError::NotLeader`], or [`GroupError::Refused`] while another
    /// change is under way.
    pub async fn add_learner(&self, node: RaftId) -> Result<(), GroupError> {
        let change = self.0.raft.add_learner(node, EmptyNode::new(), false);
        self.changed(self.0.scope.run(change).await)
    }

    /// Makes `voters`, all of which must be members, the ones that count. With
    /// `keep_learners` the others stay as learners, otherwise they leave.
    ///
    /// # Errors
    /// As [`GroupHandle::add_learner`].
    pub async fn change_voters(
        &self,
        voters: BTreeSet<RaftId>,
        keep_learners: bool,
    ) -> Result<(), GroupError> {
        let change = self.0.raft.change_membership(voters, keep_learners);
        self.changed(self.0.scope.run(change).await)
    }

    /// Hands leadership to `to` and returns when somebody else leads. This node
    /// answers no more reads in this term, whether it succeeds or not.
    ///
    /// # Errors
    /// [`GroupError::NotLeader`]; [`GroupError::Refused`] if `to` is no other
    /// voter, or nobody has taken over in time.
    pub async fn transfer_leader(&self, to: RaftId) -> Result<(), GroupError> {
        let mut standing = self.watch();
        let before = standing.borrow_and_update().clone();
        if !self.is_leader() {
            return Err(self.not_leader(before.leader).into());
        }
        if to == self.0.me || !before.voters.contains(&to) {
            return Err(GroupError::Refused(format!("{to:016x} is not another voter")));
        }
        // Before the followers are told that they may forget it.
        self.0.lease.revoke();
        self.0.beats.hush();
        self.0.scope.run(self.0.raft.trigger().transfer_leader(to)).await.map_err(stopped)?;
        let taken_over = standing.wait_for(|now| {
            now.term > before.term && now.leader.is_some_and(|leader| leader != self.0.me)
        });
        match tokio::time::timeout(self.0.timing.election_max * 5, taken_over).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(GroupError::Stopped("while handing over".to_owned())),
            Err(_) => Err(GroupError::Refused("nobody took over in time".to_owned())),
        }
    }

    /// Starts a snapshot; the log is compacted when it is done.
    ///
    /// # Errors
    /// [`GroupError::Stopped`].
    pub async fn trigger_snapshot(&self) -> Result<(), GroupError> {
        self.0.scope.run(self.0.raft.trigger().snapshot()).await.map_err(stopped)
    }

    /// Changes what "written" means, from the next entry on. The topology
    /// group's entries are always synced.
    ///
    /// # Errors
    /// If the operating system cannot start the thread that syncs.
    pub fn set_durability(&self, durability: Durability) -> io::Result<()> {
        if let Store::Segments(store) = &self.0.store {
            store.set_syncer((self.0.syncers)(durability)?);
        }
        Ok(())
    }

    /// Waits until what this node's log holds by now is synced, whatever the durability. It may
    /// take as long as the durability lets a sync take: with [`Durability::EverySec`] a second.
    ///
    /// # Errors
    /// What the disk said.
    pub async fn sync(&self) -> io::Result<()> {
        match &self.0.store {
            Store::Segments(store) => store.sync().await,
            Store::Meta(_) => Ok(()),
        }
    }

    /// Bytes of the group's log that are in memory. A shard without followers keeps little of what
    /// it has applied.
    pub fn log_memory_bytes(&self) -> usize {
        match &self.0.store {
            Store::Segments(store) => store.cached_bytes(),
            Store::Meta(_) => 0,
        }
    }

    /// Leaves the bus and stops. Proposals that are under way end as unknown.
    pub async fn shutdown(&self) {
        self.0.lease.poison();
        self.0.beats.leave();
        let registration = self.0.registration.lock().expect("no panic while held").take();
        drop(registration);
        // The only error is that the core panicked, which it has reported.
        let _ = self.0.scope.run(self.0.raft.shutdown()).await;
    }

    /// Renews the cached deadline from what openraft last heard of a majority.
    fn look_up_lease(&self, now: Instant) -> bool {
        let Some(term) = self.0.lease.led_term() else { return false };
        let acked_at = {
            let metrics = self.0.raft.metrics();
            let metrics = metrics.borrow_watched();
            let vote = &metrics.vote;
            let leads = metrics.running_state.is_ok()
                && vote.committed
                && vote.leader_id.voted_for == self.0.me
                && vote.leader_id.term == term;
            // A leader's state is up to date only once it has applied an entry
            // of its own term: until then it may lack what the last one
            // acknowledged.
            let is_ready =
                metrics.last_applied.is_some_and(|applied| applied.leader_id.term == term);
            if !leads || !is_ready {
                return false;
            }
            if metrics.membership_config.voter_ids().eq([self.0.me]) {
                Some(now)
            } else {
                // Reckoned from `now`, which is not later than the present, so
                // that the result is not later than the true moment.
                metrics.last_quorum_acked.and_then(|acked| now.checked_sub(acked.elapsed()))
            }
        };
        let Some(acked_at) = acked_at else { return false };
        self.0.lease.renew(term, acked_at, self.0.timing.lease());
        self.0.lease.holds(now)
    }

    async fn linearize(&self, policy: ReadPolicy) -> Result<(), NotLeader> {
        let read = async {
            let linearizer = self.0.raft.get_read_linearizer(policy).await?;
            Ok::<_, RaftError<TypeConfig, LinearizableReadError<TypeConfig>>>(
                linearizer.await_ready(&self.0.raft).await?,
            )
        };
        match self.0.scope.run(read).await {
            Ok(_) => Ok(()),
            Err(RaftError::APIError(LinearizableReadError::ForwardToLeader(forward))) => {
                Err(self.not_leader(forward.leader_id))
            }
            Err(_) => Err(NotLeader { leader: None }),
        }
    }

    fn changed(
        &self,
        result: Result<
            ClientWriteResponse<TypeConfig>,
            RaftError<TypeConfig, ClientWriteError<TypeConfig>>,
        >,
    ) -> Result<(), GroupError> {
        match result {
            Ok(_) => Ok(()),
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(forward))) => {
                Err(self.not_leader(forward.leader_id).into())
            }
            Err(RaftError::APIError(error)) => Err(GroupError::Refused(error.to_string())),
            Err(RaftError::Fatal(fatal)) => Err(stopped(fatal)),
        }
    }

    fn not_leader(&self, leader: Option<RaftId>) -> NotLeader {
        NotLeader { leader: leader.filter(|leader| *leader != self.0.me) }
    }
}

fn stopped(fatal: impl std::fmt::Display) -> GroupError {
    GroupError::Stopped(fatal.to_string())
}
