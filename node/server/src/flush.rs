//! The end of a turn: proposes what the turn's connections want to write, and sends what they are
//! to receive, once for all of them.
//!
//! The task is woken by the first connection that has something for it. It runs after all
//! connections that were ready at that time, because the runtime polls in the order of waking.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use quoris_consensus::{Proposal, Stamp};
use tokio::task::yield_now;
use tokio::time::Instant;

use crate::config::ClientClass;
use crate::gather::{Gathering, Situation, Verdict};
use crate::session::{Ending, Session};
use crate::shared::Shared;
use crate::turn::LARGE;

/// Which revision of behaviour this release stamps its entries with.
pub(crate) const ENGINE_VERSION: u32 = 1;

/// Who has output, and how to wake the task that sends it.
#[derive(Default)]
pub(crate) struct Flusher {
    dirty: RefCell<Vec<Rc<Session>>>,
    /// The other half of the double buffer.
    spare: RefCell<Vec<Rc<Session>>>,
    is_woken: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    pub(crate) gathering: Gathering,
}

impl Flusher {
    /// The session has output that can be sent.
    #[inline]
    pub(crate) fn mark(&self, session: &Rc<Session>) {
        if !session.dirty.replace(true) {
            self.dirty.borrow_mut().push(Rc::clone(session));
            self.wake();
        }
    }

    /// Whether nobody waits for output.
    pub(crate) fn is_idle(&self) -> bool {
        self.dirty.borrow().is_empty()
    }

    /// There is something to do at the end of the turn.
    #[inline]
    pub(crate) fn wake(&self) {
        if !self.is_woken.replace(true)
            && let Some(waker) = &*self.waker.borrow()
        {
            waker.wake_by_ref();
        }
    }
}

/// Ends turns until it is dropped.
pub(crate) fn run(shared: Rc<Shared>) -> impl Future<Output = ()> {
    let mut look = Box::pin(yield_now());
    let mut looks = false;
    let turns = poll_fn(move |cx| {
        let flusher = &shared.flusher;
        let mut waker = flusher.waker.borrow_mut();
        if waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        drop(waker);
        let is_woken = flusher.is_woken.replace(false);
        if is_woken || looks {
            let verdict = verdict(&shared);
            if verdict == Verdict::Close {
                end_batch(&shared);
            }
            looks = verdict == Verdict::Look;
        }
        if is_woken {
            send(&shared);
        }
        if looks {
            // Whoever is to send what is waited for may be waiting for this core.
            std::thread::yield_now();
            look.set(yield_now());
            let _ = look.as_mut().poll(cx);
        }
        Poll::<()>::Pending
    });
    // One turn may have thousands of connections to send to.
    tokio::task::unconstrained(turns)
}

/// Whether the turn's batch is to be proposed now.
fn verdict(shared: &Shared) -> Verdict {
    let (turn, pending) = (shared.turn.borrow(), shared.pending.borrow());
    let (joined, bytes) = (turn.shares.len(), turn.payload_bytes());
    let syncs = shared.is_one_at_a_time();
    if syncs && pending.len() > 0 && bytes < LARGE {
        return Verdict::Keep;
    }
    // On a node that is alone and does not wait for its disk, a batch costs next to nothing.
    if joined == 0 || !(syncs || shared.has_followers()) {
        return Verdict::Close;
    }
    let sessions = || pending.batches().map(|batch| batch.shares.len()).sum();
    let under_way = (pending.len() > 0).then(sessions);
    shared.flusher.gathering.verdict(&Situation { joined, bytes, under_way }, Instant::now)
}

/// Proposes the turn's batch, if there is one.
pub(crate) fn end_batch(shared: &Shared) {
    end_batch_at(shared, next_stamp_ms(shared));
}

/// The time that an entry would be stamped with now.
pub(crate) fn next_stamp_ms(shared: &Shared) -> u64 {
    shared.unix_ms(Instant::now()).max(shared.stamped_ms.get())
}

/// The same with a time that [`next_stamp_ms`] has returned a moment ago.
pub(crate) fn end_batch_at(shared: &Shared, now_ms: u64) {
    let mut turn = shared.turn.borrow_mut();
    if turn.is_empty() {
        return;
    }
    let mut pending = shared.pending.borrow_mut();
    shared.flusher.gathering.closed(turn.shares.len());
    let payload = turn.close();
    let fresh = pending.fresh();
    let tag = pending.push(std::mem::replace(&mut *turn, fresh));
    drop((turn, pending));
    propose_at(shared, tag, payload, now_ms);
}

/// Proposes an entry under the next stamp.
pub(crate) fn propose(shared: &Shared, tag: u64, payload: Bytes) {
    propose_at(shared, tag, payload, next_stamp_ms(shared));
}

fn propose_at(shared: &Shared, tag: u64, payload: Bytes, now_ms: u64) {
    shared.stamped_ms.set(now_ms);
    let seed = shared.rng.borrow_mut().next_u64();
    let stamp = Stamp { now_ms, seed, engine_version: ENGINE_VERSION };
    shared.stats.entries_proposed.set(shared.stats.entries_proposed.get() + 1);
    if let Some(group) = &*shared.group.borrow() {
        group.propose(Proposal { tag, stamp, payload });
    }
}

/// Sends what can be sent; what the sockets do not take, their connections' tasks will.
fn send(shared: &Shared) {
    let flusher = &shared.flusher;
    let mut dirty = flusher.dirty.replace(flusher.spare.take());
    for session in dirty.drain(..) {
        session.dirty.set(false);
        if session.ending() == Ending::Now {
            continue;
        }
        if session.is_blocked() {
            // Messages are appended whether it reads or not.
            cut_off(shared, &session);
            continue;
        }
        match session.send(&shared.stats.bytes_out) {
            Poll::Ready(Ok(buffer)) => {
                shared.give_buffer(buffer);
                session.resume();
                if session.ending() == Ending::AfterReply {
                    session.kill();
                }
            }
            Poll::Ready(Err(_)) => session.kill(),
            Poll::Pending => cut_off(shared, &session),
        }
    }
    *flusher.spare.borrow_mut() = dirty;
}

/// Drops a client that leaves too much unread.
fn cut_off(shared: &Shared, session: &Session) {
    if exceeds_limit(shared, session) {
        let (client, bytes) = (session.id, session.output_bytes());
        tracing::warn!(client, "close a client that leaves {bytes} bytes unread");
        session.kill();
    }
}

/// Whether a client reads so slowly that its output is over the limit.
pub(crate) fn exceeds_limit(shared: &Shared, session: &Session) -> bool {
    let class = if session.is_subscriber.get() { ClientClass::PubSub } else { ClientClass::Normal };
    let limit = shared.config.borrow().client_output_buffer_limit().of(class);
    let bytes = session.output_bytes() as u64;
    if limit.hard_bytes > 0 && bytes > limit.hard_bytes {
        return true;
    }
    if limit.soft_bytes == 0 || bytes <= limit.soft_bytes {
        session.soft_limit_since.set(None);
        return false;
    }
    let now = Instant::now();
    let since = session.soft_limit_since.get().unwrap_or(now);
    session.soft_limit_since.set(Some(since));
    now - since > Duration::from_secs(limit.soft_seconds)
}
