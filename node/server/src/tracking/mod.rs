//! Client-side caching: clients that keep what they have read are told when it is out of date.
//!
//! In the default mode the node remembers who has read which key ([`table`]), and tells them once
//! when the key is touched: whoever reads it again is told again. In broadcasting mode it remembers
//! nothing but prefixes, and tells of every key that begins with one ([`prefixes`]).
//!
//! What touches a key shows in the effects of entries, expiry and eviction included. So all nodes
//! of a shard can tell their own clients, and those that read from a follower hear of a change when
//! that follower has applied it: what they hold is never newer than what they could read.
//!
//! A node that ceases to lead, or starts again from a snapshot, cannot say any more what has
//! changed when. It tells its clients to forget everything.
//!
//! Invariant: a client is remembered by its number only, and what is remembered of one that is
//! gone has no effect.

mod client;
mod prefixes;
mod send;
mod table;

use std::cell::{Cell, RefCell};

use quoris_engine::Run;
use quoris_engine::effects::Effect;

pub(crate) use self::client::{Mode, Options, Track};
use self::prefixes::Prefixes;
use self::send::Stale;
use self::table::Table;
use crate::observe::Ran;
use crate::session::{Ending, Session};
use crate::shared::{Curious, Shared};

/// Who is told of what.
#[derive(Default)]
pub(crate) struct Tracking {
    clients: Cell<usize>,
    table: RefCell<Table>,
    prefixes: RefCell<Prefixes>,
}

/// Which clients made the changes of an entry: up to which effect each, in their order.
pub(crate) type Writers = Vec<(usize, u64)>;

impl Tracking {
    /// Whether anybody wants to be told.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.clients.get() > 0
    }

    /// How many clients want to be told.
    pub(crate) fn clients(&self) -> usize {
        self.clients.get()
    }

    /// How many keys are remembered.
    pub(crate) fn keys(&self) -> usize {
        self.table.borrow().len()
    }

    /// How many clients are remembered, once for each key.
    pub(crate) fn items(&self) -> usize {
        self.table.borrow().items()
    }

    /// How many prefixes are told of.
    pub(crate) fn prefixes(&self) -> usize {
        self.prefixes.borrow().len()
    }
}

impl Shared {
    /// Begins to tell a client of changes, or changes how. The caller has checked the options.
    pub(crate) fn start_tracking(&self, session: &Session, options: Options) {
        if session.ending() == Ending::Now {
            // A transaction may run when its client has gone; nobody would end this any more.
            return;
        }
        let tracking = &self.tracking;
        let mut place = session.tracking.borrow_mut();
        if place.is_none() {
            tracking.clients.set(tracking.clients.get() + 1);
        }
        let track = place.get_or_insert_default();
        for prefix in options.prefixes {
            tracking.prefixes.borrow_mut().add(&prefix, session.id);
            track.prefixes.insert(prefix);
        }
        track.mode = options.mode;
        track.skips_own = options.skips_own;
        track.redirect = options.redirect;
        track.is_broken = false;
        session.is_remembered.set(track.mode != Mode::Broadcast);
        self.hear_of_touched(Curious::Tracking, true);
    }

    /// Ceases to tell a client of changes.
    pub(crate) fn stop_tracking(&self, session: &Session) {
        let Some(track) = session.tracking.take() else { return };
        session.is_remembered.set(false);
        let tracking = &self.tracking;
        for prefix in &track.prefixes {
            tracking.prefixes.borrow_mut().remove(prefix, session.id);
        }
        tracking.clients.set(tracking.clients.get() - 1);
        if !tracking.is_on() {
            tracking.table.take();
            self.hear_of_touched(Curious::Tracking, false);
        }
    }

