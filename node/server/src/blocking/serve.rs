//! Proposing attempts to serve those who wait.

use std::rc::Rc;

use quoris_engine::spec::Group;
use quoris_engine::{Args, Slot};
use quoris_resp::encode_command;

use super::End;
use crate::registry::Entry;
use crate::replies;
use crate::routes::Route;
use crate::session::Session;
use crate::shared::Shared;
use crate::turn::{Batch, Kind, Request, spans_of};

impl Shared {
    /// Adds attempts for those whom the items of the turn's batch from `first` on may serve.
    pub(crate) fn try_behind(&self, first: usize) {
        if self.queues.is_empty() {
            return;
        }
        let mut keys = Vec::new();
        let turn = self.turn.borrow();
        for item in turn.items[first..].iter().filter(|item| item.kind == Kind::Write) {
            let entry = self.registry.entry(item.number);
            let group = pushed_group(entry);
            served_keys(entry, &turn.args(item), |key, most| {
                keys.push((item.db, key.to_vec(), (group, most)));
            });
        }
        drop(turn);
        for (db, key, most) in keys {
            if most.0 == Some(Group::Stream) {
                self.try_readers(db, &key);
            } else {
                self.try_first(db, &key, most);
            }
        }
    }

    /// Adds attempts for the first who wait for a key: of a group, and so many. True if there were any.
    fn try_first(&self, db: u16, key: &[u8], most: (Option<Group>, usize)) -> bool {
        let waiting = self.queues.first(db, key, most);
        waiting.iter().for_each(|session| self.attempt(session, key));
        !waiting.is_empty()
    }

    /// Adds an attempt for one who waits for a key. It reads only, if that is what the client asks.
    pub(super) fn attempt(&self, session: &Rc<Session>, key: &[u8]) {
        let mut waiter = session.waiter.borrow_mut();
        let Some(waiter) = &mut *waiter else { return };
        waiter.is_tried = true;
        let words = waiter.attempt(self.registry.entry(waiter.number), key);
        let mut bytes = Vec::new();
        encode_command(&mut bytes, words.iter().map(Vec::as_slice));
        let spans = spans_of(&bytes);
        let request = Request {
            args: Args::new(&bytes, &spans),
            encoded: Some((&bytes, &spans)),
            number: waiter.number,
            db: waiter.db,
            prepared: None,
        };
        let join = if waiter.is_reader { Batch::look } else { Batch::attempt };
        join(&mut self.turn.borrow_mut(), session, &request);
    }

    /// An attempt has found nothing or has not been made: the session stays where it is.
    pub(crate) fn not_served(&self, session: &Rc<Session>) {
        let end = match &mut *session.waiter.borrow_mut() {
            None => return,
            Some(waiter) => {
                waiter.is_tried = false;
                // What came to its other keys meanwhile was not tried for it.
                let keys = waiter.keys().map(|key| (waiter.db, key.to_vec()));
                self.queues.ready.borrow_mut().extend(keys);
                waiter.end.take()
            }
        };
        if let Some(end) = end {
            self.end_wait(session, end);
        }
    }

    /// An entry has changed a key that somebody may wait for.
    pub(crate) fn waited_key_touched(&self, db: u16, key: Vec<u8>) {
        if !self.queues.is_empty() {
            self.queues.ready.borrow_mut().push((db, key));
        }
    }

    /// An entry has exchanged databases, or a snapshot everything.
    pub(crate) fn waited_databases_changed(&self) {
        let keys = self.queues.keys();
        self.queues.ready.borrow_mut().extend(keys);
    }

    /// Tries to serve those who wait for keys that have something in them after all.
    pub(crate) fn try_ready(&self) {
        let mut ready = self.queues.ready.take();
        if ready.is_empty() {
            return;
        }
        ready.sort_unstable();
        ready.dedup();
        let (leads, mut has_tried) = (self.group().is_leader(), false);
        for (db, key) in ready {
            self.serve_readers(db, &key);
            if !leads {
                continue;
            }
            has_tried |= self.try_consumers(db, &key);
            let found = self.engine.borrow().elements_to_pop(db, &key);
            let Some((group, most)) = found else { continue };
            has_tried |= self.try_first(db, &key, (Some(group), most));
        }
        if has_tried {
            self.flusher.wake();
        }
    }

    /// Another topology is in force: those whose slot is elsewhere now are told so.
    pub(crate) fn redirect_waiters(&self) {
        if self.queues.is_empty() {
            return;
        }
        let (routes, leads) = (self.routes(), self.group().is_leader());
        self.end_waits(|waiter| {
            let slot = Slot::of_key(waiter.keys().next()?);
            match routes.decide(slot, leads, waiter.is_readonly) {
                Route::Local | Route::LeaderUnknown => None,
                Route::Moved { host, port } => {
                    Some(End::Error(replies::moved(slot.number(), &host, port)))
                }
                Route::Refused(error) => Some(End::Error(error)),
            }
        });
    }
}

/// The group of a command that adds elements of its own group only.
fn pushed_group(entry: &Entry) -> Option<Group> {
    let group = entry.command.spec.group;
    matches!(group, Group::List | Group::SortedSet | Group::Stream).then_some(group)
}

/// Calls `visit` with the keys that a command may add to, and how many waiters that may serve.
fn served_keys<'a>(entry: &Entry, args: &Args<'a>, mut visit: impl FnMut(&'a [u8], usize)) {
    let pushes = pushed_group(entry).is_some();
    // What other commands on streams change shows when they have been applied.
    if entry.command.spec.group == Group::Stream && entry.command.spec.name != "xadd" {
        return;
    }
    let mut words = Vec::new();
    for spec in entry.command.spec.key_specs.iter().flatten() {
        if !spec.access.or_default(true).may_add() {
            continue;
        }
        words.clear();
        // A request that does not fit fails in the handler, and adds nothing.
        if spec.find_in(args.len(), |word| args.get(word), &mut words).is_err() {
            continue;
        }
        for word in &words {
            let behind = if pushes { args.len() - word - 1 } else { 1 };
            visit(args.get(*word), behind.max(1));
        }
    }
}
