//! The bus of a running node: one endpoint for every address that it binds.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use quoris_consensus::{Bus, Transport};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::error::StartError;

/// How long calls under way may take to end.
const FAREWELL: Duration = Duration::from_millis(500);

/// The open endpoints.
pub(crate) struct OpenBus {
    close: watch::Sender<bool>,
    endpoints: JoinSet<()>,
}

impl OpenBus {
    /// Listens at every address; one that may be missing is left out if it is.
    ///
    /// # Errors
    /// [`StartError::Bus`] if an address cannot be opened.
    pub(crate) async fn open<T: Transport>(
        transport: &T,
        addresses: &[(IpAddr, bool)],
        port: u16,
        bus: impl Fn() -> Bus,
    ) -> Result<Self, StartError> {
        let (close, closed) = watch::channel(false);
        let mut endpoints = JoinSet::new();
        for (address, may_miss) in addresses {
            let address = SocketAddr::new(*address, port);
            let listener = match transport.bind(address).await {
                Ok(listener) => listener,
                Err(_) if *may_miss => continue,
                Err(source) => return Err(StartError::Bus { address, source }),
            };
            let bus = bus();
            let mut closed = closed.clone();
            endpoints.spawn_local(async move {
                let closed = async move {
                    // A node that is gone without a word has closed, too.
                    let _ = closed.wait_for(|closed| *closed).await;
                };
                if let Err(error) = bus.serve::<T>(listener, closed).await {
                    tracing::error!("the bus at {address} has stopped: {error}");
                }
            });
        }
        Ok(Self { close, endpoints })
    }

    /// Stops listening, and waits a little for calls under way.
    pub(crate) async fn close(mut self) {
        self.close.send_replace(true);
        let ended = async { while self.endpoints.join_next().await.is_some() {} };
        if tokio::time::timeout(FAREWELL, ended).await.is_err() {
            self.endpoints.shutdown().await;
        }
    }
}
