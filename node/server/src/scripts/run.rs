//! Runs a script in slices.

use std::rc::Rc;

use futures::future::LocalBoxFuture;
use quoris_engine::{Args, Command, CommandError, ReadAt, Result};
use quoris_resp::{Span, Writer};
use quoris_script::Fiber;
use tokio::time::Instant;

use crate::dispatch::silence;
use crate::observe::Ran;
use crate::registry::Entry;
use crate::replies;
use crate::session::Session;
use crate::shared::Shared;

/// A script as it was called, to be run on a stack of its own.
pub(crate) struct Call {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    at: ReadAt,
    number: u16,
    /// What it runs as.
    command: &'static Command,
}

impl Call {
    /// A request, which runs as `command`.
    pub(crate) fn new(
        args: &Args<'_>,
        entry: &Entry,
        command: &'static Command,
        at: ReadAt,
    ) -> Self {
        let (mut bytes, mut spans) = (Vec::new(), Vec::new());
        for word in args.from(0) {
            spans.push(Span { start: bytes.len() as u32, len: word.len() as u32 });
            bytes.extend_from_slice(word);
        }
        Call { bytes, spans, at, number: entry.number, command }
    }

    fn args(&self) -> Args<'_> {
        Args::new(&self.bytes, &self.spans)
    }
}

/// What a script said, and how it went.
pub(crate) struct Said {
    pub(crate) reply: Vec<u8>,
    pub(crate) result: Result,
    /// The keys that it has read, for a client that caches them.
    pub(crate) keys: Vec<Vec<u8>>,
}

/// How a script began.
pub(crate) enum Started {
    /// It has ended already.
    Ended(Said),
    /// It goes on; this completes when it has ended and been answered.
    GoesOn(LocalBoxFuture<'static, Result>),
}

impl Shared {
    /// Runs a script that only reads, and does not wait for it longer than a slice. The caller has
    /// made sure that no other one runs.
    pub(crate) fn start_script(
        self: &Rc<Self>,
        session: &Rc<Session>,
        call: Call,
        now: Instant,
    ) -> Started {
        let call = Rc::new(call);
        let work = work(self, session, &call);
        let mut fiber = match Fiber::start(&self.scripts.pauses, work) {
            Ok(fiber) => fiber,
            Err(error) => {
                let text = format!("ERR no memory for the stack of a script: {error}");
                let result = Err(CommandError::text(text));
                return Started::Ended(Said { reply: Vec::new(), result, keys: Vec::new() });
            }
        };
        self.scripts.slice_began.set(now);
        if let Some(said) = fiber.resume() {
            return Started::Ended(said);
        }
        let is_function = self.registry.entry(call.number).command.spec.name.starts_with("fcall");
        let words = call.args().from(0).map(<[u8]>::to_vec).collect();
        self.scripts.begin(now, is_function, words);
        self.release_when_busy(now);
        let running = LongScript { shared: Rc::clone(self), fiber: Some(fiber) };
        Started::GoesOn(Box::pin(finish(running, Rc::clone(session), call, now)))
    }

    /// Those that wait meanwhile are told that it takes long as soon as it does.
    fn release_when_busy(self: &Rc<Self>, began: Instant) {
        let Some(threshold) = self.busy_threshold() else { return };
        let shared = Rc::downgrade(self);
        tokio::task::spawn_local(async move {
            tokio::time::sleep_until(began + threshold).await;
            if let Some(shared) = shared.upgrade() {
                shared.waits.resume_after_script();
            }
        });
    }
}

/// What runs on the fiber.
fn work(
    shared: &Rc<Shared>,
    session: &Session,
    call: &Rc<Call>,
) -> impl FnOnce() -> Said + 'static {
    let (shared, call, protocol) = (Rc::clone(shared), Rc::clone(call), session.protocol.get());
    let caches = session.is_remembered.get();
    move || {
        let mut reply = Vec::new();
        let mut writer = Writer::new(&mut reply, protocol);
        let engine = shared.engine.borrow();
        engine.begin_script_reads(caches);
        let result = engine.read(call.at, call.command, call.args(), &mut writer);
        let keys = engine.end_script_reads();
        Said { reply, result, keys }
    }
}

/// A script that has paused. Whatever becomes of it, the others go on when it is gone.
struct LongScript {
    shared: Rc<Shared>,
    fiber: Option<Fiber<Said>>,
}

impl LongScript {
    async fn outcome(&mut self) -> Said {
        let fiber = self.fiber.as_mut().expect("it goes only when this is dropped");
        loop {
            tokio::task::yield_now().await;
            self.shared.scripts.slice_began.set(Instant::now());
            if let Some(said) = fiber.resume() {
                return said;
            }
        }
    }

    fn end(&mut self) -> bool {
        // What it holds of the engine goes first.
        self.fiber = None;
        let is_called_off = self.shared.scripts.end();
        self.shared.waits.resume_after_script();
        is_called_off
    }
}

impl Drop for LongScript {
    fn drop(&mut self) {
        if self.fiber.is_some() {
            self.end();
        }
    }
}

/// Runs a script to its end and answers its client.
async fn finish(
    mut script: LongScript,
    session: Rc<Session>,
    call: Rc<Call>,
    began: Instant,
) -> Result {
    let Said { mut reply, mut result, keys } = script.outcome().await;
    let shared = Rc::clone(&script.shared);
    if script.end() {
        reply.clear();
        Writer::new(&mut reply, session.protocol.get()).error(replies::SCRIPT_ENDED.as_str());
        result = Err(replies::SCRIPT_ENDED);
    }
    shared.remember_script_reads(&session, &keys);
    let (entry, time) = (shared.registry.entry(call.number), began.elapsed());
    shared.stats.ran(call.number, 1, time);
    if let Err(error) = &result {
        shared.stats.failed(call.number);
        shared.count_error(error);
    }
    let ran = Ran { session: &session, entry, args: call.args(), db: call.at.db, time: Some(time) };
    shared.observed(&ran);
    silence(&session, &mut reply, 0);
    if !reply.is_empty() {
        shared.reply(&session, |output| output.raw(&reply));
    }
    Ok(())
}
