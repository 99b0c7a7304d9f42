//! Applies the shard's log to the engine, and answers the clients whose commands it holds.

use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use anyhow::Context as _;
use quoris_consensus::{Committed, LogPosition, Machine};
use quoris_engine::effects::{Effect, Effects};
use quoris_engine::spec::Flags;
use quoris_engine::{
    AHEAD, Applying, CommandError, Engine, ReadAt, Seeds, Settings, Stamp, Upcoming,
};
use quoris_resp::Writer;
use tokio::time::Instant;

use crate::blocking::{End, Waiter, is_nothing, may_wait};
use crate::dispatch::silence;
use crate::functions;
use crate::observe::Ran;
use crate::replies;
use crate::session::{Ending, Hold, Session};
use crate::shard_settings;
use crate::shared::Shared;
use crate::tally::Tally;
use crate::tracking::Writers;
use crate::transactions::run_node;
use crate::turn::{Batch, Failure, Item, Kind, Share};

/// The engine as the shard's state machine.
pub(crate) struct ShardMachine {
    /// Weak, because the group, which the node owns, owns the machine.
    shared: Weak<Shared>,
    applied: Option<LogPosition>,
}

impl ShardMachine {
    pub(crate) fn new(shared: &Rc<Shared>) -> Self {
        ShardMachine { shared: Rc::downgrade(shared), applied: None }
    }

    fn shared(&self) -> Rc<Shared> {
        self.shared.upgrade().expect("the node stops its group before it goes away")
    }
}

impl Machine for ShardMachine {
    fn applied(&self) -> Option<LogPosition> {
        self.applied
    }

    /// A script that has paused reads one state from its beginning to its end.
    fn poll_free(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.shared().scripts.poll_free(cx)
    }

    fn apply(&mut self, entry: Committed<'_>) {
        let shared = self.shared();
        self.applied = Some(entry.position);
        shared.expiry.settled(entry.tag);
        let stamp = stamp_of(entry.stamp);
        shared.stamped_ms.set(shared.stamped_ms.get().max(stamp.now_ms));
        let ours = entry.tag.and_then(|tag| shared.pending.borrow_mut().take(tag));
        let Some(batch) = ours else {
            shared.pending.borrow_mut().settle(entry.tag.unwrap_or_default());
            let mut engine = shared.engine.borrow_mut();
            let mut applying = engine.begin(stamp, shared.interests.get());
            applying.run_payload(entry.payload);
            let effects = applying.finish();
            drop(engine);
            perform(&shared, effects, (entry.tag, stamp), &Writers::new());
            shard_settings::applied(&shared, entry.tag);
            functions::applied(&shared, entry.tag);
            shared.waits.resume_in_flight();
            return;
        };
        let (effects, writers) = run(&shared, stamp, &batch);
        perform(&shared, effects, (entry.tag, stamp), &writers);
        for share in &batch.shares {
            share.session.last_write.set(Some(entry.position.index));
            settle(&shared, share);
        }
        let joined = shared.turn.borrow().shares.len();
        shared.flusher.gathering.answered(batch.shares.len(), joined);
        shared.pending.borrow_mut().reuse(batch);
        shared.waits.resume_in_flight();
        shared.flusher.wake();
    }

    fn skip(&mut self, position: LogPosition) {
        self.applied = Some(position);
    }

    fn snapshot(&mut self) -> anyhow::Result<Vec<u8>> {
        Ok(self.shared().engine.borrow().snapshot())
    }

    fn restore(&mut self, position: Option<LogPosition>, bytes: &[u8]) -> anyhow::Result<()> {
        let mut restored = Engine::restore(bytes).context("read the snapshot")?;
        let shared = self.shared();
        restored.inherit_script_host(&mut shared.engine.borrow_mut());
        let stamped = restored.last_stamp().now_ms.max(shared.stamped_ms.get());
        shared.stamped_ms.set(stamped);
        let replaced = shared.engine.replace(restored);
        shared.reclaim.free(vec![replaced.into_garbage()]);
        shard_settings::follow(&shared);
        shared.adopted.announce();
        shared.all_watched_changed();
        shared.invalidate_all();
        shared.waited_databases_changed();
        shared.try_ready();
        self.applied = position;
        Ok(())
    }
}

