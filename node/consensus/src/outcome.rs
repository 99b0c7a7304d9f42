//! What becomes of a proposal that is not applied here under its tag.
//!
//! The difference between the two outcomes is a promise to clients: only what
//! provably never reached the log may be proposed again. openraft answers
//! `ForwardToLeader` before it assigns a log index, so that is the one certain
//! refusal. An entry that was appended and then cut off may sit on another
//! node and be committed by the next leader, and a ticket that is dropped
//! unanswered says nothing at all; both are unknown.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use openraft::OptionalSend;
use openraft::errors::ClientWriteError;
use openraft::raft::ClientWriteResult;
use openraft::raft::responder::Responder;

use crate::types::{LogId, RaftId, TypeConfig};

/// A proposal came to nothing, or to nobody knows what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It never reached any log. It may be proposed again, to the leader if
    /// one is known.
    NotAppended {
        /// The leader as far as this node knows; never this node itself.
        leader: Option<RaftId>,
    },
    /// It may have been committed or may yet be. It must not be repeated on
    /// the client's behalf.
    Unknown,
}

/// Receives every outcome that is not an apply, with the proposal's tag. Called
/// on the node thread, and never from within
/// [`GroupHandle::propose`](crate::GroupHandle::propose).
pub type Outcomes = Arc<dyn Fn(u64, Outcome) + Send + Sync>;

/// Tags of committed entries that wait for their turn to be applied, in log
/// order.
#[derive(Clone, Debug, Default)]
pub(crate) struct CommittedTags(Arc<Mutex<VecDeque<(u64, u64)>>>);

impl CommittedTags {
    fn push(&self, index: u64, tag: u64) {
        self.0.lock().expect("no panic while held").push_back((index, tag));
    }

    /// The tag of the entry at `index`, which must be asked for in log order.
    pub(crate) fn take(&self, index: u64) -> Option<u64> {
        let mut queue = self.0.lock().expect("no panic while held");
        while let Some(&(at, tag)) = queue.front() {
            if at > index {
                return None;
            }
            queue.pop_front();
            if at == index {
                return Some(tag);
            }
        }
        None
    }
}

/// Rides through openraft with a proposal and reports what became of it.
#[derive(Debug)]
pub struct Ticket<T> {
    claim: Option<Claim>,
    result: std::marker::PhantomData<fn(T)>,
}

/// What makes a ticket unique; gone once it has been answered.
struct Claim {
    tag: u64,
    me: RaftId,
    tags: CommittedTags,
    sink: Outcomes,
}

impl std::fmt::Debug for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claim").field("tag", &self.tag).finish_non_exhaustive()
    }
}

impl<T> Ticket<T> {
    pub(crate) fn new(tag: u64, me: RaftId, tags: CommittedTags, sink: Outcomes) -> Self {
        let claim = Claim { tag, me, tags, sink };
        Self { claim: Some(claim), result: std::marker::PhantomData }
    }
}

impl<T: OptionalSend + 'static> Responder<TypeConfig, T> for Ticket<T> {
    fn on_commit(&mut self, log_id: LogId) {
        if let Some(claim) = &self.claim {
            claim.tags.push(log_id.index, claim.tag);
        }
    }

    fn on_complete(mut self, result: T) {
        let Some(claim) = self.claim.take() else { return };
        let result: &dyn Any = &result;
        match result.downcast_ref::<ClientWriteResult<TypeConfig>>() {
            // The machine saw the entry with its tag.
            Some(Ok(_)) => {}
            Some(Err(ClientWriteError::ForwardToLeader(forward))) => {
                let leader = forward.leader_id.filter(|leader| *leader != claim.me);
                (claim.sink)(claim.tag, Outcome::NotAppended { leader });
            }
            _ => (claim.sink)(claim.tag, Outcome::Unknown),
        }
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        if let Some(claim) = self.claim.take() {
            (claim.sink)(claim.tag, Outcome::Unknown);
        }
    }
}

#[cfg(test)]
mod tests {
    use openraft::errors::{ForwardReason, ForwardToLeader};

    use super::*;

    type Result = ClientWriteResult<TypeConfig>;

    fn outcome_of(end: impl FnOnce(Ticket<Result>)) -> Vec<(u64, Outcome)> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink: Outcomes = {
            let seen = Arc::clone(&seen);
            Arc::new(move |tag, outcome| seen.lock().unwrap().push((tag, outcome)))
        };
        end(Ticket::new(9, 1, CommittedTags::default(), sink));
        Arc::try_unwrap(seen).ok().unwrap().into_inner().unwrap()
    }

    fn forward(leader_id: Option<RaftId>, reason: ForwardReason) -> ForwardToLeader<TypeConfig> {
        ForwardToLeader { leader_id, leader_node: None, reason }
    }

    #[test]
    fn only_a_refusal_before_the_log_may_be_repeated() {
        let refused = [
            (forward(Some(2), ForwardReason::NotLeader), Some(2)),
            (forward(None, ForwardReason::LeaseExpired), None),
            (forward(Some(3), ForwardReason::LeadershipTransfer), Some(3)),
            // Never a redirection to the answering node itself.
            (forward(Some(1), ForwardReason::NotLeader), None),
        ];
        for (error, leader) in refused {
            let seen = outcome_of(|t| t.on_complete(Err(ClientWriteError::ForwardToLeader(error))));
            assert_eq!(seen, [(9, Outcome::NotAppended { leader })]);
        }
    }

    #[test]
    fn a_discarded_entry_and_a_dropped_ticket_are_unknown() {
        let discarded =
            ClientWriteError::LogEntryDiscarded(forward(Some(2), ForwardReason::NotLeader));
        let seen = outcome_of(|t| t.on_complete(Err(discarded)));
        assert_eq!(seen, [(9, Outcome::Unknown)]);
        assert_eq!(outcome_of(drop), [(9, Outcome::Unknown)]);
    }

    #[test]
    fn tags_are_found_by_index_and_stale_ones_skipped() {
        let tags = CommittedTags::default();
        for (index, tag) in [(3, 30), (4, 40), (7, 70)] {
            tags.push(index, tag);
        }
        assert_eq!(tags.take(4), Some(40));
        assert_eq!(tags.take(5), None);
        assert_eq!(tags.take(7), Some(70));
        assert_eq!(tags.take(8), None);
    }
}
