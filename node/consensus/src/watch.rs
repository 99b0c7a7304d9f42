//! The watch channel that openraft sees.
//!
//! openraft tells of its progress through a dozen watch channels, several times
//! for each batch, and nearly always nobody or one task listens. tokio's
//! channel is made for many receivers and looks into eight lists of waiters for
//! every value; this one has one list.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::task::{Context, Poll, Waker};

use openraft_rt::{OptionalSend, OptionalSync, RecvError, watch};

/// Makes channels that hold the newest value only.
#[derive(Clone, Copy, Debug)]
pub struct Watch;

struct Shared<T> {
    value: RwLock<T>,
    /// Counts the values sent; changed while `value` is locked for writing.
    version: AtomicU64,
    ends: Mutex<Ends>,
}

/// Who is at the two ends of a channel.
#[derive(Default)]
struct Ends {
    senders: usize,
    receivers: usize,
    /// The name of the next receiver.
    next: u64,
    /// The receivers that wait for a value.
    waiting: Vec<(u64, Waker)>,
    /// An empty vector that has been `waiting` before.
    spare: Vec<(u64, Waker)>,
}

impl<T> Shared<T> {
    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn value(&self) -> RwLockReadGuard<'_, T> {
        self.value.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Changes the value. Whoever waits is woken if `change` says that it matters.
    fn change(&self, change: impl FnOnce(&mut T) -> bool) -> bool {
        let mut value = self.value.write().unwrap_or_else(PoisonError::into_inner);
        let matters = change(&mut value);
        if matters {
            self.version.fetch_add(1, Ordering::Release);
        }
        drop(value);
        if matters {
            self.wake();
        }
        matters
    }

    fn wake(&self) {
        let mut ends = self.ends();
        if ends.waiting.is_empty() {
            return;
        }
        let spare = std::mem::take(&mut ends.spare);
        let mut woken = std::mem::replace(&mut ends.waiting, spare);
        // Waking may drop a task, and that a receiver.
        drop(ends);
        woken.drain(..).for_each(|(_, waker)| waker.wake());
        self.ends().spare = woken;
    }

    fn receiver(self: &Arc<Self>, seen: u64) -> Receiver<T> {
        let mut ends = self.ends();
        ends.receivers += 1;
        ends.next += 1;
        Receiver { shared: Arc::clone(self), name: ends.next, seen }
    }
}

/// The end that values are sent from.
pub struct Sender<T>(Arc<Shared<T>>);

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.ends().senders += 1;
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut ends = self.0.ends();
        ends.senders -= 1;
        let is_last = ends.senders == 0;
        drop(ends);
        if is_last {
            self.0.wake();
        }
    }
}

/// An end that sees the newest value.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    name: u64,
    /// The version of the value that it has seen last.
    seen: u64,
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.receiver(self.seen)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut ends = self.shared.ends();
        ends.receivers -= 1;
        ends.waiting.retain(|(name, _)| *name != self.name);
    }
}

impl<T> Receiver<T> {
    fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), RecvError>> {
        let mut ends = self.shared.ends();
        // A sender changes the version first and then looks who waits.
        let version = self.shared.version();
        if self.seen != version {
            self.seen = version;
            return Poll::Ready(Ok(()));
        }
        if ends.senders == 0 {
            return Poll::Ready(Err(RecvError(())));
        }
        match ends.waiting.iter_mut().find(|(name, _)| *name == self.name) {
            Some((_, waker)) => waker.clone_from(cx.waker()),
            None => ends.waiting.push((self.name, cx.waker().clone())),
        }
        Poll::Pending
    }
}

impl watch::Watch for Watch {
    type Sender<T: OptionalSend + OptionalSync> = Sender<T>;
    type Receiver<T: OptionalSend + OptionalSync> = Receiver<T>;
    type Ref<'a, T: OptionalSend + 'a> = RwLockReadGuard<'a, T>;

    fn channel<T: OptionalSend + OptionalSync>(init: T) -> (Sender<T>, Receiver<T>) {
        let ends = Ends { senders: 1, ..Ends::default() };
        let version = AtomicU64::new(0);
        let shared = Shared { value: RwLock::new(init), version, ends: Mutex::new(ends) };
        let sender = Sender(Arc::new(shared));
        let receiver = sender.0.receiver(0);
        (sender, receiver)
    }
}

impl<T: OptionalSend + OptionalSync> watch::WatchSender<Watch, T> for Sender<T> {
    fn send(&self, value: T) -> Result<(), watch::SendError<T>> {
        if self.0.ends().receivers == 0 {
            return Err(watch::SendError(value));
        }
        self.0.change(|current| {
            *current = value;
            true
        });
        Ok(())
    }

    fn send_if_modified<F>(&self, modify: F) -> bool
    where
        F: FnOnce(&mut T) -> bool,
    {
        self.0.change(modify)
    }

    fn borrow_watched(&self) -> RwLockReadGuard<'_, T> {
        self.0.value()
    }

    fn subscribe(&self) -> Receiver<T> {
        self.0.receiver(self.0.version())
    }
}

impl<T: OptionalSend + OptionalSync> watch::WatchReceiver<Watch, T> for Receiver<T> {
    async fn changed(&mut self) -> Result<(), RecvError> {
        poll_fn(|cx| self.poll_changed(cx)).await
    }

    fn borrow_watched(&self) -> RwLockReadGuard<'_, T> {
        self.shared.value()
    }

    fn borrow_and_update(&mut self) -> RwLockReadGuard<'_, T> {
        let value = self.shared.value();
        self.seen = self.shared.version.load(Ordering::Acquire);
        value
    }
}
