//! The one task that hands proposals to openraft, in order.

use openraft::raft::ClientWriteResult;
use tokio::sync::mpsc;

use crate::outcome::{CommittedTags, Outcome, Outcomes, Ticket};
use crate::types::{Batch, CommittedLeaderId, Proposal, Raft, RaftId, TypeConfig};

/// A proposal, and the term that this node led when it made it.
pub(super) struct Ordered {
    pub(super) term: Option<u64>,
    pub(super) proposal: Proposal,
}

pub(super) struct Proposer {
    pub(super) me: RaftId,
    pub(super) raft: Raft,
    pub(super) tags: CommittedTags,
    pub(super) sink: Outcomes,
}

impl Proposer {
    /// Runs until every handle of the group is gone.
    pub(super) async fn run(self, mut proposals: mpsc::UnboundedReceiver<Ordered>) {
        while let Some(Ordered { term, proposal }) = proposals.recv().await {
            let Some(term) = term else {
                let leader = self.known_leader();
                (self.sink)(proposal.tag, Outcome::NotAppended { leader });
                continue;
            };
            let Proposal { tag, stamp, payload } = proposal;
            let ticket: Ticket<ClientWriteResult<TypeConfig>> =
                Ticket::new(tag, self.me, self.tags.clone(), self.sink.clone());
            let write = self.raft.write(Batch { stamp, payload });
            // A group that has stopped drops the ticket, which reports that.
            let _ = write.responder(ticket).with_leader(CommittedLeaderId::new(term)).await;
        }
    }

    fn known_leader(&self) -> Option<RaftId> {
        use openraft::async_runtime::watch::WatchReceiver as _;
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        // What a group knew when it stopped is no help.
        metrics.running_state.as_ref().ok()?;
        metrics.current_leader.filter(|leader| *leader != self.me)
    }
}
