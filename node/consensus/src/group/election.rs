//! When this node may campaign.

use std::collections::BTreeSet;

use crate::quarantine::Quarantine;
use crate::timing::Timing;
use crate::types::{Raft, RaftId, Vote};

/// Whether a node that finds `vote` on its disk may have promised somebody
/// else its loyalty. A node without a vote has never acknowledged anybody; a
/// node that is the only voter has nobody to promise anything to, unless its
/// last vote was for another, who may have left the voters but lead still.
pub(super) fn may_have_promised(
    me: RaftId,
    vote: Option<&Vote>,
    voters: &BTreeSet<RaftId>,
) -> bool {
    let Some(vote) = vote else { return false };
    let alone = voters.iter().eq([&me]);
    !(alone && vote.leader_id.voted_for == me)
}

/// Lifts the quarantine when every promise must have run out, and lets the
/// node campaign from then on.
pub(super) async fn sit_out(raft: Raft, quarantine: Quarantine, timing: Timing) {
    tokio::time::sleep(timing.election_max).await;
    release(&raft, &quarantine);
}

/// Lets the node campaign and vote.
pub(super) fn release(raft: &Raft, quarantine: &Quarantine) {
    quarantine.lift();
    raft.runtime_config().elect(true);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_cannot_have_promised_is_exempt() {
        let table = [
            (None, vec![], false),
            (None, vec![1, 2, 3], false),
            (Some(Vote::new_committed(4, 1)), vec![1], false),
            (Some(Vote::new(4, 1)), vec![1], false),
            (Some(Vote::new_committed(4, 2)), vec![1], true),
            (Some(Vote::new_committed(4, 1)), vec![1, 2, 3], true),
            (Some(Vote::new_committed(4, 2)), vec![1, 2, 3], true),
            (Some(Vote::new_committed(4, 2)), vec![2], true),
        ];
        for (vote, voters, promised) in table {
            let voters = voters.into_iter().collect();
            assert_eq!(
                may_have_promised(1, vote.as_ref(), &voters),
                promised,
                "{vote:?} {voters:?}"
            );
        }
    }
}
