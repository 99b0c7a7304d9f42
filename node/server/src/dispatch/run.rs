//! One command after another: the checks, and then the command.

use std::cell::Ref;
use std::rc::Rc;
use std::time::Duration;

use quoris_engine::spec::Flags;
use quoris_engine::{Args, Command, CommandError, ReadAt, Run};
use quoris_resp::{Writer, encode_command};
use tokio::time::Instant;

use super::chunk::Found;
use super::silence;
use crate::blocking::{Waiter, is_nothing, may_wait};
use crate::commands;
use crate::flush;
use crate::observe::Ran;
use crate::registry::{Entry, Keys, NodeCx, Outcome, Role};
use crate::replies;
use crate::session::{Hold, Session};
use crate::shared::Shared;
use crate::tally::Tally;
use crate::turn::{Batch, Request, spans_of};

/// What became of a command.
pub(super) enum Step {
    /// It is done with.
    Next,
    /// It has not run, and waits.
    Stop(Hold),
    /// It is done with, and the next ones wait.
    Done(Hold),
    /// It was the connection's last.
    Close,
}

/// Whether a command may run here and now.
pub(super) enum Verdict {
    Here,
    Refuse(CommandError),
    Wait(Hold),
}

/// What this node is to its shard at a moment.
#[derive(Clone, Copy)]
pub(super) struct Standing {
    pub(super) leads: bool,
    /// Reads may be answered.
    pub(super) reads: bool,
}

/// Runs the commands that a connection has received by `now`.
pub(super) struct Runner<'a> {
    pub(super) shared: &'a Rc<Shared>,
    pub(super) session: &'a Rc<Session>,
    pub(super) now: Instant,
    pub(super) now_ms: u64,
    standing: Option<Standing>,
    /// A write of this pipeline is in the turn's batch.
    pub(super) has_batch: bool,
    pub(super) tally: Tally<'a>,
    pub(super) ran: u64,
    pub(super) last: Option<u16>,
}

impl<'a> Runner<'a> {
    pub(super) fn new(shared: &'a Rc<Shared>, session: &'a Rc<Session>, now: Instant) -> Self {
        Runner {
            shared,
            session,
            now,
            now_ms: shared.unix_ms(now),
            standing: None,
            has_batch: false,
            tally: Tally::new(shared, now),
            ran: 0,
            last: None,
        }
    }

    pub(super) fn has_batch(&self) -> bool {
        self.has_batch
    }

    /// Closes the accounts; true if the connection has to wait for the turn's batch.
    pub(super) fn finish(mut self) -> bool {
        self.tally.close();
        let session = self.session;
        session.commands.set(session.commands.get() + self.ran);
        if self.last.is_some() {
            session.last_command.set(self.last);
        }
        if self.has_batch {
            self.shared.flusher.wake();
        }
        self.has_batch
    }

    /// Runs one command, if it can be run.
    #[inline]
    pub(super) fn step(&mut self, found: &Found, input: &[u8], output: &mut Vec<u8>) -> Step {
        let args = found.args(input);
        let Some(number) = found.number else { return self.refuse_unknown(&args, output) };
        let entry = self.shared.registry.entry(number);
        if !self.session.authenticated.get() && !entry.has(Flags::NO_AUTH) {
            return self.refuse(entry, &replies::NO_AUTH, output);
        }
        if self.session.is_subscriber.get()
            && let Some(error) = commands::pubsub::refusal(self.session, entry)
        {
            return self.refuse(entry, &error, output);
        }
        if self.shared.scripts.is_running()
            && !entry.has(Flags::ALLOW_BUSY)
            && let Some(step) = self.while_script_runs(found, entry, args, output)
        {
            return step;
        }
        if self.session.is_in_multi() {
            match entry.role {
                Role::Queued | Role::Select => return self.queue(found, entry, input, output),
                Role::Exec => return self.exec(entry, output),
                Role::Instant | Role::Free | Role::Watch => {}
            }
        }
        let reader = self.reader(entry, &args);
        let writes = match entry.command.run {
            Run::Read(_) if entry.handler.is_none() => false,
            Run::Write(_) if self.shared.concerns_all_shards(entry) => {
                return self.node_command(entry, args, output);
            }
            Run::Write(_) => reader.is_none(),
            _ => return self.node_command(entry, args, output),
        };
        match self.verdict(entry, &args, found.prepared.map(|ready| ready.slot), writes) {
            Verdict::Here => {}
            Verdict::Refuse(error) => return self.refuse(entry, &error, output),
            Verdict::Wait(hold) => return Step::Stop(hold),
        }
        if self.shared.is_paused(writes) {
            return Step::Stop(Hold::Paused);
        }
        if self.has_batch && reader.is_some() {
            // In its turn it can pause; inside an entry it could not.
            return Step::Stop(Hold::Batch);
        }
        if (writes || self.has_batch) && self.shared.turn.borrow().is_full() {
            if self.has_batch {
                return Step::Stop(Hold::Batch);
            }
            flush::end_batch(self.shared);
        }
        self.ran += 1;
        self.last = Some(number);
        if let Some(command) = reader {
            return self.script(entry, command, args, output);
        }
        if !writes && !self.has_batch {
            return self.read(entry, args, output);
        }
        let request = Request {
            args,
            encoded: found.encoded(input),
            number,
            db: self.session.db.get(),
            prepared: found.prepared,
        };
        let mut turn = self.shared.turn.borrow_mut();
        let join = if writes { Batch::write } else { Batch::ride };
        let first = turn.items.len();
        join(&mut turn, self.session, &request);
        drop(turn);
        self.has_batch = true;
        if writes {
            self.shared.try_behind(first);
        }
        if may_wait(entry, &args) {
            self.shared.begin_to_try(self.session);
            return Step::Done(Hold::Batch);
        }
        Step::Next
    }

