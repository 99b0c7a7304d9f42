//! MULTI and what follows it, on the way to where it runs.

use quoris_engine::spec::Flags;
use quoris_engine::{Args, CommandError, Run, Slot};
use quoris_resp::{Writer, parse_i64};

use super::chunk::Found;
use super::route::slot_of;
use super::run::{Runner, Step, Verdict};
use super::silence;
use crate::flush;
use crate::registry::{Entry, Handler, Keys, NodeCx, Role};
use crate::replies;
use crate::session::Hold;
use crate::transactions::{Transaction, may_touch, run_node};
use crate::turn::{Kind, Request};

/// What is to be done about EXEC, as far as watched keys go.
enum Judgement {
    /// It runs.
    Unchanged,
    /// It is answered with null.
    Changed,
    /// It cannot be known yet.
    Wait(Hold),
}

impl Runner<'_> {
    /// Queues a command after MULTI.
    pub(super) fn queue(
        &mut self,
        found: &Found,
        entry: &Entry,
        input: &[u8],
        output: &mut Vec<u8>,
    ) -> Step {
        if entry.has(Flags::NO_MULTI) {
            return self.doom(Some(entry), &replies::NO_MULTI, output);
        }
        if self.shared.concerns_all_shards(entry) {
            return self.doom(Some(entry), &replies::NOT_IN_EXEC, output);
        }
        let args = found.args(input);
        let first = found.prepared.map(|ready| ready.slot);
        let kind = match entry.command.run {
            Run::Read(_) => Kind::Read,
            Run::Write(_) => Kind::Write,
            Run::Node | Run::Container(_) => Kind::Node,
        };
        let verdict = match kind {
            Kind::Node if entry.keys == Keys::None => Verdict::Here,
            Kind::Node => self.channel_verdict(entry, &args),
            _ => self.verdict_to_queue(entry, &args, first, kind == Kind::Write),
        };
        match verdict {
            Verdict::Here => {}
            Verdict::Refuse(error) => return self.doom(Some(entry), &error, output),
            Verdict::Wait(hold) => return Step::Stop(hold),
        }
        if self.shared.is_paused(kind == Kind::Write) && !entry.has(Flags::ADMIN) {
            return Step::Stop(Hold::Paused);
        }
        if self.has_batch && self.shared.turn.borrow().is_full() {
            return Step::Stop(Hold::Batch);
        }
        // The keys of one command are in one slot, unless it does not matter.
        let slot = match kind {
            Kind::Node => None,
            _ => first.or_else(|| slot_of(entry, &args, None, true).ok().flatten()),
        };
        if self.push(found, entry, input, (kind, slot)) {
            let client = self.session.id;
            tracing::warn!(client, "close a client over its query buffer limit");
            self.session.kill();
            return Step::Done(Hold::Free);
        }
        self.last = Some(entry.number);
        self.say(output, |reply| reply.simple("QUEUED"));
        Step::Next
    }

    /// Adds a command to the transaction. True if it has become larger than a client may make it.
    fn push(
        &self,
        found: &Found,
        entry: &Entry,
        input: &[u8],
        (kind, slot): (Kind, Option<Slot>),
    ) -> bool {
        let (args, encoded) = (found.args(input), found.encoded(input));
        let mut transaction = self.session.transaction.borrow_mut();
        let transaction = transaction.as_mut().expect("it is queued after MULTI");
        let db = transaction.selects.unwrap_or_else(|| self.session.db.get());
        let (number, prepared) = (entry.number, found.prepared);
        let request = Request { args, encoded, number, db, prepared };
        transaction.push(&request, kind, slot);
        let config = self.shared.config.borrow();
        if entry.role == Role::Select {
            let count = config.databases() as u16;
            let number = parse_i64(&args[1]).and_then(|number| u16::try_from(number).ok());
            transaction.selects = number.filter(|number| *number < count).or(transaction.selects);
        }
        transaction.bytes() > config.client_query_buffer_limit()
    }

    /// Answers a command that cannot be queued; EXEC will fail.
    pub(super) fn doom(
        &mut self,
        entry: Option<&Entry>,
        error: &CommandError,
        output: &mut Vec<u8>,
    ) -> Step {
        if entry.is_some_and(|entry| entry.role == Role::Exec) {
            return self.abort(entry, &replies::exec_aborted(error), output);
        }
        if let Some(transaction) = &mut *self.session.transaction.borrow_mut() {
            transaction.doom();
        }
        if let Some(entry) = entry {
            self.shared.stats.rejected(entry.number);
        }
        self.shared.count_error(error);
        self.say(output, |reply| reply.error(error.as_str()));
        Step::Next
    }

    /// The same for a request that names no command, or has a wrong number of words.
    pub(super) fn doom_unknown(&mut self, args: &Args<'_>, output: &mut Vec<u8>) -> Step {
        let (error, number) = self.shared.registry.refusal(args);
        let entry = number.map(|number| self.shared.registry.entry(number));
        self.doom(entry, &error, output)
    }

    /// Answers EXEC with an error; the transaction is over.
    fn abort(&mut self, entry: Option<&Entry>, error: &CommandError, output: &mut Vec<u8>) -> Step {
        self.shared.leave_transaction(self.session);
        if let Some(entry) = entry {
            self.shared.stats.rejected(entry.number);
        }
        self.shared.count_error(error);
        self.say(output, |reply| reply.error(error.as_str()));
        Step::Next
    }

    /// EXEC after MULTI.
    pub(super) fn exec(&mut self, entry: &Entry, output: &mut Vec<u8>) -> Step {
        let kept = self.session.transaction.borrow();
        let transaction = kept.as_ref().expect("EXEC was preceded by MULTI");
        if transaction.is_doomed() {
            drop(kept);
            return self.abort(Some(entry), &replies::EXEC_ABORT, output);
        }
        let watches = self.session.watching.borrow().is_some();
        let writes = transaction.writes();
        let verdict = self.verdict_on(transaction, watches);
        drop(kept);
        match verdict {
            Verdict::Here => {}
            Verdict::Refuse(error) if error.code() == "READONLY" => {
                return self.abort(Some(entry), &replies::exec_aborted(&error), output);
            }
            Verdict::Refuse(error) => return self.abort(Some(entry), &error, output),
            Verdict::Wait(hold) => return Step::Stop(hold),
        }
        if self.shared.is_paused(writes) {
            return Step::Stop(Hold::Paused);
        }
        if (writes || self.has_batch) && self.shared.turn.borrow().is_full() {
            if self.has_batch {
                return Step::Stop(Hold::Batch);
            }
            flush::end_batch(self.shared);
        }
        let now_ms = flush::next_stamp_ms(self.shared);
        let mut ends_batch = false;
        if watches {
            match self.judge(writes, now_ms) {
                Judgement::Unchanged => {}
                Judgement::Changed => return self.exec_changed(entry, output),
                Judgement::Wait(hold) => return Step::Stop(hold),
            }
            let watching = self.session.watching.borrow();
            ends_batch = writes && watching.as_ref().is_some_and(|watching| watching.expires());
        }
        let transaction = self.session.transaction.take().expect("it is still there");
        self.shared.unwatch(self.session);
        self.count(entry);
        if !writes && !self.has_batch {
            self.exec_here(&transaction, output);
            return Step::Next;
        }
        let mut turn = self.shared.turn.borrow_mut();
        let first = turn.items.len();
        turn.exec(self.session, &transaction, entry.number);
        drop(turn);
        self.has_batch = true;
        self.shared.try_behind(first);
        if ends_batch {
            // At the time of the judgement, so that no watched key expires in between.
            flush::end_batch_at(self.shared, now_ms);
        }
        // What follows must not miss a SELECT.
        if ends_batch || transaction.asks_node() { Step::Done(Hold::Batch) } else { Step::Next }
    }

    /// Judges by the watched keys whether EXEC runs.
    fn judge(&self, writes: bool, now_ms: u64) -> Judgement {
        let watching = self.session.watching.borrow();
        let Some(watching) = &*watching else { return Judgement::Unchanged };
        if watching.is_changed() || watching.has_expired(&self.shared.engine.borrow(), now_ms) {
            return Judgement::Changed;
        }
        if self.has_batch {
            return Judgement::Wait(Hold::Batch);
        }
        if !writes {
            return Judgement::Unchanged;
        }
        let (pending, turn) = (self.shared.pending.borrow(), self.shared.turn.borrow());
        let mut under_way = pending.batches().chain(std::iter::once(&*turn));
        let may_touch = |batch| may_touch(batch, &self.shared.registry, watching.keys());
        if !pending.has_stranded() && !under_way.any(may_touch) {
            return Judgement::Unchanged;
        }
        // Writes that never change the key could go on for ever. To fail is always right.
        if self.has_waited_too_long() {
            Judgement::Changed
        } else {
            Judgement::Wait(Hold::InFlight)
        }
    }

    /// Answers EXEC with null, because a watched key has changed.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method is for one lifetime of a writer, and any is wanted"
    )]
    fn exec_changed(&mut self, entry: &Entry, output: &mut Vec<u8>) -> Step {
        self.shared.leave_transaction(self.session);
        self.count(entry);
        self.say(output, |reply| reply.null_array());
        Step::Next
    }

    /// Runs a transaction that does not write.
    fn exec_here(&mut self, transaction: &Transaction, output: &mut Vec<u8>) {
        let mark = output.len();
        Writer::new(output, self.session.protocol.get()).array(transaction.len());
        self.session.in_exec.set(true);
        for (kind, request) in transaction.requests() {
            let entry = self.shared.registry.entry(request.number);
            if kind == Kind::Read {
                self.read_in(request.db, entry, request.args, output);
            } else {
                self.tally.before(entry);
                run_node(self.shared, self.session, entry, request.args, output);
                self.tally.after(entry);
            }
        }
        self.session.leave_exec();
        silence(self.session, output, mark);
        self.forget_standing();
    }

    fn count(&mut self, entry: &Entry) {
        self.ran += 1;
        self.last = Some(entry.number);
        self.tally.before(entry);
        self.tally.after(entry);
    }

    /// Runs a command that concerns nothing but the session behind writes of the same pipeline.
    pub(super) fn instant(&mut self, entry: &Entry, handler: Handler, args: Args<'_>) -> Step {
        if self.shared.turn.borrow().is_full() {
            return Step::Stop(Hold::Batch);
        }
        self.count(entry);
        let mut text = Vec::new();
        let mut reply = Writer::new(&mut text, self.session.protocol.get());
        let mut cx = NodeCx { shared: self.shared, session: self.session };
        if let Err(error) = handler(&mut cx, args, &mut reply) {
            reply.error(error.as_str());
            self.shared.stats.failed(entry.number);
            self.shared.count_error(&error);
        }
        self.shared.turn.borrow_mut().say(self.session, |reply| reply.raw(&text));
        Step::Next
    }

    /// Answers at once, or in its turn behind the writes of the same pipeline.
    fn say(&self, output: &mut Vec<u8>, write: impl FnOnce(&mut Writer<'_>)) {
        if self.has_batch {
            self.shared.turn.borrow_mut().say(self.session, write);
        } else {
            let mark = output.len();
            write(&mut Writer::new(output, self.session.protocol.get()));
            silence(self.session, output, mark);
        }
    }
}
