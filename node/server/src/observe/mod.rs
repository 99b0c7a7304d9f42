//! What an operator watches while a node runs: slow commands, latency, and every command.
//!
//! The data path asks one question per command, [`Observe::wants`], which is a load and a compare;
//! everything behind it is rare.

pub mod latency;
pub mod monitor;
pub mod rate;
pub mod redact;
pub mod slowlog;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use quoris_engine::Args;
use quoris_engine::spec::Flags;

use crate::config::Config;
use crate::process::{NoProcess, Process};
use crate::registry::Entry;
use crate::session::{Ending, Session};
use crate::shared::Shared;
use latency::Latency;
use rate::Rates;
use slowlog::SlowLog;

/// Below this threshold of the slow log, cheap commands are timed one by one too.
const FINE_MICROS: i64 = 1000;

/// What is watched.
pub struct Observe {
    /// `SLOWLOG`.
    pub slowlog: RefCell<SlowLog>,
    /// `LATENCY`.
    pub latency: RefCell<Latency>,
    /// Rates for `INFO stats`.
    pub rates: RefCell<Rates>,
    /// `DEBUG PAUSE-CRON`: background work rests.
    pub cron_paused: Cell<bool>,
    /// The most memory that was seen allocated, in bytes.
    pub memory_peak: Cell<u64>,
    /// The memory that was allocated before the first client came, in bytes.
    pub memory_start: Cell<u64>,
    process: RefCell<Rc<dyn Process>>,
    monitors: RefCell<Vec<Rc<Session>>>,
    is_monitored: Cell<bool>,
    /// Commands that took at least this long are of interest.
    slow_from: Cell<Duration>,
    slowlog_from: Cell<Duration>,
    latency_from: Cell<Duration>,
    times_each: Cell<bool>,
}

impl Observe {
    pub(crate) fn new(config: &Config) -> Self {
        let observe = Observe {
            slowlog: RefCell::default(),
            latency: RefCell::default(),
            rates: RefCell::default(),
            cron_paused: Cell::new(false),
            memory_peak: Cell::new(0),
            memory_start: Cell::new(0),
            process: RefCell::new(Rc::new(NoProcess)),
            monitors: RefCell::default(),
            is_monitored: Cell::new(false),
            slow_from: Cell::new(Duration::MAX),
            slowlog_from: Cell::new(Duration::MAX),
            latency_from: Cell::new(Duration::MAX),
            times_each: Cell::new(false),
        };
        observe.configure(config);
        observe
    }

    /// Obeys the directives about slow commands and latency.
    pub fn configure(&self, config: &Config) {
        let micros = config.slowlog_log_slower_than();
        let slowlog = u64::try_from(micros).map_or(Duration::MAX, Duration::from_micros);
        let latency = match config.latency_monitor_threshold() {
            0 => Duration::MAX,
            millis => Duration::from_millis(millis),
        };
        self.slowlog_from.set(slowlog);
        self.latency_from.set(latency);
        self.slow_from.set(slowlog.min(latency));
        self.times_each.set((0..FINE_MICROS).contains(&micros));
        self.slowlog.borrow_mut().set_len_max(config.slowlog_max_len());
    }

    /// Whether even cheap commands are to be timed one by one.
    #[inline]
    pub(crate) fn times_each(&self) -> bool {
        self.times_each.get()
    }

    /// Whether anybody wants to know of a command that took this long; `None` if it was so cheap
    /// that it was not timed.
    #[inline]
    pub(crate) fn wants(&self, time: Option<Duration>) -> bool {
        self.is_monitored.get() || time.is_some_and(|time| time >= self.slow_from.get())
    }

    /// The process.
    pub fn process(&self) -> Rc<dyn Process> {
        Rc::clone(&self.process.borrow())
    }

    /// Tells the node which process it runs in.
    pub fn set_process(&self, process: Rc<dyn Process>) {
        let allocated = process.memory().allocated;
        self.memory_start.set(allocated);
        self.memory_peak.set(allocated);
        *self.process.borrow_mut() = process;
    }

    /// Whether a client has said `MONITOR`.
    pub fn is_monitor(&self, session: &Session) -> bool {
        self.is_monitored.get() && self.monitors.borrow().iter().any(|one| one.id == session.id)
    }

