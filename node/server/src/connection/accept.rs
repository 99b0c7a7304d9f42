//! Accepts clients, and turns away those that may not come in.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use quoris_consensus::Transport;
use quoris_engine::CommandError;
use tokio::io::AsyncWriteExt as _;
use tokio::time::Instant;

use super::serve;
use super::socket::{keep_alive, local_address, port_of};
use crate::replies;
use crate::session::Session;
use crate::shared::Shared;

/// After a failed accept, for instance for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(20);

/// An address that clients connect to.
pub(crate) struct Listener<T: Transport> {
    inner: T::Listener,
    /// The address, with the port that was taken.
    pub(crate) address: SocketAddr,
}

/// Opens an address; port 0 takes any free one.
pub(crate) async fn listen<T: Transport>(
    transport: &T,
    address: IpAddr,
    port: u16,
) -> io::Result<Listener<T>> {
    let inner = transport.bind(SocketAddr::new(address, port)).await?;
    let port = port_of(&inner).unwrap_or(port);
    Ok(Listener { inner, address: SocketAddr::new(address, port) })
}

impl<T: Transport> Listener<T> {
    /// Accepts until it is dropped.
    pub(crate) async fn run(mut self, shared: Rc<Shared>) {
        loop {
            match T::accept(&mut self.inner).await {
                Ok((stream, peer)) => admit::<T>(&shared, stream, peer, self.address),
                Err(error) => {
                    tracing::warn!("accept a client at {}: {error}", self.address);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

fn admit<T: Transport>(
    shared: &Rc<Shared>,
    stream: T::Stream,
    peer: SocketAddr,
    listening: SocketAddr,
) {
    let local = local_address(&stream).unwrap_or(listening);
    let stats = &shared.stats;
    stats.connections_received.set(stats.connections_received.get() + 1);
    if let Some(reason) = obstacle(shared, peer) {
        stats.connections_rejected.set(stats.connections_rejected.get() + 1);
        tokio::task::spawn_local(turn_away::<T>(stream, reason));
        return;
    }
    keep_alive(&stream, shared.config.borrow().tcp_keepalive());
    let now_ms = shared.unix_ms(Instant::now());
    let id = shared.sessions.next_id();
    let session = Rc::new(Session::new(id, Box::new(stream), peer, local, now_ms));
    session.authenticated.set(shared.config.borrow().requirepass().is_none());
    shared.sessions.insert(&session);
    tokio::task::spawn_local(serve(Rc::clone(shared), session));
}

fn obstacle(shared: &Shared, peer: SocketAddr) -> Option<CommandError> {
    let config = shared.config.borrow();
    if shared.sessions.len() >= config.maxclients() {
        return Some(replies::MAX_CLIENTS);
    }
    let stranger = !peer.ip().to_canonical().is_loopback();
    (config.protected_mode() && config.requirepass().is_none() && stranger)
        .then_some(replies::PROTECTED)
}

async fn turn_away<T: Transport>(mut stream: T::Stream, reason: CommandError) {
    // Whether it hears the reason or not, the client is gone afterwards.
    let _ = stream.write_all(format!("-{reason}\r\n").as_bytes()).await;
    let _ = stream.shutdown().await;
}
