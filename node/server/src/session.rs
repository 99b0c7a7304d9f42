//! One client: who it is, what it selected, what it has yet to receive.
//!
//! A session is state only; the task that reads its socket is in [`crate::connection`]. Whoever has
//! an `Rc<Session>` may append replies to it, kill it, or release it from waiting.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::task::{Context, Poll, Waker};

use futures::future::LocalBoxFuture;
use quoris_engine::Result;
use quoris_resp::{Protocol, RequestParser, Span, Writer};
use tokio::time::Instant;

use crate::blocking::{End, Waiter};
use crate::connection::Socket;
use crate::pubsub::Subscriptions;
use crate::tracking::Track;
use crate::transactions::{Transaction, Watching};

/// Bytes that have been sent and are kept in front of those that have not.
const SENT_KEPT: usize = 64 * 1024;

/// Why a connection runs no further commands for now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hold {
    /// It does run them.
    #[default]
    Free,
    /// Its writes are on their way through the log.
    Batch,
    /// Whether this node still leads is being asked.
    Lease,
    /// Nobody is known to lead its shard.
    Leader,
    /// `CLIENT PAUSE`.
    Paused,
    /// A key that it watches may be changed by what is under way.
    InFlight,
    /// Another client's script runs.
    Script,
    /// A command answers later.
    Later,
    /// It waits for something to appear in a key.
    Blocked,
}

/// Whether a connection goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// It does.
    #[default]
    Open,
    /// It closes when its output is out.
    AfterReply,
    /// It closes now.
    Now,
}

/// Which replies a client wants (`CLIENT REPLY`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplyMode {
    /// All.
    #[default]
    On,
    /// None.
    Off,
    /// None to the command that asked for it, and none to the next.
    SkipNext,
    /// None to this one.
    Skip,
}

/// What a connection has received and not yet run.
#[derive(Debug, Default)]
pub(crate) struct Input {
    /// Bytes from the beginning of the first command that has not run.
    pub(crate) bytes: Vec<u8>,
    /// How far that command was parsed.
    pub(crate) parser: RequestParser,
    /// The arguments found so far.
    pub(crate) spans: Vec<Span>,
}

/// Replies on their way to the client.
#[derive(Debug, Default)]
struct Output {
    bytes: Vec<u8>,
    /// How many of them the kernel has taken.
    sent: usize,
}

/// One client.
pub struct Session {
    /// Its number, never reused.
    pub id: u64,
    /// Where it comes from.
    pub peer: SocketAddr,
    /// Where it connected to.
    pub local: SocketAddr,
    /// When it connected, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// The selected database.
    pub db: Cell<u16>,
    /// What it speaks.
    pub protocol: Cell<Protocol>,
    /// `CLIENT SETNAME`; empty for none.
    pub name: RefCell<Vec<u8>>,
    /// `CLIENT SETINFO LIB-NAME`.
    pub library_name: RefCell<Vec<u8>>,
    /// `CLIENT SETINFO LIB-VER`.
    pub library_version: RefCell<Vec<u8>>,
    /// May run commands.
    pub authenticated: Cell<bool>,
    /// Said `READONLY`.
    pub readonly: Cell<bool>,
    /// Said `ASKING`, for the next command.
    pub asking: Cell<bool>,
    /// `CLIENT NO-EVICT`.
    pub no_evict: Cell<bool>,
    /// `CLIENT NO-TOUCH`.
    pub no_touch: Cell<bool>,
    /// `CLIENT REPLY`.
    pub reply_mode: Cell<ReplyMode>,
    /// When it last sent something, in milliseconds since the Unix epoch.
    pub active_ms: Cell<u64>,
    /// The number of the last command in the registry.
    pub last_command: Cell<Option<u16>>,
    /// Commands run.
    pub commands: Cell<u64>,
    /// Bytes received.
    pub bytes_in: Cell<u64>,
    /// Bytes sent.
    pub bytes_out: Cell<u64>,
    /// The index in the log of its last write.
    pub(crate) last_write: Cell<Option<u64>>,
    pub(crate) hold: Cell<Hold>,
    pub(crate) later: RefCell<Option<LocalBoxFuture<'static, Result>>>,
    /// What it has subscribed to.
    pub(crate) subscriptions: RefCell<Option<Box<Subscriptions>>>,
    /// It has subscribed to something.
    pub(crate) is_subscriber: Cell<bool>,
    /// How it is told of changes to what it caches.
    pub(crate) tracking: RefCell<Option<Box<Track>>>,
    /// What it reads is remembered for that.
    pub(crate) is_remembered: Cell<bool>,
    /// What it has said since `MULTI`.
    pub(crate) transaction: RefCell<Option<Box<Transaction>>>,
    pub(crate) watching: RefCell<Option<Box<Watching>>>,
    /// Its request that waits for a key.
    pub(crate) waiter: RefCell<Option<Box<Waiter>>>,
    /// A request that may come to wait is in a batch.
    pub(crate) is_trying: Cell<bool>,
    /// What has ended the wait of that request already.
    pub(crate) early_end: RefCell<Option<End>>,
    /// A command of it runs inside `EXEC`, where nothing may wait.
    pub(crate) in_exec: Cell<bool>,
    /// Since when its first command waits for a leader.
    pub(crate) leaderless: Cell<Option<Instant>>,
    /// What has been received may be answered: a majority said so after it had arrived.
    pub(crate) permit: Cell<bool>,
    pub(crate) input: RefCell<Input>,
    /// Its input may hold whole commands.
    pub(crate) has_unrun: Cell<bool>,
    pub(crate) soft_limit_since: Cell<Option<Instant>>,
    output: RefCell<Output>,
    ending: Cell<Ending>,
    /// In the list of those to be flushed at the end of the turn.
    pub(crate) dirty: Cell<bool>,
    /// The socket did not take everything; the connection's task sends the rest.
    blocked: Cell<bool>,
    /// The task has to be woken when something of the above changes.
    stalled: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    socket: RefCell<Box<dyn Socket>>,
}