/// An engine with nothing in it.
pub(crate) fn empty_engine(hash_seed: [u8; 16]) -> Engine {
    Engine::new(Settings::default(), Seeds { hash: hash_seed })
}

fn stamp_of(stamp: quoris_consensus::Stamp) -> Stamp {
    let quoris_consensus::Stamp { now_ms, seed, engine_version } = stamp;
    Stamp { now_ms, seed, engine_version }
}

/// Runs a batch that this node proposed, and appends the replies to its sessions' outputs.
fn run(shared: &Rc<Shared>, stamp: Stamp, batch: &Batch) -> (Effects, Writers) {
    let now = Instant::now();
    let (now_ms, tally) = (shared.unix_ms(now), Tally::new(shared, now));
    let mut runner = BatchRunner { shared, batch, now_ms, tally, exec: None };
    let mut engine = shared.engine.borrow_mut();
    let mut applying = engine.begin(stamp, shared.interests.get());
    let (mut first, mut writers) = (0, Writers::new());
    for share in &batch.shares {
        let mut output = shared.output_of(&share.session);
        let end = share.end as usize;
        for at in first..end {
            if at.is_multiple_of(AHEAD) {
                let items = &batch.items[at..batch.items.len().min(at + AHEAD)];
                prefetch(shared, applying.engine(), batch, items);
            }
            let (item, mark) = (&batch.items[at], output.len());
            if item.kind == Kind::Node {
                // It may look at the engine itself.
                let suspended = applying.suspend();
                drop(engine);
                runner.run_node(item, &share.session, &mut output);
                engine = shared.engine.borrow_mut();
                applying = engine.resume(suspended);
            } else {
                runner.run(&mut applying, item, &share.session, &mut output);
            }
            runner.close(item, &share.session, &mut output, mark);
        }
        shared.output_to(&share.session, output);
        first = end;
        if shared.tracking.is_on() {
            writers.push((applying.effect_count(), share.session.id));
        }
    }
    runner.tally.close();
    (applying.finish(), writers)
}

/// Asks for the memory that up to sixteen items will touch.
fn prefetch(shared: &Shared, engine: &Engine, batch: &Batch, items: &[Item]) {
    if items.len() < 2 {
        return;
    }
    let mut upcoming = [None; AHEAD];
    for (item, upcoming) in items.iter().zip(&mut upcoming) {
        let group = shared.registry.entry(item.number).command.spec.group;
        *upcoming = Upcoming::new(item.db, group, &batch.args(item));
    }
    engine.prefetch(&upcoming);
}

/// What running the items of a batch takes.
struct BatchRunner<'a> {
    shared: &'a Rc<Shared>,
    batch: &'a Batch,
    now_ms: u64,
    tally: Tally<'a>,
    /// The transaction that is being run.
    exec: Option<Exec>,
}

/// How far a transaction has come.
struct Exec {
    /// Where its reply begins.
    mark: usize,
    /// How many of its commands are still to run.
    left: u32,
}

