//! Snapshots that somebody asks for, and what is told of all of them.
//!
//! The shard takes a snapshot by itself whenever its log has grown enough. `SAVE`, `BGSAVE` and
//! `BGREWRITEAOF` make it take one now; the log before it is deleted, which is what rewriting means
//! here. One is taken at a time.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use quoris_consensus::LogPosition;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};

use crate::shared::Shared;

/// How often it is looked whether a snapshot is there.
const LOOK: Duration = Duration::from_millis(2);

/// What a snapshot was asked for as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// `SAVE` and `BGSAVE`.
    Save,
    /// `BGREWRITEAOF`.
    Rewrite,
}

/// A snapshot under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    /// What it was asked for as.
    pub(crate) purpose: Purpose,
    /// When it began.
    pub(crate) since: Instant,
}

/// How often snapshots were taken for one purpose, and how the last one went.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Record {
    /// How many have ended well.
    pub(crate) count: u64,
    /// How long the last one took.
    pub(crate) took: Option<Duration>,
    /// Whether the last one failed.
    pub(crate) failed: bool,
}

/// The newest snapshot when it was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Newest {
    /// Where it stands in the log; there may be none yet.
    index: Option<u64>,
}

/// All snapshots of a node.
pub(crate) struct Saves {
    job: Cell<Option<Job>>,
    next: Cell<Option<Purpose>>,
    asked: Notify,
    ended: watch::Sender<u64>,
    saved: Cell<Record>,
    rewritten: Cell<Record>,
    /// The newest snapshot, once it has been looked for.
    newest: Cell<Option<Newest>>,
    saved_ms: Cell<u64>,
    changes_then: Cell<u64>,
}

impl Saves {
    /// Nothing has been saved since the start, which counts as the last time.
    pub(crate) fn new(started_ms: u64) -> Self {
        Saves {
            job: Cell::default(),
            next: Cell::default(),
            asked: Notify::new(),
            ended: watch::channel(0).0,
            saved: Cell::default(),
            rewritten: Cell::default(),
            newest: Cell::default(),
            saved_ms: Cell::new(started_ms),
            changes_then: Cell::new(0),
        }
    }

    /// The one under way.
    pub(crate) fn job(&self) -> Option<Job> {
        self.job.get()
    }

    /// What is to be done after it.
    pub(crate) fn next(&self) -> Option<Purpose> {
        self.next.get()
    }

    /// Begins one. There is none under way.
    pub(crate) fn begin(&self, purpose: Purpose) {
        self.job.set(Some(Job { purpose, since: Instant::now() }));
        self.asked.notify_one();
    }

    /// Has one begun after the one under way.
    pub(crate) fn schedule(&self, purpose: Purpose) {
        self.next.set(Some(purpose));
    }

    /// Changes whenever one has ended.
    pub(crate) fn ended(&self) -> watch::Receiver<u64> {
        self.ended.subscribe()
    }

    /// How those for a purpose went.
    pub(crate) fn record(&self, purpose: Purpose) -> Record {
        self.records(purpose).get()
    }

    fn records(&self, purpose: Purpose) -> &Cell<Record> {
        match purpose {
            Purpose::Save => &self.saved,
            Purpose::Rewrite => &self.rewritten,
        }
    }

    /// When the newest snapshot was taken, in milliseconds since the Unix epoch.
    pub(crate) fn saved_ms(&self) -> u64 {
        self.saved_ms.get()
    }

    /// How many changes there had been by then.
    pub(crate) fn changes_then(&self) -> u64 {
        self.changes_then.get()
    }

    /// Looks whether the shard has taken a snapshot by itself.
    pub(crate) fn look(&self, newest: Option<LogPosition>, now_ms: u64, changes: u64) {
        let newest = Newest { index: newest.map(|position| position.index) };
        let before = self.newest.replace(Some(newest));
        if before.is_some_and(|before| before < newest) && self.job.get().is_none() {
            self.count(Purpose::Save, None);
            self.note(now_ms, changes);
        }
    }

    fn count(&self, purpose: Purpose, took: Option<Duration>) {
        let Record { count, took: before, .. } = self.record(purpose);
        let record = Record { count: count + 1, took: took.or(before), failed: false };
        self.records(purpose).set(record);
    }

    fn note(&self, now_ms: u64, changes: u64) {
        self.saved_ms.set(now_ms);
        self.changes_then.set(changes);
    }

    fn end(&self, job: Job) {
        self.job.set(None);
        if let Some(purpose) = self.next.take() {
            self.begin(purpose);
        }
        tracing::info!("{:?} ended after {:?}", job.purpose, job.since.elapsed());
        self.ended.send_modify(|count| *count += 1);
    }
}

/// Takes the snapshots that are asked for, until it is dropped.
pub(crate) async fn run(shared: Rc<Shared>) {
    let saves = &shared.saves;
    loop {
        saves.asked.notified().await;
        let Some(job) = saves.job() else { continue };
        let changes = shared.stats.changes.get();
        if take(&shared).await {
            let index = shared.group().status().snapshot.map(|position| position.index);
            saves.newest.set(Some(Newest { index }));
            saves.count(job.purpose, Some(job.since.elapsed()));
            saves.note(shared.now_ms(), changes);
        } else {
            let failed = Record { failed: true, ..saves.record(job.purpose) };
            saves.records(job.purpose).set(failed);
        }
        saves.end(job);
    }
}

/// Takes a snapshot of everything applied by now; whether that worked. One that is there already
/// will do.
async fn take(shared: &Shared) -> bool {
    let group = shared.group();
    let index = |position: Option<LogPosition>| position.map(|position| position.index);
    let wanted = index(group.status().applied);
    if let Err(error) = group.trigger_snapshot().await {
        tracing::error!("take a snapshot: {error}");
        return false;
    }
    loop {
        let status = group.status();
        if index(status.snapshot) >= wanted {
            return true;
        }
        if status.standing.fault.is_some() {
            return false;
        }
        sleep(LOOK).await;
    }
}