impl Session {
    /// A new client on `socket`.
    pub(crate) fn new(
        id: u64,
        socket: Box<dyn Socket>,
        peer: SocketAddr,
        local: SocketAddr,
        now_ms: u64,
    ) -> Self {
        Session {
            id,
            peer,
            local,
            created_ms: now_ms,
            db: Cell::new(0),
            protocol: Cell::default(),
            name: RefCell::default(),
            library_name: RefCell::default(),
            library_version: RefCell::default(),
            authenticated: Cell::new(false),
            readonly: Cell::new(false),
            asking: Cell::new(false),
            no_evict: Cell::new(false),
            no_touch: Cell::new(false),
            reply_mode: Cell::default(),
            active_ms: Cell::new(now_ms),
            last_command: Cell::new(None),
            commands: Cell::new(0),
            bytes_in: Cell::new(0),
            bytes_out: Cell::new(0),
            last_write: Cell::new(None),
            hold: Cell::default(),
            later: RefCell::default(),
            subscriptions: RefCell::default(),
            is_subscriber: Cell::new(false),
            tracking: RefCell::default(),
            is_remembered: Cell::new(false),
            transaction: RefCell::default(),
            watching: RefCell::default(),
            waiter: RefCell::default(),
            is_trying: Cell::new(false),
            early_end: RefCell::default(),
            in_exec: Cell::new(false),
            leaderless: Cell::new(None),
            permit: Cell::new(false),
            input: RefCell::default(),
            has_unrun: Cell::new(false),
            soft_limit_since: Cell::new(None),
            output: RefCell::default(),
            ending: Cell::default(),
            dirty: Cell::new(false),
            blocked: Cell::new(false),
            stalled: Cell::new(false),
            waker: RefCell::default(),
            socket: RefCell::new(socket),
        }
    }

    /// Closes the connection, without sending what is still to be sent.
    pub fn kill(&self) {
        self.ending.set(Ending::Now);
        self.wake();
    }

    /// Closes the connection once its output is out.
    pub fn close_after_reply(&self) {
        if self.ending.get() == Ending::Open {
            self.ending.set(Ending::AfterReply);
        }
    }

    /// Whether the connection goes on.
    pub fn ending(&self) -> Ending {
        self.ending.get()
    }

    /// Why no further command runs.
    pub fn hold(&self) -> Hold {
        self.hold.get()
    }

    /// Whether it has said `MULTI`.
    #[inline]
    pub fn is_in_multi(&self) -> bool {
        self.transaction.borrow().is_some()
    }

    /// Bytes of replies that the kernel has not taken.
    pub fn output_bytes(&self) -> usize {
        let output = self.output.borrow();
        output.bytes.len() - output.sent
    }

    /// Bytes received that have not run.
    pub fn input_bytes(&self) -> usize {
        // While its commands run, they are not its own buffer's.
        self.input.try_borrow().map_or(0, |input| input.bytes.len())
    }

