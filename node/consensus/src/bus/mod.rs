//! The bus: the one gRPC endpoint of a node, where its peers reach all of its
//! groups.

mod admin;
mod auth;
mod messages;
mod raft;
mod registry;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use futures::stream;
use quoris_proto::admin::admin_server::AdminServer;
use quoris_proto::messages::messages_server::MessagesServer;
use quoris_proto::raft::raft_server::RaftServer;
use send_wrapper::SendWrapper;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::transport::server::Connected;

pub(crate) use self::admin::propose_result;
pub use self::admin::{Admin, Announcement, ProposeError};
pub(crate) use self::auth::Credentials;
pub use self::auth::Secret;
pub use self::messages::{Interests, Messages, Parcels};
pub use self::registry::Registry;
pub(crate) use self::registry::{Member, Registration};
use crate::network::peers::{
    CONNECTION_WINDOW, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, MESSAGE_BYTES_MAX, STREAM_WINDOW,
};
use crate::transport::Transport;

/// After a failed accept, for instance for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// What answers on the bus. Built once, then [served](Bus::serve).
pub struct Bus {
    /// The cluster's secret. Without one, every peer is refused: a node that
    /// is alone has none to talk to.
    pub secret: Option<Secret>,
    /// The groups that peers may talk to; they may come and go.
    pub groups: Registry,
    /// Implements the calls beside replication.
    pub admin: Rc<dyn Admin>,
    /// Takes in what clients of other nodes publish; without one, such streams
    /// are refused.
    pub messages: Option<Rc<dyn Messages>>,
}

impl Bus {
    /// Answers until `shutdown` completes, and then ends the open streams.
    ///
    /// # Errors
    /// If the server breaks down; a connection that does is only closed.
    pub async fn serve<T: Transport>(
        self,
        listener: T::Listener,
        shutdown: impl Future<Output = ()> + 'static,
    ) -> io::Result<()> {
        let (close, closed) = watch::channel(false);
        let gate = auth::Gate::new(self.secret);
        let raft =
            RaftServer::new(raft::RaftService { groups: self.groups, closed: closed.clone() })
                .max_decoding_message_size(MESSAGE_BYTES_MAX)
                .max_encoding_message_size(MESSAGE_BYTES_MAX);
        let admin = AdminServer::new(admin::AdminService(SendWrapper::new(self.admin)))
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        let messages = self.messages.map(|messages| {
            let service = messages::Service { messages: SendWrapper::new(messages), closed };
            let server = MessagesServer::new(service).max_decoding_message_size(MESSAGE_BYTES_MAX);
            InterceptedService::new(server, gate.clone())
        });
        let end = SendWrapper::new(async move {
            shutdown.await;
            let _ = close.send(true);
        });
        Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
            .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .add_service(InterceptedService::new(raft, gate.clone()))
            .add_service(InterceptedService::new(admin, gate))
            .add_optional_service(messages)
            .serve_with_incoming_shutdown(incoming::<T>(listener), end)
            .await
            .map_err(io::Error::other)
    }
}

fn incoming<T: Transport>(
    listener: T::Listener,
) -> impl Stream<Item = Result<Accepted<T::Stream>, Infallible>> {
    stream::unfold(listener, |mut listener| async move {
        loop {
            match T::accept(&mut listener).await {
                Ok((stream, _)) => return Some((Ok(Accepted(stream)), listener)),
                Err(error) => {
                    tracing::warn!("accept a connection on the bus: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    })
}

/// A connection, dressed for tonic.
struct Accepted<S>(S);

impl<S> Connected for Accepted<S> {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl<S: AsyncRead + Unpin> AsyncRead for Accepted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Accepted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
