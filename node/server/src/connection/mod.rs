//! The task of one connection: reads the socket, hands over what arrived, sends what the end of
//! the turn could not.
//!
//! The rules that make it fast: one `recv` and one `send` per readiness, one read
//! buffer for all connections, and nothing is read while output is pending. A connection owns
//! memory only while a command is incomplete or waits.

mod accept;
mod socket;

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;
use tokio::time::Instant;

pub(crate) use self::accept::{Listener, listen};
pub(crate) use self::socket::Socket;
use crate::dispatch::process;
use crate::session::{Ending, Hold, Session};
use crate::shared::{READ_BYTES, Shared};

/// While a command answers later, its connection takes in at most this much more.
const AHEAD_BYTES: usize = 1 << 20;

/// Serves a connection until it ends.
pub(crate) async fn serve(shared: Rc<Shared>, session: Rc<Session>) {
    let connection = Connection { shared: &shared, session: &session };
    let end = poll_fn(|cx| connection.poll(cx)).await;
    if let Err(error) = end {
        tracing::debug!(client = session.id, "close the connection: {error}");
    }
    session.kill();
    session.later.take();
    shared.pubsub.forget(&session);
    shared.stop_tracking(&session);
    shared.leave_transaction(&session);
    shared.leave_queues(&session);
    shared.sessions.remove(session.id);
}

/// What the task has at hand.
struct Connection<'a> {
    shared: &'a Rc<Shared>,
    session: &'a Rc<Session>,
}

/// How a read went.
enum Received {
    /// The peer has closed.
    End,
    /// So many bytes.
    Some(usize),
}

