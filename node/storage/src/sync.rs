//! Waiting for the disk somewhere else than on the node's thread.
//!
//! A [`SyncTicket`] is a claim check: run it, and everything that had been
//! appended when it was made is durable. A [`Syncer`] runs tickets the way
//! `appendfsync` asks for. One `fdatasync` serves all tickets that wait when it
//! starts, so that group commit needs no timer: while one sync runs, the next
//! batch gathers.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::log::SegmentFile;

/// What a log and its tickets know together.
#[derive(Debug, Default)]
pub(crate) struct SyncState {
    synced: AtomicU64,
    failure: OnceLock<String>,
    /// Files before the newest that hold something unsynced, in the order of their records.
    owed: Mutex<Vec<Arc<SegmentFile>>>,
    /// Held by whoever syncs them.
    paying: Mutex<()>,
}

impl SyncState {
    pub fn position(&self) -> u64 {
        self.synced.load(Ordering::Acquire)
    }

    pub fn reached(&self, position: u64) {
        self.synced.fetch_max(position, Ordering::AcqRel);
    }

    /// The next tickets have to sync this file first.
    pub fn owe(&self, file: &Arc<SegmentFile>) {
        self.owed().push(file.clone());
    }

    /// What this file holds does not matter any more.
    pub fn forgive(&self, file: &Arc<SegmentFile>) {
        self.owed().retain(|owed| !Arc::ptr_eq(owed, file));
    }

    fn owed(&self) -> MutexGuard<'_, Vec<Arc<SegmentFile>>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Syncs the files that are owed. Whoever finds none knows that this has been done.
    fn pay(&self) -> io::Result<()> {
        if self.owed().is_empty() {
            return Ok(());
        }
        let _paying = self.paying.lock().unwrap_or_else(PoisonError::into_inner);
        let files = self.owed().clone();
        for file in files {
            file.sync()?;
            self.forgive(&file);
        }
        Ok(())
    }

    /// The first failure; after it nothing is known about the file's end.
    pub fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    pub fn fail(&self, detail: &str) {
        self.failure.get_or_init(|| detail.to_owned());
    }
}

/// Covers everything that had been appended when [`Log::sync_ticket`] made it.
///
/// [`Log::sync_ticket`]: crate::Log::sync_ticket
#[derive(Clone, Debug)]
pub struct SyncTicket {
    file: Option<Arc<SegmentFile>>,
    position: u64,
    state: Arc<SyncState>,
}

impl SyncTicket {
    pub(crate) fn new(
        file: Option<Arc<SegmentFile>>,
        position: u64,
        state: Arc<SyncState>,
    ) -> SyncTicket {
        SyncTicket { file, position, state }
    }

    /// Makes durable what the ticket covers; at once if that has been done.
    ///
    /// # Errors
    /// What the disk said. From then on every ticket and every append of this
    /// log fails: the kernel may have dropped the pages, and a second attempt
    /// would claim a success that is none.
    pub fn run(&self) -> io::Result<()> {
        if let Some(detail) = self.state.failure() {
            return Err(io::Error::other(detail.to_owned()));
        }
        let Some(file) = self.file.as_ref().filter(|_| !self.is_done()) else { return Ok(()) };
        match self.state.pay().and_then(|()| file.sync()) {
            Ok(()) => {
                self.state.reached(self.position);
                Ok(())
            }
            Err(error) => {
                self.state.fail(&format!("{}: cannot sync: {error}", file.path.display()));
                Err(error)
            }
        }
    }

    /// Whether a sync has covered it already.
    pub fn is_done(&self) -> bool {
        self.state.position() >= self.position
    }

    fn same_log(&self, other: &SyncTicket) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
    }
}

type Done = Box<dyn FnOnce(io::Result<()>) + Send>;

/// When tickets are run, and when their submitters hear of it.
#[derive(Clone, Debug)]
pub struct Syncer(Mode);

#[derive(Clone, Debug)]
enum Mode {
    Inline,
    Skip,
    /// Completes after the sync.
    Thread(Arc<Worker>),
    /// Completes at once, syncs each second.
    EverySecond(Arc<Worker>),
    /// Completes at once, syncs what it is told to.
    Background(Arc<Worker>),
}

impl Syncer {
    /// `appendfsync always`: a thread of that name syncs, completions follow,
    /// on that thread.
    ///
    /// # Errors
    /// If the operating system cannot start a thread.
    pub fn thread(name: &str) -> io::Result<Syncer> {
        Ok(Syncer(Mode::Thread(Worker::start(name, Duration::ZERO)?)))
    }

    /// `appendfsync everysec`: completions fire at once, a thread of that name
    /// syncs at most once a second. A failed sync shows at the next append.
    ///
    /// # Errors
    /// If the operating system cannot start a thread.
    pub fn every_second(name: &str) -> io::Result<Syncer> {
        Ok(Syncer(Mode::EverySecond(Worker::start(name, Duration::from_secs(1))?)))
    }

