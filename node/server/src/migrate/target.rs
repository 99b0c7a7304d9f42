//! The other server of a `MIGRATE`.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use quoris_consensus::Transport;
use quoris_engine::{CommandError, Departing, Result};
use quoris_resp::{Reply, encode_command};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::request::Request;
use crate::connection::Socket;

const NOT_CONNECTED: CommandError =
    CommandError::fixed("IOERR error or timeout connecting to the client");
const NOT_SENT: CommandError =
    CommandError::fixed("IOERR error or timeout writing to target instance");
const NOT_HEARD: CommandError =
    CommandError::fixed("IOERR error or timeout reading from target instance");

/// No answer to what is sent here is longer.
const ANSWER_MAX: usize = 16 << 10;

/// Opens connections to other servers, given `host:port`.
pub(crate) type Dial = Rc<dyn Fn(String) -> LocalBoxFuture<'static, io::Result<Box<dyn Socket>>>>;

/// Opens them with a transport.
pub(crate) fn dial<T: Transport>(transport: &T) -> Dial {
    let transport = transport.clone();
    Rc::new(move |address| {
        let transport = transport.clone();
        Box::pin(async move {
            let stream = transport.connect(&address).await?;
            Ok(Box::new(stream) as Box<dyn Socket>)
        })
    })
}

/// A connection to the other server, logged in and with its database selected.
pub(super) struct Target {
    socket: Box<dyn Socket>,
    /// How long each step may take.
    timeout: Duration,
    received: Vec<u8>,
}

impl Target {
    /// # Errors
    /// `IOERR …`, or what the other server said to `AUTH` and `SELECT`.
    pub(super) async fn open(dial: &Dial, request: &Request) -> Result<Target> {
        let connected = timeout(request.timeout, dial(request.address.clone())).await;
        let connected = connected.map_err(|_| NOT_CONNECTED)?;
        let socket = connected.map_err(|error| match error.kind() {
            // Redis notices it with the first byte that it sends.
            io::ErrorKind::ConnectionRefused => NOT_SENT,
            _ => NOT_CONNECTED,
        })?;
        let mut target = Target { socket, timeout: request.timeout, received: Vec::new() };
        if !request.login.is_empty() {
            let words =
                std::iter::once(&b"AUTH"[..]).chain(request.login.iter().map(Vec::as_slice));
            target.send(&words.collect::<Vec<_>>()).await?;
            target.taken().await??;
        }
        target.send(&[b"SELECT", request.db.to_string().as_bytes()]).await?;
        target.taken().await??;
        Ok(target)
    }

    /// Sends a key, which expires in so many milliseconds if that is not 0. The answers come later,
    /// in the same order.
    ///
    /// # Errors
    /// `IOERR …`.
    pub(super) async fn restore(
        &mut self,
        request: &Request,
        key: &[u8],
        ttl_ms: u64,
        departing: &Departing,
    ) -> Result {
        let ttl = ttl_ms.to_string();
        // A node to which the slot is being moved takes it in this form only.
        let mut words = vec![b"RESTORE-ASKING", key, ttl.as_bytes(), &departing.payload];
        if request.replaces {
            words.push(b"REPLACE");
        }
        self.send(&words).await
    }

    /// The next answer: whether the other server has done what it was asked.
    ///
    /// # Errors
    /// The outer one is `IOERR …`; the inner one is what the other server said.
    pub(super) async fn taken(&mut self) -> Result<Result> {
        let answer = timeout(self.timeout, self.answer()).await.map_err(|_| NOT_HEARD)??;
        Ok(match answer.as_error() {
            None => Ok(()),
            Some(text) => {
                Err(CommandError::text(format!("ERR Target instance replied with error: {text}")))
            }
        })
    }

    async fn send(&mut self, words: &[&[u8]]) -> Result {
        let mut bytes = Vec::new();
        encode_command(&mut bytes, words.iter().copied());
        let sent = timeout(self.timeout, self.socket.write_all(&bytes)).await;
        sent.ok().and_then(io::Result::ok).ok_or(NOT_SENT)
    }

    async fn answer(&mut self) -> Result<Reply> {
        loop {
            if let Some((reply, len)) = Reply::parse(&self.received).map_err(|_| NOT_HEARD)? {
                self.received.drain(..len);
                return Ok(reply);
            }
            let read = self.socket.read_buf(&mut self.received).await;
            let is_over = read.map_or(true, |len| len == 0);
            if is_over || self.received.len() > ANSWER_MAX {
                return Err(NOT_HEARD);
            }
        }
    }
}