    /// Remembers the keys that a client has read with a command.
    #[cold]
    pub(crate) fn remember_read(&self, ran: &Ran<'_>) {
        if ran.entry.container == Some("client") {
            // CLIENT CACHING is about the command behind it.
            return;
        }
        let mut place = ran.session.tracking.borrow_mut();
        let Some(track) = &mut *place else { return };
        let caches = track.caches();
        // Before a transaction, it is about all of that.
        track.is_asked &= ran.session.is_in_multi() || ran.session.in_exec.get();
        drop(place);
        // What a script has read is known better than from its declared keys.
        let names_keys = ran.entry.reader.is_none();
        if !caches || !names_keys || !matches!(ran.entry.command.run, Run::Read(_)) {
            return;
        }
        ran.entry.each_key(&ran.args, |word| {
            self.remember_key(ran.args.get(word), ran.session.id);
            false
        });
    }

    /// Remembers the keys that a client's script has read. Its own end is yet to be
    /// [observed](Shared::observed).
    #[cold]
    pub(crate) fn remember_script_reads(&self, session: &Session, keys: &[Vec<u8>]) {
        if session.tracking.borrow().as_ref().is_some_and(|track| track.caches()) {
            keys.iter().for_each(|key| self.remember_key(key, session.id));
        }
    }

    fn remember_key(&self, key: &[u8], client: u64) {
        let keys_max = self.config.borrow().tracking_table_max_keys();
        let mut table = self.tracking.table.borrow_mut();
        table.remember(key, client);
        while keys_max > 0 && table.len() > keys_max {
            let Some((key, clients)) = table.take_any() else { return };
            drop(table);
            self.tell_readers(&key, &clients, None);
            table = self.tracking.table.borrow_mut();
        }
    }

    /// Tells clients of what an entry has changed.
    pub(crate) fn invalidate(&self, effects: &[Effect], writers: &Writers) {
        let mut writers = writers.iter().peekable();
        for (at, effect) in effects.iter().enumerate() {
            while writers.next_if(|(end, _)| *end <= at).is_some() {}
            match effect {
                Effect::Touched { key, .. } => {
                    let writer = writers.peek().map(|(_, client)| *client);
                    self.tracking.prefixes.borrow_mut().note(key, writer);
                    let readers = self.tracking.table.borrow_mut().take(key);
                    self.tell_readers(key, &readers.unwrap_or_default(), writer);
                }
                Effect::Flushed { .. } => self.invalidate_all(),
                _ => {}
            }
        }
        self.broadcast();
    }

    /// Tells all clients to forget everything.
    pub(crate) fn invalidate_all(&self) {
        if !self.tracking.is_on() {
            return;
        }
        self.tracking.table.take();
        self.tracking.prefixes.borrow_mut().forget_noted();
        for session in self.sessions.list() {
            if session.tracking.borrow().is_some() {
                send::tell(self, &session, &Stale::Everything);
            }
        }
    }

    fn tell_readers(&self, key: &[u8], clients: &[u64], writer: Option<u64>) {
        for client in clients {
            let Some(session) = self.sessions.get(*client) else { continue };
            let is_told = session.tracking.borrow().as_ref().is_some_and(|track| {
                let is_own = track.skips_own && writer == Some(session.id);
                track.mode != Mode::Broadcast && !is_own
            });
            if is_told {
                send::tell(self, &session, &Stale::Keys(&[key]));
            }
        }
    }

    fn broadcast(&self) {
        let noted = self.tracking.prefixes.borrow_mut().take_noted();
        for (clients, keys) in noted {
            for client in clients {
                let Some(session) = self.sessions.get(client) else { continue };
                let skips_own =
                    session.tracking.borrow().as_ref().is_some_and(|track| track.skips_own);
                let others =
                    keys.iter().filter(|(_, writer)| !skips_own || **writer != Some(client));
                let keys: Vec<&[u8]> = others.map(|(key, _)| &key[..]).collect();
                if !keys.is_empty() {
                    send::tell(self, &session, &Stale::Keys(&keys));
                }
            }
        }
    }
}