    /// `appendfsync no`: completions fire at once, and when something reaches
    /// the disk is the operating system's affair. A thread of that name syncs
    /// what [`Syncer::force`] gets.
    ///
    /// # Errors
    /// If the operating system cannot start a thread.
    pub fn background(name: &str) -> io::Result<Syncer> {
        Ok(Syncer(Mode::Background(Worker::start(name, Duration::ZERO)?)))
    }

    /// Syncs and completes within `submit`: for the simulation, where there are
    /// no threads.
    pub fn inline() -> Syncer {
        Syncer(Mode::Inline)
    }

    /// Completes at once and never syncs.
    pub fn skip() -> Syncer {
        Syncer(Mode::Skip)
    }

    /// Whether nobody waits for the disk: what [`Log::set_relaxed`] is told.
    ///
    /// [`Log::set_relaxed`]: crate::Log::set_relaxed
    pub fn is_relaxed(&self) -> bool {
        matches!(self.0, Mode::Skip | Mode::Background(_))
    }

    /// Hands over a ticket; `done` is called exactly once, on whatever thread
    /// the syncer uses, with the outcome. Completions of one syncer are called
    /// in the order of submission.
    pub fn submit(&self, ticket: SyncTicket, done: impl FnOnce(io::Result<()>) + Send + 'static) {
        match &self.0 {
            Mode::Inline => done(ticket.run()),
            Mode::Skip | Mode::Background(_) => done(Ok(())),
            Mode::Thread(worker) => worker.submit(ticket, Some(Box::new(done))),
            Mode::EverySecond(worker) => {
                worker.submit(ticket, None);
                done(Ok(()));
            }
        }
    }

    /// Hands over a ticket that is to be synced whatever the mode, if perhaps not at once; `done`
    /// is called with the outcome, exactly once.
    pub fn force(&self, ticket: SyncTicket, done: impl FnOnce(io::Result<()>) + Send + 'static) {
        match &self.0 {
            Mode::Inline | Mode::Skip => done(ticket.run()),
            Mode::Thread(worker) | Mode::EverySecond(worker) | Mode::Background(worker) => {
                worker.submit(ticket, Some(Box::new(done)));
            }
        }
    }
}

/// A thread with a queue. Dropping the last handle finishes the queue first.
#[derive(Debug)]
struct Worker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<(SyncTicket, Option<Done>)>,
    closing: bool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("waiting", &self.lock().waiting.len()).finish()
    }
}

impl Worker {
    #[expect(clippy::disallowed_methods, reason = "fdatasync blocks, and the node must not")]
    fn start(name: &str, delay: Duration) -> io::Result<Arc<Worker>> {
        let shared = Arc::new(Shared::default());
        let theirs = shared.clone();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            while let Some(batch) = theirs.take(delay) {
                run_batch(batch);
            }
        })?;
        Ok(Arc::new(Worker { shared, thread: Some(thread) }))
    }

    fn submit(&self, ticket: SyncTicket, done: Option<Done>) {
        let mut queue = self.shared.lock();
        match queue.waiting.last_mut() {
            Some((last, None)) if done.is_none() && last.same_log(&ticket) => *last = ticket,
            _ => {
                queue.waiting.push((ticket, done));
                if queue.waiting.len() == 1 {
                    self.shared.wake.notify_one();
                }
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.wake.notify_one();
        let thread = self.thread.take().expect("taken here only");
        // A completion may hold the last handle; a thread cannot wait for itself.
        if thread.thread().id() != thread::current().id() {
            thread.join().expect("a panic of the log thread is a defect and must not pass");
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for tickets, then for `delay`; `None` once closing and empty.
    fn take(&self, delay: Duration) -> Option<Vec<(SyncTicket, Option<Done>)>> {
        let idle = |queue: &mut Queue| queue.waiting.is_empty() && !queue.closing;
        let queue = self.wake.wait_while(self.lock(), idle);
        let mut queue = queue.unwrap_or_else(PoisonError::into_inner);
        if !delay.is_zero() {
            let open = |queue: &mut Queue| !queue.closing;
            let waited = self.wake.wait_timeout_while(queue, delay, open);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let batch = std::mem::take(&mut queue.waiting);
        (!batch.is_empty() || !queue.closing).then_some(batch)
    }
}

/// Runs the newest ticket first: its sync covers the older ones of its log.
fn run_batch(batch: Vec<(SyncTicket, Option<Done>)>) {
    let mut outcomes: Vec<io::Result<()>> =
        batch.iter().rev().map(|(ticket, _)| ticket.run()).collect();
    for (_, done) in batch {
        let outcome = outcomes.pop().expect("one outcome per ticket");
        if let Some(done) = done {
            done(outcome);
        }
    }
}
