//! What a group looks like from outside.

use std::collections::{BTreeMap, BTreeSet};

use openraft::ServerState;
use openraft::async_runtime::watch::WatchReceiver as _;
use openraft::errors::Fatal;
use tokio::sync::watch;

use super::beats::Beats;
use crate::fault::Fault;
use crate::lease::Lease;
use crate::types::{LogPosition, Raft, RaftId};

/// What this node is in the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Receives the log without a vote.
    Learner,
    /// Receives the log and votes.
    Follower,
    /// Stands for election.
    Candidate,
    /// Writes the log.
    Leader,
    /// Nothing any more.
    Stopped,
}

/// What others react to: roles and members. Changes rarely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What this node is.
    pub role: Role,
    /// Who leads, as far as this node knows.
    pub leader: Option<RaftId>,
    /// The newest term that this node knows of.
    pub term: u64,
    /// On a leader: it has applied an entry of its own term, so that reads can
    /// be answered and leadership announced.
    pub is_ready: bool,
    /// Members that count for majorities.
    pub voters: BTreeSet<RaftId>,
    /// Members that do not.
    pub learners: BTreeSet<RaftId>,
    /// Why this group has failed on this node, if it has. Final.
    pub fault: Option<String>,
}

/// A group's standing and how far its log has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupStatus {
    /// Roles and members.
    pub standing: Standing,
    /// The last index in this node's log.
    pub last_index: Option<u64>,
    /// The last position known to be on a majority.
    pub committed: Option<LogPosition>,
    /// The last position applied on this node.
    pub applied: Option<LogPosition>,
    /// The last position in this node's newest snapshot.
    pub snapshot: Option<LogPosition>,
    /// The last position no longer in this node's log.
    pub purged: Option<LogPosition>,
    /// On a leader: what each other member is known to hold.
    pub replicated: BTreeMap<RaftId, Option<LogPosition>>,
}

impl GroupStatus {
    pub(super) fn of(raft: &Raft, standing: Standing) -> Self {
        let metrics = raft.metrics();
        let metrics = metrics.borrow_watched();
        let replicated = metrics.replication.iter().flatten();
        Self {
            standing,
            last_index: metrics.last_log_index,
            committed: metrics.local_committed.map(Into::into),
            applied: metrics.last_applied.map(Into::into),
            snapshot: metrics.snapshot.map(Into::into),
            purged: metrics.purged.map(Into::into),
            replicated: replicated
                .filter(|(id, _)| **id != metrics.id)
                .map(|(id, matched)| (*id, matched.map(Into::into)))
                .collect(),
        }
    }
}

impl Standing {
    pub(super) fn of(raft: &Raft, lease: &Lease, fault: Option<String>) -> Self {
        let metrics = raft.metrics();
        let metrics = metrics.borrow_watched();
        let stopped = metrics.running_state.as_ref().err();
        let led = lease.led_term();
        let role = match metrics.state {
            _ if stopped.is_some() || fault.is_some() => Role::Stopped,
            ServerState::Learner => Role::Learner,
            ServerState::Follower => Role::Follower,
            ServerState::Candidate => Role::Candidate,
            ServerState::Leader => Role::Leader,
            ServerState::Shutdown => Role::Stopped,
        };
        let applied_term = metrics.last_applied.map(|applied| applied.leader_id.term);
        let membership = metrics.membership_config.membership();
        Self {
            role,
            leader: metrics.current_leader.filter(|_| role != Role::Stopped),
            term: metrics.current_term,
            is_ready: role == Role::Leader && led.is_some() && led == applied_term,
            voters: membership.voter_ids().collect(),
            learners: membership.learner_ids().collect(),
            // Being told to stop is no failure.
            fault: fault.or_else(|| {
                stopped.filter(|fatal| **fatal != Fatal::Stopped).map(ToString::to_string)
            }),
        }
    }
}

/// Keeps the standing up to date until the group stops.
pub(super) async fn follow(
    raft: Raft,
    lease: Lease,
    fault: Fault,
    beats: Beats,
    standing: watch::Sender<Standing>,
) {
    let mut server = raft.server_metrics();
    let mut data = raft.data_metrics();
    let mut faults = fault.watch();
    loop {
        let now = Standing::of(&raft, &lease, faults.borrow_and_update().clone());
        let (is_over, waits_for_apply) =
            (now.role == Role::Stopped, now.role == Role::Leader && !now.is_ready);
        beats.follow(&now, &lease);
        standing.send_if_modified(|before| {
            let changed = *before != now;
            *before = now;
            changed
        });
        if is_over {
            return;
        }
        tokio::select! {
            // Openraft drops the sender when it has stopped, for whatever reason.
            changed = server.changed() => if changed.is_err() { break },
            changed = data.changed(), if waits_for_apply => if changed.is_err() { break },
            _ = faults.changed() => {}
        }
    }
    lease.poison();
    let mut last = Standing::of(&raft, &lease, faults.borrow().clone());
    if last.role != Role::Stopped {
        // Openraft's task has died without a word.
        last.role = Role::Stopped;
        (last.leader, last.is_ready) = (None, false);
        last.fault = Some("the group's task has died".to_owned());
    }
    beats.follow(&last, &lease);
    standing.send_replace(last);
}
