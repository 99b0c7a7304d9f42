//! The simulated network in the shape that a node expects.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use quoris_consensus::Transport;
use turmoil::net::{TcpListener, TcpStream};

/// TCP over turmoil.
#[derive(Clone, Copy, Debug, Default)]
pub struct SimulatedTcp;

/// A refused connection returns at once under turmoil, and its port is not given back: whoever
/// retries without a pause runs out of ports while no simulated time passes.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(20);

impl Transport for SimulatedTcp {
    type Stream = TcpStream;
    type Listener = TcpListener;

    fn connect(&self, address: &str) -> impl Future<Output = io::Result<TcpStream>> + Send {
        let address = address.to_owned();
        async move {
            let stream = TcpStream::connect(address).await;
            if stream.is_err() {
                tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
            }
            stream
        }
    }

    async fn bind(&self, address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind(address).await
    }

    async fn accept(listener: &mut TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
        listener.accept().await
    }
}
