//! Connections to the other nodes, shared by all groups of this one.
//!
//! A connection is made when it is first needed and again whenever it breaks;
//! each time the address book is asked anew. Bulk transfers and messages have
//! their own, so that neither a snapshot nor what clients publish ever stands in
//! a heartbeat's way.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use quoris_proto::admin::admin_client::AdminClient;
use quoris_proto::messages::messages_client::MessagesClient;
use quoris_proto::raft::raft_client::RaftClient;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint, Uri};

use crate::bus::{Credentials, Secret};
use crate::transport::{AddressBook, Transport};
use crate::types::RaftId;

/// An idle connection is probed this often …
pub(crate) const KEEPALIVE_INTERVAL: Duration = Duration::from_millis(300);
/// … and given up when the probe is not answered for this long. Without it, a
/// partition that has healed can leave both sides with a dead connection.
pub(crate) const KEEPALIVE_TIMEOUT: Duration = Duration::from_millis(500);
/// Bytes in flight on one stream and on one connection.
pub(crate) const STREAM_WINDOW: u32 = 4 << 20;
pub(crate) const CONNECTION_WINDOW: u32 = 16 << 20;
/// A message holds at least one entry, and an entry at most one request of the
/// largest size that clients may send.
pub(crate) const MESSAGE_BYTES_MAX: usize = 1 << 30;

const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// A refused connection is not tried again at once; and the simulated network
/// needs time to pass between two attempts.
const CONNECT_PAUSE: Duration = Duration::from_millis(20);

/// Which of the connections to a node a call uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    /// Votes, heartbeats, entries, and everything small.
    Prompt,
    /// Snapshots.
    Bulk,
    /// What clients publish.
    Messages,
}

/// A call's way to another node, with this node's credentials on it.
pub(crate) type Way = InterceptedService<Channel, Credentials>;

/// The other nodes, as this one reaches them. Cheap to clone.
#[derive(Clone)]
pub struct Peers(Arc<Inner>);

struct Inner {
    credentials: Credentials,
    book: Arc<dyn AddressBook>,
    dial: Arc<dyn Fn(RaftId) -> Channel + Send + Sync>,
    ways: Mutex<BTreeMap<(RaftId, Lane), Known>>,
}

struct Known {
    address: String,
    channel: Channel,
}

impl Peers {
    /// Peers reached over `transport` at the addresses in `book`, to which this
    /// node proves itself with the cluster's `secret`.
    pub fn new<T: Transport>(
        transport: T,
        book: Arc<dyn AddressBook>,
        secret: Option<&Secret>,
    ) -> Self {
        let dial = {
            let book = Arc::clone(&book);
            move |target| dial(target, transport.clone(), Arc::clone(&book))
        };
        Self(Arc::new(Inner {
            credentials: Credentials::new(secret),
            book,
            dial: Arc::new(dial),
            ways: Mutex::default(),
        }))
    }

    /// The same peers over connections of their own, for another runtime.
    pub(crate) fn apart(&self) -> Self {
        Self(Arc::new(Inner {
            credentials: self.0.credentials.clone(),
            book: Arc::clone(&self.0.book),
            dial: Arc::clone(&self.0.dial),
            ways: Mutex::default(),
        }))
    }

    pub(crate) fn raft(&self, target: RaftId, lane: Lane) -> io::Result<RaftClient<Way>> {
        Ok(RaftClient::new(self.way(target, lane)?)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX))
    }

    pub(crate) fn admin(&self, target: RaftId) -> io::Result<AdminClient<Way>> {
        Ok(AdminClient::new(self.way(target, Lane::Prompt)?)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX))
    }

    pub(super) fn messages(&self, target: RaftId) -> io::Result<MessagesClient<Way>> {
        let client = MessagesClient::new(self.way(target, Lane::Messages)?);
        Ok(client.max_decoding_message_size(MESSAGE_BYTES_MAX))
    }

    /// Drops the connection: whoever answers there is not `target`.
    pub(crate) fn forget(&self, target: RaftId, lane: Lane) {
        self.0.ways.lock().expect("no panic while held").remove(&(target, lane));
    }

    fn way(&self, target: RaftId, lane: Lane) -> io::Result<Way> {
        let address = self.0.book.bus_address(target).ok_or_else(|| no_address(target))?;
        let mut ways = self.0.ways.lock().expect("no panic while held");
        let known = ways
            .entry((target, lane))
            .and_modify(|known| {
                if known.address != address {
                    *known = Known { address: address.clone(), channel: (self.0.dial)(target) };
                }
            })
            .or_insert_with(|| Known { address: address.clone(), channel: (self.0.dial)(target) });
        Ok(InterceptedService::new(known.channel.clone(), self.0.credentials.clone()))
    }
}

fn no_address(target: RaftId) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no bus address known for node {target:016x}"))
}

/// A channel that connects when it is used.
fn dial<T: Transport>(target: RaftId, transport: T, book: Arc<dyn AddressBook>) -> Channel {
    let connector = tower::service_fn(move |_: Uri| {
        let (transport, book) = (transport.clone(), Arc::clone(&book));
        async move {
            let address = book.bus_address(target).ok_or_else(|| no_address(target))?;
            let attempt = tokio::time::timeout(CONNECT_TIMEOUT, transport.connect(&address)).await;
            match attempt.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                Ok(stream) => Ok(TokioIo::new(stream)),
                Err(error) => {
                    tokio::time::sleep(CONNECT_PAUSE).await;
                    Err(error)
                }
            }
        }
    });
    // The name is never resolved: the connector knows where to go.
    Endpoint::from_static("http://quoris-bus")
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .connect_with_connector_lazy(connector)
}
