//! Changes of the topology on their way into its group, from any node.

use std::time::Duration;

use bytes::Bytes;
use quoris_consensus::{GroupId, Proposal, ProposeError, RaftId, Stamp};
use quoris_topology::{Change, Outcome};
use tokio::time::{sleep, timeout};

use super::Cluster;

/// The version of the rules for topology entries; goes with each.
const ENGINE_VERSION: u32 = 1;
/// A forwarded proposal that takes longer has an unknown outcome.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two attempts, at first …
const PAUSE_MIN: Duration = Duration::from_millis(20);
/// … and at most.
const PAUSE_MAX: Duration = Duration::from_secs(1);

impl Cluster {
    /// Proposes an encoded change to the topology group, which this node has to
    /// lead, and waits until it has been applied here. The answer is empty.
    ///
    /// # Errors
    /// As [`ProposeError`] says.
    pub(super) async fn propose_here(&self, payload: Bytes) -> Result<Bytes, ProposeError> {
        if let Err(error) = Change::decode(&payload) {
            return Err(ProposeError::Refused(error.to_string().into()));
        }
        let Some(group) = self.topology_group() else {
            return Err(ProposeError::NotAppended { leader: None });
        };
        let (tag, verdict) = self.waiting.enlist();
        let now_ms = self.clock.unix_ms();
        let stamp = Stamp { now_ms, seed: 0, engine_version: ENGINE_VERSION };
        group.propose(Proposal { tag, stamp, payload });
        match verdict.await {
            Ok(Ok(Outcome::Applied { .. } | Outcome::Unchanged)) => Ok(Bytes::new()),
            Ok(Ok(Outcome::Refused(refusal))) => {
                Err(ProposeError::Refused(refusal.to_string().into()))
            }
            Ok(Err(quoris_consensus::Outcome::NotAppended { leader })) => {
                Err(ProposeError::NotAppended { leader })
            }
            Ok(Err(quoris_consensus::Outcome::Unknown)) | Err(_) => Err(ProposeError::Unknown),
        }
    }

    /// Proposes a change wherever the topology group's leader is, once.
    ///
    /// # Errors
    /// As [`ProposeError`] says; [`ProposeError::NotAppended`] also while there
    /// is no leader.
    pub async fn propose(&self, change: &Change) -> Result<(), ProposeError> {
        let payload = Bytes::from(change.encode());
        let group = self.topology_group();
        let Some(leader) = group.and_then(|group| group.leader()) else {
            return Err(ProposeError::NotAppended { leader: None });
        };
        let answer = if leader == self.raft_id() {
            timeout(PATIENCE, self.propose_here(payload)).await
        } else {
            timeout(PATIENCE, self.forward(leader, payload)).await
        };
        answer.unwrap_or(Err(ProposeError::Unknown)).map(drop)
    }

    async fn forward(&self, leader: RaftId, payload: Bytes) -> Result<Bytes, ProposeError> {
        let group = GroupId::topology();
        self.peers().propose(leader, &self.cluster_id(), &group, payload).await
    }

    /// Proposes a change until it has taken effect or was refused, or nobody
    /// wants it any more. Only for changes that may be applied twice.
    pub(super) async fn insist(&self, change: &Change, is_wanted: impl Fn() -> bool) {
        let mut pause = PAUSE_MIN;
        while is_wanted() {
            match self.propose(change).await {
                Ok(()) => return,
                Err(ProposeError::Refused(reason)) => {
                    let reason = String::from_utf8_lossy(&reason);
                    tracing::warn!("the topology refused {change:?}: {reason}");
                    return;
                }
                Err(ProposeError::NotAppended { .. } | ProposeError::Unknown) => {}
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
}
