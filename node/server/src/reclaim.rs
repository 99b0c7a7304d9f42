//! Frees what is big on a thread of its own, so that removing a million elements does not keep the
//! node thread.
//!
//! The engine hands out what it has removed; here it is dropped. Under simulation, which has no
//! threads, that happens at once. Nothing that a client can observe depends on when it happens, but
//! for two counters in `INFO memory`.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};

use quoris_consensus::Offload;

/// Loads that may wait for the thread. When it is that far behind, the node thread frees things
/// itself, or memory would grow without bound.
const WAITING_MAX: usize = 4096;

/// Where big things are dropped.
pub struct Reclaim {
    queue: Option<SyncSender<Load>>,
    counts: Arc<Counts>,
}

/// Things to drop, and how many they are.
struct Load {
    things: Box<dyn Send>,
    count: u64,
}

#[derive(Default)]
struct Counts {
    pending: AtomicU64,
    freed: AtomicU64,
}

impl Reclaim {
    /// Starts the thread, unless there are to be none. It ends when this is dropped, after what it
    /// was given.
    ///
    /// # Errors
    /// If the operating system cannot start a thread.
    #[expect(clippy::disallowed_methods, reason = "this thread's home")]
    pub(crate) fn start(offload: Offload) -> io::Result<Self> {
        let counts = Arc::<Counts>::default();
        if offload == Offload::Inline {
            return Ok(Reclaim { queue: None, counts });
        }
        let (queue, loads) = sync_channel::<Load>(WAITING_MAX);
        let shared = Arc::clone(&counts);
        std::thread::Builder::new().name("quoris-reclaim".to_owned()).spawn(move || {
            loads.into_iter().for_each(|load| shared.free(load));
        })?;
        Ok(Reclaim { queue: Some(queue), counts })
    }

    /// Drops things, sooner or later.
    pub(crate) fn free<T: Send + 'static>(&self, things: Vec<T>) {
        if things.is_empty() {
            return;
        }
        let load = Load { count: things.len() as u64, things: Box::new(things) };
        self.counts.pending.fetch_add(load.count, Relaxed);
        let left = match &self.queue {
            None => Some(load),
            Some(queue) => match queue.try_send(load) {
                Ok(()) => None,
                Err(TrySendError::Full(load) | TrySendError::Disconnected(load)) => Some(load),
            },
        };
        if let Some(load) = left {
            self.counts.free(load);
        }
    }

    /// How many things wait to be dropped.
    pub(crate) fn pending(&self) -> u64 {
        self.counts.pending.load(Relaxed)
    }

    /// How many have been dropped since the start.
    pub(crate) fn freed(&self) -> u64 {
        self.counts.freed.load(Relaxed)
    }
}

impl Counts {
    fn free(&self, load: Load) {
        drop(load.things);
        self.pending.fetch_sub(load.count, Relaxed);
        self.freed.fetch_add(load.count, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};
    use std::thread::{Thread, current};

    use super::*;

    /// Says on which thread it was dropped.
    struct Teller(Sender<Thread>);

    impl Drop for Teller {
        fn drop(&mut self) {
            self.0.send(current()).expect("the test listens");
        }
    }

    #[test]
    fn big_things_are_dropped_on_the_thread() {
        let reclaim = Reclaim::start(Offload::Threads).expect("a thread");
        let (tell, told) = channel();
        reclaim.free(vec![Teller(tell.clone()), Teller(tell.clone())]);
        for _ in 0..2 {
            assert_eq!(told.recv().expect("it was dropped").name(), Some("quoris-reclaim"));
        }
        // The thread may not have counted yet.
        assert_eq!(reclaim.pending() + reclaim.freed(), 2);
    }

    #[test]
    fn without_threads_they_are_dropped_at_once() {
        let reclaim = Reclaim::start(Offload::Inline).expect("no thread");
        let (tell, told) = channel();
        reclaim.free(vec![Teller(tell)]);
        assert_eq!(told.try_recv().expect("it was dropped").id(), current().id());
        assert_eq!((reclaim.pending(), reclaim.freed()), (0, 1));
    }
}
