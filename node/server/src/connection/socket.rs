//! What a connection needs of its stream, whichever transport made it.

use std::any::Any;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// A stream of bytes. The call through the vtable is nothing beside the system call behind it.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket for S {}

/// The port of a listener, if it is one of the operating system's.
pub(super) fn port_of(listener: &dyn Any) -> Option<u16> {
    let listener = listener.downcast_ref::<TcpListener>()?;
    listener.local_addr().ok().map(|address| address.port())
}

/// The address that a client connected to.
pub(super) fn local_address(stream: &dyn Any) -> Option<SocketAddr> {
    stream.downcast_ref::<TcpStream>()?.local_addr().ok()
}

/// Makes the operating system probe an idle connection after `idle`.
pub(super) fn keep_alive(stream: &dyn Any, idle: Option<Duration>) {
    let Some(stream) = stream.downcast_ref::<TcpStream>() else { return };
    let Some(idle) = idle else { return };
    let pause = (idle / 3).max(Duration::from_secs(1));
    let probes = TcpKeepalive::new().with_time(idle).with_interval(pause).with_retries(3);
    // A connection that cannot be probed still works.
    let _ = SockRef::from(stream).set_tcp_keepalive(&probes);
}
