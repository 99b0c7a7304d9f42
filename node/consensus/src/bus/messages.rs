//! The receiving side of what clients publish on other nodes, as the server
//! implements it.

use std::pin::Pin;
use std::rc::Rc;

use futures::stream::{LocalBoxStream, Stream, StreamExt as _};
use quoris_proto::messages as wire;
use quoris_proto::messages::messages_server::Messages as Serve;
use send_wrapper::SendWrapper;
use tokio::sync::watch;
use tonic::{Request, Response, Status, Streaming};

use super::raft::turned_true;
use crate::types::RaftId;

/// What a peer sends, in its order. It ends with the connection.
pub type Parcels = LocalBoxStream<'static, wire::Parcel>;

/// What a node wants to be sent, in the order of the changes.
pub type Interests = LocalBoxStream<'static, wire::Interest>;

/// What a node does with messages of its peers, supplied by the server. It
/// lives on the node thread.
pub trait Messages: 'static {
    /// The id of the cluster that this node belongs to.
    fn cluster_id(&self) -> String;

    /// This node.
    fn raft_id(&self) -> RaftId;

    /// `from` has opened a stream. What is returned is sent to it for as long
    /// as the stream lives.
    fn accept(&self, from: RaftId, parcels: Parcels) -> Interests;
}

pub(super) struct Service {
    pub(super) messages: SendWrapper<Rc<dyn Messages>>,
    /// Turns true when the bus shuts down.
    pub(super) closed: watch::Receiver<bool>,
}

type Outbound = Pin<Box<dyn Stream<Item = Result<wire::Interest, Status>> + Send>>;

#[tonic::async_trait]
impl Serve for Service {
    type ConverseStream = Outbound;

    async fn converse(
        &self,
        request: Request<Streaming<wire::Parcel>>,
    ) -> Result<Response<Outbound>, Status> {
        let mut inbound = request.into_inner();
        let first = inbound.message().await?;
        let from = self.check(first.and_then(|first| first.introduction))?;
        // A stream that breaks has ended, whatever the reason.
        let parcels = inbound.take_while(|parcel| std::future::ready(parcel.is_ok()));
        let parcels = parcels.filter_map(|parcel| std::future::ready(parcel.ok()));
        let parcels = parcels.take_until(turned_true(self.closed.clone()));
        let interests = self.messages.accept(from, parcels.boxed_local());
        let interests = interests.take_until(turned_true(self.closed.clone()));
        Ok(Response::new(Box::pin(SendWrapper::new(interests.map(Ok)))))
    }
}

impl Service {
    fn check(&self, introduction: Option<wire::Introduction>) -> Result<RaftId, Status> {
        let Some(wire::Introduction { cluster_id, from, to }) = introduction else {
            return Err(Status::invalid_argument("a stream of messages starts with a name"));
        };
        if cluster_id != self.messages.cluster_id() {
            return Err(Status::failed_precondition("this node is in another cluster"));
        }
        let me = self.messages.raft_id();
        if to != me {
            return Err(Status::failed_precondition(format!("this is node {me:016x}")));
        }
        Ok(from)
    }
}
