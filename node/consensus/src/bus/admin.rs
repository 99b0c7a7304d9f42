//! The calls beside replication, as the server implements them.

use bytes::Bytes;
use futures::future::LocalBoxFuture;
use quoris_proto::admin as wire;
use quoris_proto::admin::admin_server::Admin as Service;
use send_wrapper::SendWrapper;
use std::rc::Rc;
use thiserror::Error;
use tonic::{Request, Response, Status};

use crate::types::{GroupId, RaftId};

/// "I lead this shard now."
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The shard's group.
    pub shard: GroupId,
    /// Who leads it.
    pub leader: RaftId,
    /// Since which term. An announcement of an older term is to be ignored.
    pub term: u64,
}

/// Why a forwarded proposal did not take effect.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProposeError {
    /// It never reached the log and may be proposed again.
    #[error("not appended; the leader is {leader:016x?}")]
    NotAppended {
        /// The leader, as far as known.
        leader: Option<RaftId>,
    },
    /// It may or may not take effect.
    #[error("outcome unknown")]
    Unknown,
    /// The state machine refused it, and this is what it says.
    #[error("refused: {}", String::from_utf8_lossy(.0))]
    Refused(Bytes),
}

/// What a node does for its peers, supplied by the server. It lives on the node
/// thread.
pub trait Admin: 'static {
    /// The id of the cluster that this node belongs to.
    fn cluster_id(&self) -> String;

    /// This node.
    fn raft_id(&self) -> RaftId;

    /// Proposes `payload` to the group, if this node leads it, and waits until
    /// it has been applied. The bytes are whatever the proposer's node
    /// understands.
    fn propose(
        &self,
        group: GroupId,
        payload: Bytes,
    ) -> LocalBoxFuture<'static, Result<Bytes, ProposeError>>;

    /// A peer says that it leads a shard.
    fn announce(&self, announcement: Announcement);

    /// A peer asks whether this node is there, and says how it is itself. The
    /// answer says the same about this node; both are whatever the servers
    /// understand.
    fn ping(&self, from: RaftId, news: Bytes) -> Bytes {
        let _ = (from, news);
        Bytes::new()
    }

    /// Makes `to` the leader of the group, if this node leads it. Completes
    /// when that has begun, or with the reason why it has not.
    fn hand_over(&self, group: GroupId, to: RaftId) -> LocalBoxFuture<'static, Result<(), String>> {
        let reason = format!("nobody can make {to:016x} the leader of {group} here");
        Box::pin(std::future::ready(Err(reason)))
    }
}

pub(super) struct AdminService(pub(super) SendWrapper<Rc<dyn Admin>>);

impl AdminService {
    fn check(&self, cluster_id: &str) -> Result<(), Status> {
        if self.0.cluster_id() == cluster_id {
            return Ok(());
        }
        Err(Status::failed_precondition("this node is in another cluster"))
    }
}

#[tonic::async_trait]
impl Service for AdminService {
    async fn propose(
        &self,
        request: Request<wire::ProposeRequest>,
    ) -> Result<Response<wire::ProposeReply>, Status> {
        let request = request.into_inner();
        self.check(&request.cluster_id)?;
        let work = self.0.propose(GroupId(request.group_id), request.payload);
        let result = SendWrapper::new(work).await;
        Ok(Response::new(reply_of(result)))
    }

    async fn announce(
        &self,
        request: Request<wire::AnnounceRequest>,
    ) -> Result<Response<wire::AnnounceReply>, Status> {
        let wire::AnnounceRequest { cluster_id, shard, leader, term } = request.into_inner();
        self.check(&cluster_id)?;
        self.0.announce(Announcement { shard: GroupId(shard), leader, term });
        Ok(Response::new(wire::AnnounceReply {}))
    }

    async fn ping(
        &self,
        request: Request<wire::PingRequest>,
    ) -> Result<Response<wire::PingReply>, Status> {
        let wire::PingRequest { cluster_id, from, news } = request.into_inner();
        self.check(&cluster_id)?;
        let news = self.0.ping(from, news);
        Ok(Response::new(wire::PingReply { node: self.0.raft_id(), news }))
    }

    async fn hand_over(
        &self,
        request: Request<wire::HandOverRequest>,
    ) -> Result<Response<wire::HandOverReply>, Status> {
        let wire::HandOverRequest { cluster_id, group_id, to } = request.into_inner();
        self.check(&cluster_id)?;
        let work = self.0.hand_over(GroupId(group_id), to);
        let result = SendWrapper::new(work).await;
        let accepted = result.is_ok();
        let reason = result.err().unwrap_or_default();
        Ok(Response::new(wire::HandOverReply { accepted, reason }))
    }
}

fn reply_of(result: Result<Bytes, ProposeError>) -> wire::ProposeReply {
    use wire::propose_reply::Outcome;
    let (outcome, leader, reply) = match result {
        Ok(reply) => (Outcome::Committed, None, reply),
        Err(ProposeError::NotAppended { leader }) => (Outcome::NotAppended, leader, Bytes::new()),
        Err(ProposeError::Unknown) => (Outcome::Unknown, None, Bytes::new()),
        Err(ProposeError::Refused(reply)) => (Outcome::Refused, None, reply),
    };
    wire::ProposeReply { outcome: outcome.into(), leader, reply }
}

pub(crate) fn propose_result(reply: wire::ProposeReply) -> Result<Bytes, ProposeError> {
    use wire::propose_reply::Outcome;
    match reply.outcome() {
        Outcome::Committed => Ok(reply.reply),
        Outcome::NotAppended => Err(ProposeError::NotAppended { leader: reply.leader }),
        Outcome::Unknown => Err(ProposeError::Unknown),
        Outcome::Refused => Err(ProposeError::Refused(reply.reply)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_survives_the_wire() {
        let answers = [
            Ok(Bytes::from_static(b"done")),
            Err(ProposeError::NotAppended { leader: Some(7) }),
            Err(ProposeError::NotAppended { leader: None }),
            Err(ProposeError::Unknown),
            Err(ProposeError::Refused(Bytes::from_static(b"no"))),
        ];
        for answer in answers {
            assert_eq!(propose_result(reply_of(answer.clone())), answer);
        }
    }
}