impl BatchRunner<'_> {
    #[inline]
    fn run(
        &mut self,
        applying: &mut Applying<'_>,
        item: &Item,
        session: &Rc<Session>,
        output: &mut Vec<u8>,
    ) {
        let entry = self.shared.registry.entry(item.number);
        let mark = output.len();
        let mut reply = Writer::new(output, session.protocol.get());
        let args = self.batch.args(item);
        let is_again = matches!(item.kind, Kind::Attempt | Kind::Look);
        if is_again {
            self.tally.before_again();
        }
        let result = match item.kind {
            Kind::Write | Kind::Attempt => {
                self.tally.before(entry);
                applying.run(item.db, entry.command, args, &mut reply)
            }
            Kind::Read | Kind::Look => {
                self.tally.before(entry);
                // All of a transaction happens at the time of its entry.
                let now_ms = if self.exec.is_some() { 0 } else { self.now_ms };
                let at = ReadAt { db: item.db, now_ms, seed: self.now_ms };
                if entry.reader.is_some() {
                    applying.engine().begin_script_reads(session.is_remembered.get());
                }
                applying.read(at, entry.command, args, &mut reply)
            }
            Kind::Said => return reply.raw(&args[0]),
            Kind::Exec(count) => return reply.array(count as usize),
            Kind::Node => unreachable!("it runs while the entry is suspended"),
        };
        let time =
            if is_again { Some(self.tally.after_again(entry)) } else { self.tally.after(entry) };
        let ran = Ran { session, entry, args, db: item.db, time };
        if entry.has(Flags::BLOCKING) && self.exec.is_none() {
            let found = match item.kind {
                Kind::Read | Kind::Look => result.is_ok() && !is_nothing(&output[mark..]),
                _ => !applying.found_nothing(),
            };
            let goes_on = if is_again {
                self.after_again(session, &ran, found)
            } else {
                self.after_try(applying.engine(), session, &ran, (found, result.is_err()))
            };
            if goes_on {
                return output.truncate(mark);
            }
        }
        if let Err(error) = result {
            self.shared.stats.failed(item.number);
            self.shared.count_error(&error);
        }
        if session.is_remembered.get() && item.kind == Kind::Write {
            self.shared.remember_script_reads(session, applying.script_reads());
        } else if entry.reader.is_some() {
            self.shared.remember_script_reads(session, &applying.engine().end_script_reads());
        }
        if !is_again {
            self.shared.observed(&ran);
        }
    }

    /// An attempt to serve one who waits has been made. True if the wait goes on.
    fn after_again(&self, session: &Rc<Session>, ran: &Ran<'_>, found: bool) -> bool {
        if found {
            self.shared.observed_serving(ran);
            self.shared.served(session);
        } else {
            self.shared.not_served(session);
        }
        !found
    }

    /// A command that can wait has run. True if it does, and its reply is none.
    fn after_try(
        &self,
        engine: &Engine,
        session: &Rc<Session>,
        ran: &Ran<'_>,
        (found, failed): (bool, bool),
    ) -> bool {
        let (entry, args, db) = (ran.entry, ran.args, ran.db);
        let asks = !found && !failed && may_wait(entry, &args);
        let waits = asks && session.ending() == Ending::Open;
        let early_end = session.early_end.take();
        self.shared.end_of_try(session);
        if waits {
            // Whether it was slow shows when it is served.
            self.shared.observed(&Ran { time: None, ..*ran });
            *session.early_end.borrow_mut() = early_end;
            let now = (engine, Instant::now(), self.now_ms);
            self.shared.let_wait(session, Waiter::new(entry, &args, db, now));
        }
        waits
    }

    fn run_node(&mut self, item: &Item, session: &Rc<Session>, output: &mut Vec<u8>) {
        let entry = self.shared.registry.entry(item.number);
        let args = self.batch.args(item);
        self.tally.before(entry);
        run_node(self.shared, session, entry, args, output);
        let time = self.tally.after(entry);
        self.shared.observed(&Ran { session, entry, args, db: item.db, time });
    }

    /// Ends the reply that began at `mark`. The reply to EXEC ends with that of its last command.
    #[inline]
    fn close(&mut self, item: &Item, session: &Session, output: &mut Vec<u8>, mark: usize) {
        if let Kind::Exec(left) = item.kind {
            self.exec = Some(Exec { mark, left });
            session.in_exec.set(true);
        } else if let Some(exec) = &mut self.exec {
            exec.left -= 1;
        } else {
            return silence(session, output, mark);
        }
        if let Some(exec) = self.exec.take_if(|exec| exec.left == 0) {
            session.leave_exec();
            silence(session, output, exec.mark);
        }
    }
}

