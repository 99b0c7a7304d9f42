//! How bytes travel between nodes: TCP in production, a simulated network
//! under simulation. One small trait, so that everything above is the same
//! code in both.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// A source of connections.
pub trait Transport: Clone + Send + Sync + 'static {
    /// One connection.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;
    /// Something that accepts connections.
    type Listener: Send + 'static;

    /// Opens a connection to `address`, which is `"host:port"`.
    fn connect(&self, address: &str) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Listens at `address`.
    fn bind(&self, address: SocketAddr) -> impl Future<Output = io::Result<Self::Listener>> + Send;

    /// The next connection, and where it comes from.
    fn accept(
        listener: &mut Self::Listener,
    ) -> impl Future<Output = io::Result<(Self::Stream, SocketAddr)>> + Send;
}

/// Connections that may wait to be accepted; the kernel has a limit of its own.
const BACKLOG: i32 = 1024;

/// TCP over tokio, with small segments sent at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

impl Transport for Tcp {
    type Stream = TcpStream;
    type Listener = TcpListener;

    async fn connect(&self, address: &str) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn bind(&self, address: SocketAddr) -> io::Result<TcpListener> {
        let domain = Domain::for_address(address);
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        if domain == Domain::IPV6 {
            // Else `::` would claim the port of `0.0.0.0` too, and only one of both be served.
            socket.set_only_v6(true)?;
        }
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into())
    }

    async fn accept(listener: &mut TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok((stream, peer))
    }
}

/// Where the nodes are. Asked again for every connection, so that a node that
/// comes back under another address is found.
pub trait AddressBook: Send + Sync {
    /// The bus address of `node` as `"host:port"`, if it is known.
    fn bus_address(&self, node: crate::RaftId) -> Option<String>;
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[tokio::test]
    async fn both_families_share_a_port() {
        let four = Tcp.bind((Ipv4Addr::UNSPECIFIED, 0).into()).await.expect("a free port");
        let port = four.local_addr().expect("it is bound").port();
        // A machine may be without the other family, but the port is not taken.
        match Tcp.bind((Ipv6Addr::UNSPECIFIED, port).into()).await {
            Ok(six) => assert_eq!(six.local_addr().expect("it is bound").port(), port),
            Err(error) => assert_ne!(error.kind(), io::ErrorKind::AddrInUse),
        }
    }
}
