//! Scripts that only read and run for long.
//!
//! A script that may write runs in an entry, on every replica, and ends when its budget of
//! instructions is used up. One that only reads concerns nobody but its client and this node. It
//! runs on a fiber: after a few milliseconds it pauses, the node does what else there is to do, and
//! goes on with it.
//!
//! ```text
//! EVAL_RO ──► first slice ──► its reply                                  nearly always
//!                         └─► Hold::Later ──► slice ──► slice ──► its reply
//! meanwhile   other clients wait (Hold::Script), and after busy-reply-threshold get -BUSY;
//!             SCRIPT KILL ends it; heartbeats go out; no entry is applied
//! ```
//!
//! All that a script reads is one state, that of the moment when it began. So entries wait to be
//! applied until it has ended, and what it answers was true at that moment, which lies between its
//! request and its reply: it stays a linearizable read, whoever leads by the time of the reply. A
//! node whose leadership begins or ends has entries to apply and does not let them wait: it ends the
//! script.
//!
//! The time after which others get `-BUSY` is this node's own, and nothing in the log depends on it.

mod kill;
mod run;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use quoris_engine::CommandError;
use quoris_script::{LuaHost, Pauses};
use tokio::time::Instant;

pub(crate) use self::kill::{PARTS, Part};
pub(crate) use self::run::{Call, Said, Started};
use crate::replies;
use crate::shared::Shared;

/// How long a script runs before the node looks after everything else.
const SLICE: Duration = Duration::from_millis(5);
/// The same in instructions, for where time stands still while the node runs.
const SLICE_STEPS: u64 = 1_000_000;

/// The script that runs for long, if there is one.
pub(crate) struct Scripts {
    pauses: Rc<Pauses>,
    slice_began: Rc<Cell<Instant>>,
    running: Cell<Option<Running>>,
    /// How it was called.
    words: RefCell<Vec<Vec<u8>>>,
    /// Who waits to apply entries.
    applier: RefCell<Option<Waker>>,
}

/// A script that has paused.
#[derive(Clone, Copy)]
struct Running {
    began: Instant,
    is_function: bool,
    /// It was ended because leadership changes hands.
    is_called_off: bool,
}

impl Scripts {
    pub(crate) fn new() -> Self {
        let slice_began = Rc::new(Cell::new(Instant::now()));
        let began = Rc::clone(&slice_began);
        let pauses =
            Pauses::new(move |steps| steps >= SLICE_STEPS || began.get().elapsed() >= SLICE);
        Scripts {
            pauses,
            slice_began,
            running: Cell::new(None),
            words: RefCell::default(),
            applier: RefCell::default(),
        }
    }

    /// A host for the engine, whose scripts can pause.
    pub(crate) fn host(&self) -> LuaHost {
        LuaHost::with_pauses(&self.pauses)
    }

    /// Whether a script has paused that is to go on.
    #[inline]
    pub(crate) fn is_running(&self) -> bool {
        self.running.get().is_some()
    }

    /// Completes when entries may be applied.
    pub(crate) fn poll_free(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.is_running() {
            return Poll::Ready(());
        }
        *self.applier.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ends the script that runs, if there is one, because this node begins or ceases to lead.
    pub(crate) fn end_for_leadership(&self) {
        if let Some(running) = self.running.get() {
            self.running.set(Some(Running { is_called_off: true, ..running }));
            self.pauses.kill();
        }
    }

    fn begin(&self, began: Instant, is_function: bool, words: Vec<Vec<u8>>) {
        *self.words.borrow_mut() = words;
        self.running.set(Some(Running { began, is_function, is_called_off: false }));
    }

    /// The script has ended. True if its reply does not count.
    fn end(&self) -> bool {
        if let Some(applier) = self.applier.take() {
            applier.wake();
        }
        self.running.take().is_some_and(|running| running.is_called_off)
    }
}

impl Shared {
    /// What commands are answered with while a script runs: nothing yet if it has not run for long.
    pub(crate) fn busy(&self, now: Instant) -> Option<CommandError> {
        let running = self.scripts.running.get()?;
        let threshold = self.busy_threshold()?;
        let is_long = now.saturating_duration_since(running.began) >= threshold;
        is_long.then(|| replies::busy(running.is_function))
    }

    /// The same for one who does not wait longer than that.
    pub(crate) fn busy_since(&self, deadline: Instant) -> Option<CommandError> {
        let (now, running) = (Instant::now(), self.scripts.running.get()?);
        let is_over = now >= deadline;
        self.busy(now).or_else(|| is_over.then(|| replies::busy(running.is_function)))
    }

    /// After how long a running script is reported as busy; never if that is 0.
    fn busy_threshold(&self) -> Option<Duration> {
        let threshold = self.config.borrow().busy_reply_threshold();
        (!threshold.is_zero()).then_some(threshold)
    }

    /// Whether a script runs that has been made to pause.
    pub fn is_running_script(&self) -> bool {
        self.scripts.is_running()
    }
}
