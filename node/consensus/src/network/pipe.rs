//! One long-lived append stream to one follower, with several batches in
//! flight.
//!
//! openraft sends in *sessions*: it hands over a stream of requests, wants a
//! stream of replies, and may drop both at any moment, for each heartbeat even.
//! Opening a gRPC call for every session would cost a round trip each time. So
//! the call outlives the session: the follower answers in the order of the
//! requests, one reply for each, and replies to a session that is gone are
//! counted off and thrown away.

use std::collections::VecDeque;
use std::pin::Pin;

use futures::future::BoxFuture;
use openraft::raft::{AppendEntriesRequest, StreamAppendError, StreamAppendResult};
use prost::Message;
use quoris_proto::raft as wire;
use quoris_proto::raft::raft_client::RaftClient;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status, Streaming};

use super::peers::Way;
use crate::codec::{self, Malformed};
use crate::types::TypeConfig;

/// Requests in flight at most.
const WINDOW: usize = 64;
/// Bytes in flight after which no further request is sent. One request may
/// exceed it by its own size.
const WINDOW_BYTES: usize = 16 << 20;

/// A stream of appends to one follower.
pub(super) struct Pipe {
    requests: mpsc::Sender<wire::AppendRequest>,
    replies: Replies,
    in_flight: VecDeque<InFlight>,
    in_flight_bytes: usize,
    session: u64,
}

/// The follower answers the call only once it has seen the first request.
enum Replies {
    Opening(BoxFuture<'static, Result<Response<Streaming<wire::AppendReply>>, Status>>),
    Open(Pin<Box<Streaming<wire::AppendReply>>>),
}

struct InFlight {
    session: u64,
    bytes: usize,
}

impl Pipe {
    pub(super) fn open(mut client: RaftClient<Way>) -> Self {
        let (requests, outbound) = mpsc::channel(WINDOW);
        let call = async move { client.append_stream(ReceiverStream::new(outbound)).await };
        Self {
            requests,
            replies: Replies::Opening(Box::pin(call)),
            in_flight: VecDeque::new(),
            in_flight_bytes: 0,
            session: 0,
        }
    }

    /// From now on, only replies to requests sent hereafter count.
    pub(super) fn begin_session(&mut self) {
        self.session += 1;
    }

    pub(super) fn has_room(&self) -> bool {
        self.in_flight.len() < WINDOW && self.in_flight_bytes < WINDOW_BYTES
    }

    /// Whether a request of this session is still unanswered.
    pub(super) fn is_busy(&self) -> bool {
        self.in_flight.back().is_some_and(|last| last.session == self.session)
    }

    pub(super) fn send(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        route: &wire::Route,
    ) -> Result<(), Status> {
        let route = self.is_unused().then(|| route.clone());
        let request = encode(request, route);
        let bytes = request.encoded_len();
        self.requests
            .try_send(request)
            .map_err(|_| Status::unavailable("the append stream has ended"))?;
        self.in_flight.push_back(InFlight { session: self.session, bytes });
        self.in_flight_bytes += bytes;
        Ok(())
    }

    /// The next reply to this session. May be dropped without losing any.
    pub(super) async fn reply(&mut self) -> Result<StreamAppendResult<TypeConfig>, Status> {
        loop {
            let reply = self.next_reply().await?;
            let answered = self
                .in_flight
                .pop_front()
                .ok_or_else(|| Status::internal("a reply that nobody asked for"))?;
            self.in_flight_bytes -= answered.bytes;
            let result = decode(reply)?;
            if answered.session == self.session {
                return Ok(result);
            }
            if result.is_err() {
                // The follower ends the stream after a refusal.
                return Err(Status::aborted("an earlier append was refused"));
            }
        }
    }

    async fn next_reply(&mut self) -> Result<wire::AppendReply, Status> {
        if let Replies::Opening(call) = &mut self.replies {
            self.replies = Replies::Open(Box::pin(call.await?.into_inner()));
        }
        let Replies::Open(replies) = &mut self.replies else {
            unreachable!("opened just now");
        };
        replies.message().await?.ok_or_else(|| Status::unavailable("the append stream has ended"))
    }

    /// Whether the next request is the stream's first, which carries the route.
    fn is_unused(&self) -> bool {
        matches!(self.replies, Replies::Opening(_)) && self.in_flight.is_empty()
    }
}

fn encode(
    request: AppendEntriesRequest<TypeConfig>,
    route: Option<wire::Route>,
) -> wire::AppendRequest {
    wire::AppendRequest {
        route,
        vote: Some(codec::vote_to_wire(&request.vote)),
        prev: request.prev_log_id.map(codec::log_id_to_wire),
        commit: request.leader_commit.map(codec::log_id_to_wire),
        entries: request.entries.into_iter().map(codec::entry_to_wire).collect(),
    }
}

fn decode(reply: wire::AppendReply) -> Result<StreamAppendResult<TypeConfig>, Malformed> {
    use wire::append_reply::Result as Answer;
    Ok(match reply.result.ok_or(Malformed::Missing("result"))? {
        Answer::Matched(matched) => Ok(matched.last.map(codec::log_id_from_wire)),
        Answer::Conflict(at) => Err(StreamAppendError::Conflict(codec::log_id_from_wire(at))),
        Answer::HigherVote(vote) => {
            Err(StreamAppendError::HigherVote(codec::vote_from_wire(Some(vote))?))
        }
    })
}