/// Answers a batch that was not applied under its tag.
pub(crate) fn fail(shared: &Shared, tag: u64, failure: &Failure) {
    shared.expiry.settled(Some(tag));
    let Some(batch) = shared.pending.borrow_mut().take(tag) else {
        shared.pending.borrow_mut().settle(tag);
        return shared.waits.resume_in_flight();
    };
    let mut first = 0;
    for share in &batch.shares {
        let session = &*share.session;
        let mut output = shared.output_of(session);
        let mut items = &batch.items[first..share.end as usize];
        while let [item, behind @ ..] = items {
            let inside = match item.kind {
                Kind::Exec(count) => &behind[..count as usize],
                _ => &[],
            };
            items = &behind[inside.len()..];
            if matches!(item.kind, Kind::Attempt | Kind::Look) {
                match failure {
                    Failure::Unknown if item.kind == Kind::Attempt => {
                        shared.not_served(&share.session);
                        shared.end_wait(&share.session, End::Error(replies::OUTCOME_UNKNOWN));
                    }
                    _ => shared.not_served(&share.session),
                }
                continue;
            }
            shared.end_of_try(session);
            session.early_end.take();
            if item.kind == Kind::Said {
                let mark = output.len();
                output.extend_from_slice(&batch.args(item)[0]);
                silence(session, &mut output, mark);
                continue;
            }
            // The first key says where the slot of all keys of a transaction is.
            let keyed = inside.iter().find(|item| key_of(shared, item).is_some()).unwrap_or(item);
            let error = failure.reply(item.kind, &batch.args(keyed), key_of(shared, keyed));
            refuse(shared, session, &mut output, item, &error);
        }
        shared.output_to(session, output);
        settle(shared, share);
        first = share.end as usize;
    }
    shared.pending.borrow_mut().reuse(batch);
    shared.waits.resume_in_flight();
    shared.try_ready();
    shared.flusher.wake();
}

fn key_of(shared: &Shared, item: &Item) -> Option<usize> {
    shared.registry.entry(item.number).keys.first()
}

fn refuse(
    shared: &Shared,
    session: &Session,
    output: &mut Vec<u8>,
    item: &Item,
    error: &CommandError,
) {
    let mark = output.len();
    Writer::new(output, session.protocol.get()).error(error.as_str());
    shared.stats.rejected(item.number);
    shared.count_error(error);
    silence(session, output, mark);
}

/// Lets a connection whose batch is over go on. One that waits now has the replies to what it sent
/// before.
fn settle(shared: &Shared, share: &Share) {
    let session = &share.session;
    let is_held = match session.hold() {
        Hold::Batch => session.ending() != Ending::Now,
        Hold::Blocked => session.output_bytes() > 0,
        _ => false,
    };
    if !is_held {
        return;
    }
    if session.hold() == Hold::Batch {
        session.hold.set(Hold::Free);
    }
    shared.flusher.mark(session);
}

/// Does what an entry asks of the world outside.
fn perform(
    shared: &Shared,
    effects: Effects,
    (tag, stamp): (Option<u64>, Stamp),
    writers: &Writers,
) {
    shared.stats.changes.set(shared.stats.changes.get() + effects.changes);
    shared.stats.expired_keys.set(shared.stats.expired_keys.get() + effects.expired);
    shared.reclaim.free(effects.garbage);
    if shared.tracking.is_on() {
        shared.invalidate(&effects.list, writers);
    }
    for effect in effects.list {
        match effect {
            Effect::Touched { db, key } => {
                shared.watched_key_touched(db, &key);
                shared.waited_key_touched(db, key);
            }
            Effect::Ready { db, key } => shared.waited_key_touched(db, key),
            Effect::Flushed { db } => {
                shared.watched_databases_flushed(db);
                shared.waited_databases_changed();
            }
            Effect::Notify { class, event, db, key } => shared.notify(class, event, db, &key),
            Effect::Publish { channel, message, sharded } => {
                // Every replica ran the script; the one that proposed it speaks for all.
                if tag.is_some() {
                    use crate::pubsub::Kind::{Channel, Shard};
                    let kind = if sharded { Shard } else { Channel };
                    shared.publish(kind, &channel, &message, None);
                }
            }
            Effect::Functions => shared.adopted.announce(),
            Effect::Settings => shard_settings::changed(shared, tag, stamp.now_ms),
        }
    }
    shared.try_ready();
}