impl Connection<'_> {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let session = self.session;
        session.remember(cx);
        loop {
            if session.ending() == Ending::Now {
                return Poll::Ready(Ok(()));
            }
            if session.is_blocked() {
                let buffer = ready!(session.poll_send(cx, &self.shared.stats.bytes_out))?;
                self.shared.give_buffer(buffer);
                session.soft_limit_since.set(None);
            }
            if session.ending() == Ending::AfterReply {
                if session.output_bytes() == 0 {
                    return Poll::Ready(Ok(()));
                }
                session.stall();
                return Poll::Pending;
            }
            match session.hold() {
                Hold::Free => {}
                Hold::Later => {
                    ready!(self.poll_later(cx))?;
                    continue;
                }
                Hold::Blocked => {
                    ready!(self.poll_blocked(cx))?;
                    continue;
                }
                _ => {
                    session.stall();
                    return Poll::Pending;
                }
            }
            if session.dirty.get() {
                session.stall();
                return Poll::Pending;
            }
            if session.has_unrun.get() {
                self.run_input();
                if session.hold() == Hold::Free && !session.dirty.get() {
                    continue;
                }
                session.stall();
                if !matches!(session.hold(), Hold::Later | Hold::Blocked) {
                    return Poll::Pending;
                }
                continue;
            }
            let is_full = ready!(self.poll_receive(cx))?;
            let listens = matches!(session.hold(), Hold::Later | Hold::Blocked);
            if session.ending() != Ending::Open || listens {
                continue;
            }
            let busy = session.hold() != Hold::Free || session.dirty.get();
            if is_full || session.has_unrun.get() {
                if busy {
                    session.stall();
                } else {
                    cx.waker().wake_by_ref();
                }
                return Poll::Pending;
            }
            if busy {
                return self.poll_park(cx);
            }
        }
    }

    /// Reads once and runs what has arrived. True if there may be more to read at once.
    fn poll_receive(&self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        self.session.permit.set(false);
        if self.session.input_bytes() > 0 {
            return self.poll_receive_more(cx);
        }
        let mut shared_buffer = self.shared.read_buffer.borrow_mut();
        let mut buffer = ReadBuf::new(&mut shared_buffer);
        ready!(self.session.poll_read(cx, &mut buffer))?;
        let received = buffer.filled();
        if received.is_empty() {
            self.session.kill();
            return Poll::Ready(Ok(false));
        }
        let now = self.count(received.len());
        let progress = process(self.shared, self.session, received, now);
        let rest = &received[progress.consumed..];
        if !rest.is_empty() {
            let mut kept = self.shared.take_buffer();
            kept.extend_from_slice(rest);
            self.session.input.borrow_mut().bytes = kept;
            self.session.has_unrun.set(!progress.wants_more);
        }
        Poll::Ready(Ok(received.len() == READ_BYTES))
    }

    /// The same behind the beginning of a command that arrived earlier.
    fn poll_receive_more(&self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let received = ready!(self.poll_append(cx))?;
        let Received::Some(count) = received else {
            self.session.kill();
            return Poll::Ready(Ok(false));
        };
        self.count(count);
        let limit = self.shared.config.borrow().client_query_buffer_limit();
        if self.session.input_bytes() > limit {
            tracing::warn!(client = self.session.id, "close a client over its query buffer limit");
            self.session.kill();
            return Poll::Ready(Ok(false));
        }
        self.run_input();
        Poll::Ready(Ok(count >= READ_BYTES))
    }

    /// Runs what is in the connection's own buffer.
    fn run_input(&self) {
        let session = self.session;
        session.has_unrun.set(false);
        let mut bytes = std::mem::take(&mut session.input.borrow_mut().bytes);
        let progress = process(self.shared, session, &bytes, Instant::now());
        if progress.consumed == bytes.len() {
            self.shared.give_buffer(bytes);
            return;
        }
        bytes.drain(..progress.consumed);
        session.input.borrow_mut().bytes = bytes;
        session.has_unrun.set(!progress.wants_more);
    }

    /// Asks to be woken when something arrives, while output or a batch is on its way. Something
    /// that has arrived already waits its turn.
    fn poll_park(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A client that has said its last word still gets its replies: its end is noticed again
        // when they are out.
        if let Received::Some(count) = ready!(self.poll_append(cx))? {
            self.count(count);
            self.session.has_unrun.set(true);
        }
        self.session.stall();
        Poll::Pending
    }

    /// Appends what has arrived to the connection's own buffer.
    fn poll_append(&self, cx: &mut Context<'_>) -> Poll<io::Result<Received>> {
        let mut shared_buffer = self.shared.read_buffer.borrow_mut();
        let mut buffer = ReadBuf::new(&mut shared_buffer);
        ready!(self.session.poll_read(cx, &mut buffer))?;
        let received = buffer.filled();
        if received.is_empty() {
            return Poll::Ready(Ok(Received::End));
        }
        self.session.input.borrow_mut().bytes.extend_from_slice(received);
        Poll::Ready(Ok(Received::Some(received.len())))
    }

    /// Waits for a command that answers later, and notices if the client goes away meanwhile.
    fn poll_later(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let session = self.session;
        let mut later = session.later.borrow_mut();
        let future = later.as_mut().expect("a connection held for later has what it waits for");
        if let Poll::Ready(result) = future.as_mut().poll(cx) {
            *later = None;
            drop(later);
            session.hold.set(Hold::Free);
            session.has_unrun.set(session.input_bytes() > 0);
            if let Err(error) = result {
                self.shared.count_error(&error);
                self.shared.reply(session, |reply| reply.error(error.as_str()));
            }
            return Poll::Ready(Ok(()));
        }
        while session.input_bytes() < AHEAD_BYTES {
            match ready!(self.poll_append(cx))? {
                Received::End => {
                    session.kill();
                    return Poll::Ready(Ok(()));
                }
                Received::Some(count) => self.count(count),
            };
        }
        Poll::Pending
    }

    /// Waits for a key, and notices if the client goes away meanwhile.
    fn poll_blocked(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let session = self.session;
        session.stall();
        while session.input_bytes() < AHEAD_BYTES {
            match ready!(self.poll_append(cx))? {
                Received::End => {
                    session.kill();
                    return Poll::Ready(Ok(()));
                }
                Received::Some(count) => self.count(count),
            };
        }
        Poll::Pending
    }

    /// Accounts for received bytes, and reads the clock after them.
    fn count(&self, bytes: usize) -> Instant {
        let (session, stats) = (self.session, &self.shared.stats);
        session.bytes_in.set(session.bytes_in.get() + bytes as u64);
        stats.bytes_in.set(stats.bytes_in.get() + bytes as u64);
        let now = Instant::now();
        session.active_ms.set(self.shared.unix_ms(now));
        now
    }
}
