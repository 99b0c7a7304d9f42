//! Which sessions watch which keys, and what has happened to them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use quoris_engine::{Engine, KeyState, Slot};

use crate::registry::{Keys, Registry};
use crate::session::Session;
use crate::shared::{Curious, Shared};
use crate::turn::Batch;

/// The keys that are watched, and by whom.
#[derive(Default)]
pub(crate) struct Watches {
    by_key: RefCell<BTreeMap<Box<[u8]>, Vec<Watcher>>>,
}

struct Watcher {
    db: u16,
    session: Rc<Session>,
}

/// What a session watches.
#[derive(Debug, Default)]
pub(crate) struct Watching {
    keys: Vec<WatchedKey>,
    is_changed: bool,
}

/// A key that a session watches.
#[derive(Debug)]
pub(crate) struct WatchedKey {
    pub(crate) db: u16,
    pub(crate) key: Box<[u8]>,
    slot: Slot,
    /// What there was at the time of `WATCH`. Afterwards nothing has changed, or the session would
    /// have been marked, but that an expired key may have been removed.
    state: KeyState,
}

impl Watching {
    /// Whether a key is known to have changed.
    pub(crate) fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// Whether the time of a key is over that was there.
    pub(crate) fn has_expired(&self, engine: &Engine, now_ms: u64) -> bool {
        self.keys.iter().any(|watched| match watched.state {
            KeyState::Live { expire_at_ms: Some(_) } => {
                let state = engine.key_state(watched.db, &watched.key, now_ms);
                !matches!(state, KeyState::Live { .. })
            }
            _ => false,
        })
    }

    /// Whether one of the keys will expire.
    pub(crate) fn expires(&self) -> bool {
        let expires = |state| matches!(state, KeyState::Live { expire_at_ms: Some(_) });
        self.keys.iter().any(|watched| expires(watched.state))
    }

    /// The watched keys.
    pub(crate) fn keys(&self) -> &[WatchedKey] {
        &self.keys
    }

    fn find(&mut self, db: u16, key: &[u8]) -> Option<&mut WatchedKey> {
        self.keys.iter_mut().find(|watched| watched.db == db && *watched.key == *key)
    }
}

/// Whether applying a batch may change one of the keys. Which database a command works on is not
/// looked at, since some work on two.
pub(crate) fn may_touch(batch: &Batch, registry: &Registry, keys: &[WatchedKey]) -> bool {
    batch.items.iter().filter(|item| item.kind.is_logged()).any(|item| {
        let entry = registry.entry(item.number);
        if entry.touches_undeclared() {
            return true;
        }
        let args = batch.args(item);
        if let (Keys::One(word), Some(ready)) = (entry.keys, item.prepared) {
            let is_it = |watched: &WatchedKey| {
                watched.slot == ready.slot && *watched.key == args[word as usize]
            };
            return keys.iter().any(is_it);
        }
        entry.each_key(&args, |word| keys.iter().any(|watched| *watched.key == args[word]))
    })
}

impl Shared {
    /// `WATCH`: from now on, what happens to the key counts.
    pub(crate) fn watch_key(&self, session: &Rc<Session>, key: &[u8]) {
        let db = session.db.get();
        let mut watching = session.watching.borrow_mut();
        let watching = watching.get_or_insert_default();
        if watching.is_changed || watching.find(db, key).is_some() {
            return;
        }
        let state = self.engine.borrow().key_state(db, key, self.now_ms());
        let slot = Slot::of_key(key);
        watching.keys.push(WatchedKey { db, key: key.into(), slot, state });
        let mut by_key = self.watches.by_key.borrow_mut();
        let watcher = Watcher { db, session: Rc::clone(session) };
        match by_key.get_mut(key) {
            Some(watchers) => watchers.push(watcher),
            None => {
                by_key.insert(key.into(), vec![watcher]);
            }
        }
        self.hear_of_touched(Curious::Watch, true);
    }

    /// `UNWATCH`.
    pub(crate) fn unwatch(&self, session: &Session) {
        let Some(watching) = session.watching.take() else { return };
        self.forget_watched(session, &watching.keys);
    }

    /// `DISCARD`, and what else ends a transaction.
    pub(crate) fn leave_transaction(&self, session: &Session) {
        session.transaction.take();
        self.unwatch(session);
    }

    fn forget_watched(&self, session: &Session, keys: &[WatchedKey]) {
        let mut by_key = self.watches.by_key.borrow_mut();
        for watched in keys {
            let Some(watchers) = by_key.get_mut(&watched.key) else { continue };
            watchers.retain(|one| one.session.id != session.id);
            if watchers.is_empty() {
                by_key.remove(&watched.key);
            }
        }
        self.hear_of_touched(Curious::Watch, !by_key.is_empty());
    }

    /// An entry has changed a key.
    pub(crate) fn watched_key_touched(&self, db: u16, key: &[u8]) {
        let mut changed = Vec::new();
        if let Some(watchers) = self.watches.by_key.borrow().get(key) {
            for watcher in watchers.iter().filter(|watcher| watcher.db == db) {
                let mut watching = watcher.session.watching.borrow_mut();
                let watched = watching.as_mut().and_then(|watching| watching.find(db, key));
                let Some(watched) = watched else { continue };
                if watched.state == KeyState::Expired {
                    // It was not there for the client, and this is its removal.
                    watched.state = KeyState::Missing;
                } else {
                    changed.push(Rc::clone(&watcher.session));
                }
            }
        }
        changed.iter().for_each(|session| self.mark_changed(session));
    }

    /// An entry has emptied or exchanged databases: `None` stands for all.
    pub(crate) fn watched_databases_flushed(&self, db: Option<u16>) {
        let engine = self.engine.borrow();
        let changed = self.watchers(|session| {
            let watching = session.watching.borrow();
            watching.iter().flat_map(|watching| &watching.keys).any(|watched| {
                let is_there = || {
                    let state = engine.key_state(watched.db, &watched.key, 0);
                    matches!(state, KeyState::Live { .. })
                };
                let was_there = matches!(watched.state, KeyState::Live { .. });
                db.is_none_or(|db| db == watched.db) && (was_there || is_there())
            })
        });
        changed.iter().for_each(|session| self.mark_changed(session));
    }

    /// Nobody knows what has happened to any key.
    pub(crate) fn all_watched_changed(&self) {
        self.watchers(|_| true).iter().for_each(|session| self.mark_changed(session));
    }

    fn watchers(&self, is_meant: impl Fn(&Session) -> bool) -> Vec<Rc<Session>> {
        let by_key = self.watches.by_key.borrow();
        let all = by_key.values().flatten().map(|watcher| (watcher.session.id, watcher));
        let all: BTreeMap<u64, &Watcher> = all.collect();
        let meant = all.into_values().filter(|watcher| is_meant(&watcher.session));
        meant.map(|watcher| Rc::clone(&watcher.session)).collect()
    }

    /// The session's EXEC will fail; until then there is nothing left to watch.
    fn mark_changed(&self, session: &Session) {
        let keys = match &mut *session.watching.borrow_mut() {
            Some(watching) => {
                watching.is_changed = true;
                std::mem::take(&mut watching.keys)
            }
            None => return,
        };
        self.forget_watched(session, &keys);
    }
}
