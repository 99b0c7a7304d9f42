//! How openraft talks to the other members of a group.

mod admin;
mod messages;
mod pace;
pub(crate) mod peers;
mod pipe;
mod snapshot;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Mutex;
use std::task::Poll;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, Stream, StreamExt};
use openraft::errors::{RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{Backoff, RPCOption};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, StreamAppendResult,
    TransferLeaderRequest, TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::{EmptyNode, OptionalSend, RaftNetworkFactory, RaftNetworkV2};
use quoris_proto::raft as wire;
use tonic::{Code, Status};

use self::pace::Pace;
use self::peers::{Lane, Peers};
use self::pipe::Pipe;
use crate::codec;
use crate::lease::Lease;
use crate::log::Reach;
use crate::state_machine::Image;
use crate::timing::Timing;
use crate::types::{GroupId, RaftId, TypeConfig, Vote};

type Snapshot = openraft::alias::SnapshotOf<TypeConfig, Image>;
type RpcError = RPCError<TypeConfig>;
type Appended = Result<StreamAppendResult<TypeConfig>, RpcError>;

/// Makes a [`Network`] for each task that talks to a member.
#[derive(Clone)]
pub(crate) struct NetworkFactory {
    pub(crate) cluster_id: String,
    pub(crate) group: GroupId,
    pub(crate) me: RaftId,
    pub(crate) peers: Peers,
    pub(crate) lease: Lease,
    pub(crate) timing: Timing,
    pub(crate) reach: Reach,
}

impl RaftNetworkFactory<TypeConfig> for NetworkFactory {
    type Network = Network;

    async fn new_client(&mut self, target: RaftId, _node: &EmptyNode) -> Network {
        let route = wire::Route {
            cluster_id: self.cluster_id.clone(),
            group_id: self.group.0.clone(),
            from: self.me,
            to: target,
        };
        Network { target, route, ours: self.clone(), pipe: Mutex::new(None) }
    }
}

/// One task's way to one member.
pub(crate) struct Network {
    target: RaftId,
    route: wire::Route,
    ours: NetworkFactory,
    /// Never contended, and never locked: openraft wants a network that is
    /// `Sync`, and a call that is under way is not.
    pipe: Mutex<Option<Pipe>>,
}

impl Network {
    fn pipe(&mut self) -> Result<&mut Pipe, RpcError> {
        let pipe = self.pipe.get_mut().expect("never locked");
        if pipe.is_none() {
            let client = self.ours.peers.raft(self.target, Lane::Prompt).map_err(unreachable)?;
            *pipe = Some(Pipe::open(client));
        }
        Ok(pipe.as_mut().expect("opened just now"))
    }

    fn close_pipe(&mut self) {
        *self.pipe.get_mut().expect("never locked") = None;
    }

    /// What a failed call says about the connection, and to openraft.
    fn failed(&mut self, status: &Status, lane: Lane) -> RpcError {
        if status.code() == Code::FailedPrecondition {
            self.ours.peers.forget(self.target, lane);
        }
        RPCError::Unreachable(Unreachable::from_string(format!(
            "{:?}: {}",
            status.code(),
            status.message()
        )))
    }

    fn vote_request(&self, request: &VoteRequest<TypeConfig>) -> wire::VoteRequest {
        wire::VoteRequest {
            route: Some(self.route.clone()),
            vote: Some(codec::vote_to_wire(&request.vote)),
            last: request.last_log_id.map(codec::log_id_to_wire),
            leadership_transfer: request.leadership_transfer,
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
fn unreachable(error: io::Error) -> RpcError {
    RPCError::Unreachable(Unreachable::new(&error))
}

fn vote_response(reply: wire::VoteReply) -> Result<VoteResponse<TypeConfig>, RpcError> {
    let vote = codec::vote_from_wire(reply.vote)
        .map_err(|error| RPCError::Unreachable(Unreachable::new(&error)))?;
    Ok(VoteResponse::new(vote, reply.last.map(codec::log_id_from_wire), reply.granted))
}

/// One run of requests over the pipe.
struct Session<'a, S> {
    network: &'a mut Network,
    input: Option<S>,
    pace: Pace,
    over: bool,
}

/// What happens next in a session.
enum Event {
    Reply(Result<StreamAppendResult<TypeConfig>, Status>),
    Request(Option<AppendEntriesRequest<TypeConfig>>),
}

impl<S> Session<'_, S>
where
    S: Stream<Item = AppendEntriesRequest<TypeConfig>> + Send + Unpin + 'static,
{
    async fn next(mut self) -> Option<(Appended, Self)> {
        if self.over {
            return None;
        }
        let result = match self.exchange().await? {
            Ok(result) => {
                if result.is_err() {
                    // The follower ends the stream after a refusal.
                    self.network.close_pipe();
                    self.over = true;
                }
                Ok(result)
            }
            Err(status) => {
                self.network.close_pipe();
                self.over = true;
                Err(self.network.failed(&status, Lane::Prompt))
            }
        };
        Some((result, self))
    }

    /// Sends until there is a reply; `None` once everything is answered.
    async fn exchange(&mut self) -> Option<Result<StreamAppendResult<TypeConfig>, Status>> {
        let Network { pipe, route, .. } = &mut *self.network;
        let pipe = pipe.get_mut().expect("never locked").as_mut()?;
        loop {
            let Some(input) = &mut self.input else {
                return if pipe.is_busy() { Some(pipe.reply().await) } else { None };
            };
            match next_event(pipe, input, &mut self.pace).await {
                Event::Reply(reply) => return Some(reply),
                Event::Request(Some(request)) => {
                    self.pace.sent(&request);
                    if let Err(status) = pipe.send(request, route) {
                        return Some(Err(status));
                    }
                }
                Event::Request(None) => self.input = None,
            }
        }
    }
}

async fn next_event<S>(pipe: &mut Pipe, input: &mut S, pace: &mut Pace) -> Event
where
    S: Stream<Item = AppendEntriesRequest<TypeConfig>> + Unpin,
{
    let (has_room, is_busy) = (pipe.has_room(), pipe.is_busy());
    let mut reply = pin!(pipe.reply());
    let event = poll_fn(|cx| {
        if let Poll::Ready(reply) = reply.as_mut().poll(cx) {
            return Poll::Ready(Event::Reply(reply));
        }
        if has_room && pace.poll_turn(cx, is_busy) {
            match input.poll_next_unpin(cx) {
                Poll::Ready(request) => return Poll::Ready(Event::Request(request)),
                Poll::Pending => pace.asked(),
            }
        }
        Poll::Pending
    });
    event.await
}

impl RaftNetworkV2<TypeConfig> for Network {
    type SnapshotData = Image;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RpcError> {
        let input = Box::pin(stream::once(async { request }));
        let mut replies = self.stream_append(input, option).await?;
        match replies.next().await {
            Some(reply) => Ok(reply?.into()),
            None => Err(RPCError::Unreachable(Unreachable::from_string("no reply"))),
        }
    }

    fn stream_append<S>(
        &mut self,
        input: S,
        _option: RPCOption,
    ) -> BoxFuture<'_, Result<BoxStream<'_, Appended>, RpcError>>
    where
        S: Stream<Item = AppendEntriesRequest<TypeConfig>> + OptionalSend + Unpin + 'static,
    {
        Box::pin(async move {
            self.pipe()?.begin_session();
            let pace = Pace::new(self.ours.reach.clone());
            let session = Session { network: self, input: Some(input), pace, over: false };
            Ok(stream::unfold(session, Session::next).boxed())
        })
    }

    async fn vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        _option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RpcError> {
        let message = self.vote_request(&request);
        let mut client = self.ours.peers.raft(self.target, Lane::Prompt).map_err(unreachable)?;
        let reply = client.vote(message).await;
        vote_response(reply.map_err(|status| self.failed(&status, Lane::Prompt))?.into_inner())
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        _option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RpcError> {
        let message = self.vote_request(&request);
        let mut client = self.ours.peers.raft(self.target, Lane::Prompt).map_err(unreachable)?;
        let reply = client.pre_vote(message).await;
        vote_response(reply.map_err(|status| self.failed(&status, Lane::Prompt))?.into_inner())
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let mut client = self.ours.peers.raft(self.target, Lane::Bulk).map_err(unreachable)?;
        let chunks = snapshot::chunks(self.route.clone(), &vote, snapshot);
        let reply = tokio::select! {
            reply = client.install_snapshot(chunks) => reply,
            closed = cancel => return Err(StreamingError::Closed(closed)),
        };
        let reply = reply.map_err(|status| self.failed(&status, Lane::Bulk))?.into_inner();
        let vote = codec::vote_from_wire(reply.vote)
            .map_err(|error| StreamingError::Unreachable(Unreachable::new(&error)))?;
        Ok(SnapshotResponse::new(vote))
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        _option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, RpcError> {
        // Whoever started the transfer: from here on followers may forget the
        // lease that they granted.
        self.ours.lease.revoke();
        let message = wire::TransferLeaderRequest {
            route: Some(self.route.clone()),
            from_leader: Some(codec::vote_to_wire(request.from_leader())),
            to_node: *request.to_node_id(),
            last: request.last_log_id().copied().map(codec::log_id_to_wire),
        };
        let mut client = self.ours.peers.raft(self.target, Lane::Prompt).map_err(unreachable)?;
        let reply = client.transfer_leader(message).await;
        let reply = reply.map_err(|status| self.failed(&status, Lane::Prompt))?.into_inner();
        if reply.accepted {
            return Ok(Ok(()));
        }
        Err(RPCError::Unreachable(Unreachable::from_string(reply.reason)))
    }

    fn backoff(&self) -> Option<Backoff> {
        Some(Backoff::new(std::iter::repeat(self.ours.timing.heartbeat)))
    }
}
