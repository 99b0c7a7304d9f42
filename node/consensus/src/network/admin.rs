//! Calls beside replication, to one peer at a time.

use std::io;

use bytes::Bytes;
use quoris_proto::admin as wire;
use tonic::{Code, Status};

use super::peers::{Lane, Peers};
use crate::bus::{Announcement, ProposeError, propose_result};
use crate::types::{GroupId, RaftId};

impl Peers {
    /// Asks `target` to propose `payload` to a group that it leads, and waits
    /// until it has been applied there.
    ///
    /// # Errors
    /// [`ProposeError`]; a call that broke off is [`ProposeError::Unknown`].
    pub async fn propose(
        &self,
        target: RaftId,
        cluster_id: &str,
        group: &GroupId,
        payload: Bytes,
    ) -> Result<Bytes, ProposeError> {
        let request = wire::ProposeRequest {
            cluster_id: cluster_id.to_owned(),
            group_id: group.0.clone(),
            payload,
        };
        let Ok(mut client) = self.admin(target) else {
            return Err(ProposeError::NotAppended { leader: None });
        };
        match client.propose(request).await {
            Ok(reply) => propose_result(reply.into_inner()),
            Err(status) if was_refused(&status) => Err(ProposeError::NotAppended { leader: None }),
            Err(_) => Err(ProposeError::Unknown),
        }
    }

    /// Tells `target` who leads a shard.
    ///
    /// # Errors
    /// If it cannot be reached or does not want to hear.
    pub async fn announce(
        &self,
        target: RaftId,
        cluster_id: &str,
        announcement: Announcement,
    ) -> io::Result<()> {
        let request = wire::AnnounceRequest {
            cluster_id: cluster_id.to_owned(),
            shard: announcement.shard.0,
            leader: announcement.leader,
            term: announcement.term,
        };
        self.admin(target)?
            .announce(request)
            .await
            .map_err(|status| self.broke(target, &status))?;
        Ok(())
    }

    /// Asks whether `target` is there, in this cluster, and itself.
    ///
    /// # Errors
    /// If it is not.
    pub async fn ping(&self, me: RaftId, target: RaftId, cluster_id: &str) -> io::Result<()> {
        self.exchange(me, target, cluster_id, Bytes::new()).await?;
        Ok(())
    }

    /// A ping that tells `target` the news of this node and returns those of
    /// the other.
    ///
    /// # Errors
    /// As [`Peers::ping`].
    pub async fn exchange(
        &self,
        me: RaftId,
        target: RaftId,
        cluster_id: &str,
        news: Bytes,
    ) -> io::Result<Bytes> {
        let request = wire::PingRequest { cluster_id: cluster_id.to_owned(), from: me, news };
        let reply = self.admin(target)?.ping(request).await;
        let reply = reply.map_err(|status| self.broke(target, &status))?.into_inner();
        if reply.node == target {
            return Ok(reply.news);
        }
        self.forget(target, Lane::Prompt);
        Err(io::Error::other(format!("node {:016x} answers instead", reply.node)))
    }

    /// Asks `target`, which leads `group`, to make `to` its leader.
    ///
    /// # Errors
    /// If it cannot be reached, or says why it will not.
    pub async fn hand_over(
        &self,
        target: RaftId,
        cluster_id: &str,
        group: &GroupId,
        to: RaftId,
    ) -> io::Result<()> {
        let (cluster_id, group_id) = (cluster_id.to_owned(), group.0.clone());
        let request = wire::HandOverRequest { cluster_id, group_id, to };
        let reply = self.admin(target)?.hand_over(request).await;
        let reply = reply.map_err(|status| self.broke(target, &status))?.into_inner();
        if reply.accepted { Ok(()) } else { Err(io::Error::other(reply.reason)) }
    }

    fn broke(&self, target: RaftId, status: &Status) -> io::Error {
        if status.code() == Code::FailedPrecondition {
            self.forget(target, Lane::Prompt);
        }
        io::Error::other(format!("{:?}: {}", status.code(), status.message()))
    }
}

/// Whether the peer, or the gate before it, turned the call away unread.
fn was_refused(status: &Status) -> bool {
    matches!(status.code(), Code::Unauthenticated | Code::FailedPrecondition | Code::Unimplemented)
}