    /// Lets the connection run commands again.
    pub(crate) fn release(&self) {
        self.hold.set(Hold::Free);
        self.resume();
    }

    /// Wakes the task if it waits for something other than its socket.
    pub(crate) fn resume(&self) {
        if self.stalled.replace(false) {
            self.wake();
        }
    }

    /// The task goes to sleep until [`Session::resume`].
    pub(crate) fn stall(&self) {
        self.stalled.set(true);
    }

    /// Remembers how to wake the connection's task.
    pub(crate) fn remember(&self, cx: &Context<'_>) {
        let mut waker = self.waker.borrow_mut();
        if waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
    }

    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }

    /// Takes the output vector out, to append to it; to be given back with [`Session::put_output`].
    #[inline]
    pub(crate) fn take_output(&self) -> Vec<u8> {
        std::mem::take(&mut self.output.borrow_mut().bytes)
    }

    /// Gives the output vector back. What was appended meanwhile goes behind it.
    #[inline]
    pub(crate) fn put_output(&self, bytes: Vec<u8>) {
        let output = &mut self.output.borrow_mut().bytes;
        let meanwhile = std::mem::replace(output, bytes);
        if !meanwhile.is_empty() {
            output.extend_from_slice(&meanwhile);
        }
    }

    /// Whether the socket has refused a part of the output.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked.get()
    }

    /// Sends as much as the socket takes. `Ready(Ok)` when everything is out; the vector is then
    /// returned for reuse. `total` counts the bytes of all sessions.
    pub(crate) fn poll_send(
        &self,
        cx: &mut Context<'_>,
        total: &Cell<u64>,
    ) -> Poll<std::io::Result<Vec<u8>>> {
        let output = &mut *self.output.borrow_mut();
        let mut socket = self.socket.borrow_mut();
        while output.sent < output.bytes.len() {
            let rest = &output.bytes[output.sent..];
            match std::pin::Pin::new(&mut **socket).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => {
                    return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
                }
                Poll::Ready(Ok(count)) => output.sent += count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.blocked.set(true);
                    // A reader that keeps up, but never quite, must not make the vector grow.
                    if output.sent > SENT_KEPT && output.sent > output.bytes.len() / 2 {
                        output.bytes.drain(..output.sent);
                        self.bytes_out.set(self.bytes_out.get() + output.sent as u64);
                        total.set(total.get() + output.sent as u64);
                        output.sent = 0;
                    }
                    return Poll::Pending;
                }
            }
        }
        self.blocked.set(false);
        self.bytes_out.set(self.bytes_out.get() + output.sent as u64);
        total.set(total.get() + output.sent as u64);
        output.sent = 0;
        output.bytes.clear();
        Poll::Ready(Ok(std::mem::take(&mut output.bytes)))
    }

    /// Sends with the connection task's own waker, from outside that task.
    pub(crate) fn send(&self, total: &Cell<u64>) -> Poll<std::io::Result<Vec<u8>>> {
        let waker = self.waker.borrow();
        let waker = waker.as_ref().unwrap_or(Waker::noop());
        self.poll_send(&mut Context::from_waker(waker), total)
    }

    /// Reads what has arrived.
    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut **self.socket.borrow_mut()).poll_read(cx, buffer)
    }

    /// Appends a reply or a push message. The caller marks the session as dirty.
    pub(crate) fn append(&self, write: impl FnOnce(&mut Writer<'_>)) {
        let mut output = self.output.borrow_mut();
        write(&mut Writer::new(&mut output.bytes, self.protocol.get()));
    }

    /// The last command of a transaction has run.
    pub(crate) fn leave_exec(&self) {
        self.in_exec.set(false);
        if let Some(track) = &mut *self.tracking.borrow_mut() {
            track.is_asked = false;
        }
    }

    /// Appends what has been written already, if there is room without a new vector.
    pub(crate) fn append_raw(&self, bytes: &[u8]) -> bool {
        let output = &mut self.output.borrow_mut().bytes;
        let has_vector = output.capacity() > 0;
        if has_vector {
            output.extend_from_slice(bytes);
        }
        has_vector
    }

    /// Back to the state of a new connection, as `RESET` does.
    pub(crate) fn reset(&self, authenticated: bool) {
        self.db.set(0);
        self.protocol.set(Protocol::Resp2);
        self.name.borrow_mut().clear();
        self.authenticated.set(authenticated);
        for flag in [&self.readonly, &self.asking, &self.no_evict, &self.no_touch] {
            flag.set(false);
        }
        self.reply_mode.set(ReplyMode::On);
    }
}
