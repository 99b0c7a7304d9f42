//! The receiving side of replication: finds the group, translates, and hands
//! over to openraft.

use std::pin::Pin;

use futures::stream::{self, Stream, StreamExt};
use openraft::errors::Fatal;
use openraft::raft::{
    AppendEntriesRequest, StreamAppendError, StreamAppendResult, TransferLeaderRequest,
    VoteRequest, VoteResponse,
};
use quoris_proto::raft as wire;
use quoris_proto::raft::raft_server::Raft;
use tokio::sync::watch;
use tonic::{Request, Response, Status, Streaming};

use super::{Member, Registry};
use crate::codec::{self, Malformed};
use crate::state_machine::Image;
use crate::types::{SnapshotMeta, TypeConfig};

/// A snapshot larger than this is not believed.
const SNAPSHOT_BYTES_MAX: u64 = 1 << 40;

pub(super) struct RaftService {
    pub(super) groups: Registry,
    /// Turns true when the bus shuts down.
    pub(super) closed: watch::Receiver<bool>,
}

type Replies = Pin<Box<dyn Stream<Item = Result<wire::AppendReply, Status>> + Send>>;

#[tonic::async_trait]
impl Raft for RaftService {
    type AppendStreamStream = Replies;

    async fn append_stream(
        &self,
        request: Request<Streaming<wire::AppendRequest>>,
    ) -> Result<Response<Replies>, Status> {
        let mut inbound = request.into_inner();
        let first = inbound.message().await?;
        let mut first = first.ok_or_else(|| Status::invalid_argument("nothing was sent"))?;
        let member = self.groups.find(first.route.take())?;
        let requests = stream::once(async { Ok(first) }).chain(inbound);
        let requests = requests.map(|request| decode_append(request?)).scan((), until_bad);
        let (raft, scope) = (member.raft, member.scope);
        let replies = async_stream::try_stream! {
            let results = scope.run(async { raft.stream_append(requests) }).await;
            for await result in results {
                yield encode_append(&result.map_err(|fatal| stopped(&fatal))?);
            }
        };
        let replies = replies
            .take_until(turned_true(self.closed.clone()))
            .take_until(turned_true(member.left));
        Ok(Response::new(Box::pin(replies)))
    }

    async fn vote(
        &self,
        request: Request<wire::VoteRequest>,
    ) -> Result<Response<wire::VoteReply>, Status> {
        let (member, request) = self.admit(request.into_inner())?;
        let reply = member.scope.run(member.raft.vote(request)).await;
        Ok(Response::new(vote_reply(&reply.map_err(unavailable)?)))
    }

    async fn pre_vote(
        &self,
        request: Request<wire::VoteRequest>,
    ) -> Result<Response<wire::VoteReply>, Status> {
        let (member, request) = self.admit(request.into_inner())?;
        let reply = member.scope.run(member.raft.pre_vote(request)).await;
        Ok(Response::new(vote_reply(&reply.map_err(unavailable)?)))
    }

    async fn install_snapshot(
        &self,
        request: Request<Streaming<wire::SnapshotChunk>>,
    ) -> Result<Response<wire::SnapshotReply>, Status> {
        use wire::snapshot_chunk::Part;
        let mut inbound = request.into_inner();
        let Some(wire::SnapshotChunk { part: Some(Part::Header(mut header)) }) =
            inbound.message().await?
        else {
            return Err(Status::invalid_argument("a snapshot starts with its header"));
        };
        let member = self.groups.find(header.route.take())?;
        let vote = codec::vote_from_wire(header.vote)?;
        let meta = SnapshotMeta {
            last_log_id: header.last.map(codec::log_id_from_wire),
            last_membership: codec::stored_membership_from_wire(
                header.membership_at,
                header.membership,
            )?,
        };
        let bytes = receive(&mut inbound, header.total_bytes).await?;
        let snapshot = openraft::Snapshot { meta, snapshot: Image(bytes.into()) };
        let install = member.raft.install_full_snapshot(vote, snapshot);
        let response = member.scope.run(install).await.map_err(|fatal| stopped(&fatal))?;
        let vote = Some(codec::vote_to_wire(&response.vote));
        Ok(Response::new(wire::SnapshotReply { vote }))
    }