    /// `MONITOR`.
    pub fn add_monitor(&self, session: &Rc<Session>) {
        if !self.is_monitor(session) {
            self.monitors.borrow_mut().push(Rc::clone(session));
            self.is_monitored.set(true);
        }
    }

    /// `RESET`.
    pub fn remove_monitor(&self, session: &Session) {
        self.keep_monitors(|one| one.id != session.id);
    }

    fn keep_monitors(&self, keep: impl Fn(&Session) -> bool) {
        let mut monitors = self.monitors.borrow_mut();
        monitors.retain(|one| keep(one));
        self.is_monitored.set(!monitors.is_empty());
    }
}

/// A command that has run.
#[derive(Clone, Copy)]
pub(crate) struct Ran<'a> {
    /// Who called it.
    pub(crate) session: &'a Session,
    /// What it is.
    pub(crate) entry: &'a Entry,
    /// Its words.
    pub(crate) args: Args<'a>,
    /// The selected database.
    pub(crate) db: u16,
    /// How long it took, if that was measured.
    pub(crate) time: Option<Duration>,
}

impl Shared {
    /// Tells whoever wants to know of a command that has run.
    #[inline]
    pub(crate) fn observed(&self, ran: &Ran<'_>) {
        if self.observe.wants(ran.time) {
            self.tell_of(ran);
        }
        if ran.session.is_remembered.get() {
            self.remember_read(ran);
        }
        if self.notifications.has_misses() {
            self.notify_misses(ran);
        }
    }

    #[cold]
    fn tell_of(&self, ran: &Ran<'_>) {
        let observe = &self.observe;
        let flags = ran.entry.command.spec.flags;
        if observe.is_monitored.get() && !flags.has(Flags::ADMIN) && !flags.has(Flags::SKIP_MONITOR)
        {
            self.show_to_monitors(ran);
        }
        if let Some(time) = ran.time {
            self.note_time(ran, time);
        }
    }

    /// Tells of a command that has waited and has run again to be served. It was shown when it
    /// began to wait.
    pub(crate) fn observed_serving(&self, ran: &Ran<'_>) {
        let waiter = ran.session.waiter.borrow();
        if let (Some(waiter), Some(time)) = (&*waiter, ran.time)
            && time >= self.observe.slow_from.get()
        {
            waiter.with_asked(|args| self.note_time(&Ran { args, ..*ran }, time));
        }
        if ran.session.is_remembered.get() {
            self.remember_read(ran);
        }
    }

    fn note_time(&self, ran: &Ran<'_>, time: Duration) {
        let observe = &self.observe;
        let flags = ran.entry.command.spec.flags;
        if time >= observe.slowlog_from.get() && !flags.has(Flags::SKIP_SLOWLOG) {
            let now_ms = self.clock.unix_ms();
            observe.slowlog.borrow_mut().add(ran, time, now_ms / 1000);
        }
        if time >= observe.latency_from.get() {
            let event = if flags.has(Flags::FAST) { "fast-command" } else { "command" };
            self.note_latency(event, time);
        }
    }

    /// Notes that something took a time, if it is long enough for `LATENCY`.
    pub fn note_latency(&self, event: &'static str, time: Duration) {
        if time >= self.observe.latency_from.get() {
            let now_s = self.clock.unix_ms() / 1000;
            let millis = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
            self.observe.latency.borrow_mut().add(event, millis, now_s);
        }
    }

    fn show_to_monitors(&self, ran: &Ran<'_>) {
        let observe = &self.observe;
        observe.keep_monitors(|one| one.ending() == Ending::Open);
        let line = monitor::line(ran, self.clock.unix_us());
        for session in &*observe.monitors.borrow() {
            self.reply(session, |reply| reply.simple(&line));
        }
    }

    /// Takes the samples that are taken several times a second.
    pub(crate) fn sample(&self, now: tokio::time::Instant) {
        let stats = &self.stats;
        let counts = [stats.commands_processed.get(), stats.bytes_in.get(), stats.bytes_out.get()];
        self.observe.rates.borrow_mut().sample(now, counts);
    }
}

impl Observe {
    /// The memory in use, which may be a new peak.
    pub fn memory_now(&self) -> crate::process::MemoryUse {
        let memory = self.process.borrow().memory();
        self.memory_peak.set(self.memory_peak.get().max(memory.allocated));
        memory
    }
}
