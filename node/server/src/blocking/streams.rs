//! Those who wait for entries of streams.
//!
//! `XREAD` takes nothing away, so a new entry serves everybody who waits for it. It is no part of
//! the log either: behind an `XADD` it rides along in the batch, and a key that was touched in any
//! other way is read when that has been applied. On a follower the latter is all there is, for
//! clients that have said `READONLY`.
//!
//! `XREADGROUP` writes down who has got what. It is an attempt like a pop, and of the consumers of
//! one group as many try as there may be entries for, in the order in which they came. It also has
//! an answer when the group is no longer there.
//!
//! `$` and `>` mean what they mean where the request stands in the log.

use std::collections::BTreeMap;
use std::rc::Rc;

use quoris_engine::ReadAt;
use quoris_engine::commands::streams::waiting;
use quoris_resp::Writer;
use tokio::time::Instant;

use super::Waiter;
use crate::observe::Ran;
use crate::session::Session;
use crate::shared::Shared;
use crate::tally::Tally;

/// Whether a reply to `XREAD` is that there is nothing.
pub(crate) fn is_nothing(reply: &[u8]) -> bool {
    matches!(reply, b"*-1\r\n" | b"_\r\n")
}

impl Shared {
    /// Adds attempts for those whom one more entry of a stream may serve: everybody who only reads,
    /// and the first consumer of each group.
    pub(super) fn try_readers(&self, db: u16, key: &[u8]) {
        let mut chosen = self.readers(db, key);
        let consumers = self.consumers(db, key);
        chosen.extend(consumers.into_values().filter_map(|sessions| sessions.into_iter().next()));
        chosen.iter().for_each(|session| self.attempt(session, key));
    }

    /// Adds attempts for those consumers for whom there is something at a key. True if there were
    /// any.
    pub(super) fn try_consumers(&self, db: u16, key: &[u8]) -> bool {
        let mut has_tried = false;
        for (group, sessions) in self.consumers(db, key) {
            let engine = self.engine.borrow();
            let count = waiting::answers(&engine, db, key, &group, sessions.len());
            drop(engine);
            sessions.iter().take(count).for_each(|session| self.attempt(session, key));
            has_tried |= count > 0;
        }
        has_tried
    }

    /// Answers those who only read a stream that has something for them.
    pub(super) fn serve_readers(&self, db: u16, key: &[u8]) {
        for session in self.readers(db, key) {
            let reply =
                session.waiter.borrow().as_ref().and_then(|waiter| self.look(&session, waiter));
            if let Some(reply) = reply {
                self.reply(&session, |writer| writer.raw(&reply));
                self.served(&session);
            }
        }
    }

    /// What there is to read for one who waits, if anything.
    fn look(&self, session: &Rc<Session>, waiter: &Waiter) -> Option<Vec<u8>> {
        let (entry, args) = (self.registry.entry(waiter.number), waiter.args());
        let now = Instant::now();
        let (now_ms, mut tally) = (self.unix_ms(now), Tally::new(self, now));
        let mut reply = Vec::new();
        let mut writer = Writer::new(&mut reply, session.protocol.get());
        let at = ReadAt { db: waiter.db, now_ms, seed: now_ms };
        let result = self.engine.borrow().read(at, entry.command, args, &mut writer);
        if result.is_err() || is_nothing(&reply) {
            return None;
        }
        let time = Some(tally.after_again(entry));
        self.observed_serving(&Ran { session, entry, args, db: waiter.db, time });
        Some(reply)
    }

    /// Those who wait to read a stream and may be served.
    fn readers(&self, db: u16, key: &[u8]) -> Vec<Rc<Session>> {
        let mut readers = Vec::new();
        self.queues.visit(db, key, |session, waiter| {
            if waiter.is_reader {
                readers.push(Rc::clone(session));
            }
            true
        });
        readers
    }

    /// The consumers who wait for a stream and may be served, by group.
    fn consumers(&self, db: u16, key: &[u8]) -> BTreeMap<Vec<u8>, Vec<Rc<Session>>> {
        let mut consumers = BTreeMap::<Vec<u8>, Vec<Rc<Session>>>::new();
        self.queues.visit(db, key, |session, waiter| {
            if let Some(group) = &waiter.consumers {
                consumers.entry(group.clone()).or_default().push(Rc::clone(session));
            }
            true
        });
        consumers
    }
}