    /// What a script runs as that states that it never writes, or has been called so that it cannot.
    #[inline]
    fn reader(&self, entry: &Entry, args: &Args<'_>) -> Option<&'static Command> {
        match entry.reader {
            Some(command) if entry.command.writes() => {
                let is_reading = self.shared.engine.borrow().is_reading_script(entry.command, args);
                is_reading.then_some(command)
            }
            reader => reader,
        }
    }

    /// Something has run that may have changed what this node is to its shard.
    pub(super) fn forget_standing(&mut self) {
        self.standing = None;
    }

    pub(super) fn standing(&mut self) -> Standing {
        let Runner { shared, now, .. } = *self;
        *self.standing.get_or_insert_with(|| {
            let group = Ref::map(shared.group.borrow(), |group| {
                group.as_ref().expect("the group starts before the first client")
            });
            let leads = group.is_leader() && shared.wishes.are_settled();
            Standing { leads, reads: leads && group.can_read(now) }
        })
    }

    #[inline]
    fn read(&mut self, entry: &Entry, args: Args<'_>, output: &mut Vec<u8>) -> Step {
        let (mark, db) = (output.len(), self.session.db.get());
        let time = self.run_read(db, entry, args, output);
        if entry.has(Flags::BLOCKING) && is_nothing(&output[mark..]) && may_wait(entry, &args) {
            output.truncate(mark);
            return self.wait_for_entries(entry, args);
        }
        self.shared.observed(&Ran { session: self.session, entry, args, db, time });
        silence(self.session, output, mark);
        Step::Next
    }

    #[cold]
    fn wait_for_entries(&mut self, entry: &Entry, args: Args<'_>) -> Step {
        // Whether it was slow shows when it is served.
        let (session, db) = (self.session, self.session.db.get());
        self.shared.observed(&Ran { session, entry, args, db, time: None });
        let engine = self.shared.engine.borrow();
        let waiter =
            Waiter::new(entry, &args, self.session.db.get(), (&engine, self.now, self.now_ms));
        self.shared.let_wait(self.session, waiter);
        Step::Done(Hold::Blocked)
    }

    pub(super) fn read_in(&mut self, db: u16, entry: &Entry, args: Args<'_>, output: &mut Vec<u8>) {
        let time = self.run_read(db, entry, args, output);
        self.shared.observed(&Ran { session: self.session, entry, args, db, time });
    }

    #[inline]
    fn run_read(
        &mut self,
        db: u16,
        entry: &Entry,
        args: Args<'_>,
        output: &mut Vec<u8>,
    ) -> Option<Duration> {
        let mut reply = Writer::new(output, self.session.protocol.get());
        let at = ReadAt { db, now_ms: self.now_ms, seed: self.now_ms };
        self.tally.before(entry);
        let engine = self.shared.engine.borrow();
        if entry.reader.is_some() {
            engine.begin_script_reads(self.session.is_remembered.get());
        }
        let result = engine.read(at, entry.command, args, &mut reply);
        if entry.reader.is_some() {
            self.shared.remember_script_reads(self.session, &engine.end_script_reads());
        }
        drop(engine);
        let time = self.tally.after(entry);
        if let Err(error) = result {
            self.shared.stats.failed(entry.number);
            self.shared.count_error(&error);
        }
        time
    }

    fn node_command(&mut self, entry: &Entry, args: Args<'_>, output: &mut Vec<u8>) -> Step {
        let Some(handler) = entry.handler else { return Step::Next };
        if self.has_batch {
            return match entry.role {
                Role::Instant => self.instant(entry, handler, args),
                _ => Step::Stop(Hold::Batch),
            };
        }
        let takes_keys = entry.takes_keys();
        let verdict = match entry.role {
            _ if entry.keys == Keys::None => Verdict::Here,
            Role::Watch if self.session.is_in_multi() => Verdict::Here,
            Role::Watch => self.verdict(entry, &args, None, false),
            _ if takes_keys => self.verdict(entry, &args, None, true),
            _ => self.channel_verdict(entry, &args),
        };
        match verdict {
            Verdict::Here => {}
            Verdict::Refuse(error) => return self.refuse(entry, &error, output),
            Verdict::Wait(hold) => return Step::Stop(hold),
        }
        if self.shared.is_paused(takes_keys) && !entry.has(Flags::ADMIN) {
            return Step::Stop(Hold::Paused);
        }
        self.ran += 1;
        self.last = Some(entry.number);
        self.session.last_command.set(self.last);
        let db = self.session.db.get();
        let mark = output.len();
        let mut reply = Writer::new(output, self.session.protocol.get());
        let mut cx = NodeCx { shared: self.shared, session: self.session };
        self.tally.before(entry);
        let outcome = handler(&mut cx, args, &mut reply);
        let time = self.tally.after(entry);
        self.shared.observed(&Ran { session: self.session, entry, args, db, time });
        // It may have changed what the next one sees.
        self.standing = None;
        match outcome {
            Ok(Outcome::Done) => {
                silence(self.session, output, mark);
                Step::Next
            }
            Ok(Outcome::Pushed) => {
                let end = output.len();
                silence(self.session, output, end);
                Step::Next
            }
            Ok(Outcome::Close) => Step::Close,
            Ok(Outcome::Later(future)) => {
                *self.session.later.borrow_mut() = Some(future);
                Step::Done(Hold::Later)
            }
            Ok(Outcome::Write(words)) => {
                self.write_internal(&words);
                Step::Next
            }
            Err(error) => {
                output.truncate(mark);
                Writer::new(output, self.session.protocol.get()).error(error.as_str());
                self.shared.stats.failed(entry.number);
                self.shared.count_error(&error);
                silence(self.session, output, mark);
                Step::Next
            }
        }
    }

    /// Adds an internal write to the turn's batch, on the client's behalf.
    fn write_internal(&mut self, words: &[Vec<u8>]) {
        let number = self.shared.registry.number_of(&words[0]);
        let number = number.expect("a handler names a command that there is");
        let mut bytes = Vec::new();
        encode_command(&mut bytes, words.iter().map(Vec::as_slice));
        let spans = spans_of(&bytes);
        let request = Request {
            args: Args::new(&bytes, &spans),
            encoded: Some((&bytes, &spans)),
            number,
            db: self.session.db.get(),
            prepared: None,
        };
        self.shared.turn.borrow_mut().write(self.session, &request);
        self.has_batch = true;
    }

    pub(super) fn refuse(
        &mut self,
        entry: &Entry,
        error: &CommandError,
        output: &mut Vec<u8>,
    ) -> Step {
        // An EXEC that is refused says so in its own way, also without MULTI.
        if self.session.is_in_multi() || entry.role == Role::Exec {
            return self.doom(Some(entry), error, output);
        }
        if self.has_batch {
            return Step::Stop(Hold::Batch);
        }
        self.shared.stats.rejected(entry.number);
        self.write_error(error, output);
        Step::Next
    }

    #[cold]
    fn refuse_unknown(&mut self, args: &Args<'_>, output: &mut Vec<u8>) -> Step {
        if self.session.is_in_multi() {
            return self.doom_unknown(args, output);
        }
        if self.has_batch {
            return Step::Stop(Hold::Batch);
        }
        if is_http(&args[0]) {
            let (client, peer) = (self.session.id, self.session.peer);
            tracing::warn!(
                client,
                "a browser may have been made to attack this node: {peer} speaks HTTP"
            );
            return Step::Close;
        }
        let (error, number) = self.shared.registry.refusal(args);
        if let Some(entry) = number.map(|number| self.shared.registry.entry(number)) {
            return self.refuse(entry, &error, output);
        }
        self.write_error(&error, output);
        Step::Next
    }

    fn write_error(&mut self, error: &CommandError, output: &mut Vec<u8>) {
        let mark = output.len();
        Writer::new(output, self.session.protocol.get()).error(error.as_str());
        self.shared.count_error(error);
        silence(self.session, output, mark);
    }
}

/// Whether a request is a line of HTTP in which a web page could hide commands, as Redis tells it.
fn is_http(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:")
}