    async fn transfer_leader(
        &self,
        request: Request<wire::TransferLeaderRequest>,
    ) -> Result<Response<wire::TransferLeaderReply>, Status> {
        let request = request.into_inner();
        let member = self.groups.find(request.route)?;
        let transfer = TransferLeaderRequest::new(
            codec::vote_from_wire(request.from_leader)?,
            request.to_node,
            request.last.map(codec::log_id_from_wire),
        );
        let handled = member.scope.run(member.raft.handle_transfer_leader(transfer)).await;
        let reply = match handled.map_err(|fatal| stopped(&fatal))? {
            Ok(()) => wire::TransferLeaderReply { accepted: true, reason: String::new() },
            Err(refusal) => {
                wire::TransferLeaderReply { accepted: false, reason: refusal.to_string() }
            }
        };
        Ok(Response::new(reply))
    }
}

impl RaftService {
    /// A node that has just restarted may have promised a leader its loyalty
    /// and forgotten: until that promise must have run out, it elects nobody.
    /// An election that the leader itself asked for breaks no promise.
    fn admit(
        &self,
        request: wire::VoteRequest,
    ) -> Result<(Member, VoteRequest<TypeConfig>), Status> {
        let member = self.groups.find(request.route)?;
        if member.quarantine.is_in_force() && !request.leadership_transfer {
            return Err(Status::unavailable("restarted: older leases may still run"));
        }
        let mut vote = VoteRequest::new(
            codec::vote_from_wire(request.vote)?,
            request.last.map(codec::log_id_from_wire),
        );
        vote.leadership_transfer = request.leadership_transfer;
        Ok((member, vote))
    }
}

fn vote_reply(reply: &VoteResponse<TypeConfig>) -> wire::VoteReply {
    wire::VoteReply {
        vote: Some(codec::vote_to_wire(&reply.vote)),
        granted: reply.vote_granted,
        last: reply.last_log_id.map(codec::log_id_to_wire),
    }
}

fn decode_append(request: wire::AppendRequest) -> Result<AppendEntriesRequest<TypeConfig>, Status> {
    let entries: Result<_, Malformed> =
        request.entries.into_iter().map(codec::entry_from_wire).collect();
    Ok(AppendEntriesRequest {
        vote: codec::vote_from_wire(request.vote)?,
        prev_log_id: request.prev.map(codec::log_id_from_wire),
        leader_commit: request.commit.map(codec::log_id_from_wire),
        entries: entries?,
    })
}

/// Ends the stream at the first request that is none. The leader, left without
/// a reply, opens another.
fn until_bad<T>(_: &mut (), request: Result<T, Status>) -> std::future::Ready<Option<T>> {
    std::future::ready(match request {
        Ok(request) => Some(request),
        Err(status) => {
            tracing::debug!("append stream ended: {}", status.message());
            None
        }
    })
}

fn encode_append(result: &StreamAppendResult<TypeConfig>) -> wire::AppendReply {
    use wire::append_reply::{Matched, Result as Answer};
    let answer = match result {
        Ok(last) => Answer::Matched(Matched { last: last.map(codec::log_id_to_wire) }),
        Err(StreamAppendError::Conflict(at)) => Answer::Conflict(codec::log_id_to_wire(*at)),
        Err(StreamAppendError::HigherVote(vote)) => Answer::HigherVote(codec::vote_to_wire(vote)),
    };
    wire::AppendReply { result: Some(answer) }
}

async fn receive(
    inbound: &mut Streaming<wire::SnapshotChunk>,
    total_bytes: u64,
) -> Result<Vec<u8>, Status> {
    use wire::snapshot_chunk::Part;
    if total_bytes > SNAPSHOT_BYTES_MAX {
        return Err(Status::invalid_argument("the snapshot is impossibly large"));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = inbound.message().await? {
        let Some(Part::Data(data)) = chunk.part else {
            return Err(Status::invalid_argument("a second header"));
        };
        if (bytes.len() + data.len()) as u64 > total_bytes {
            return Err(Status::invalid_argument("more bytes than announced"));
        }
        bytes.extend_from_slice(&data);
    }
    if bytes.len() as u64 != total_bytes {
        return Err(Status::aborted("fewer bytes than announced"));
    }
    Ok(bytes)
}

pub(super) async fn turned_true(mut flag: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is as final.
    let _ = flag.wait_for(|is_true| *is_true).await;
}

fn stopped(fatal: &Fatal<TypeConfig>) -> Status {
    Status::unavailable(format!("the group has stopped: {fatal}"))
}

fn unavailable(error: impl std::fmt::Display) -> Status {
    Status::unavailable(error.to_string())
}
