//! Who waits for which key, since when, and until when.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use quoris_engine::spec::Group;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::{End, Waiter};
use crate::session::{Ending, Hold, Session};
use crate::shared::{Curious, Shared};

/// The waiters for one key, by database and in the order in which they came.
type Queue = BTreeMap<(u16, u64), Rc<Session>>;

/// Everybody who waits.
#[derive(Default)]
pub(crate) struct Queues {
    by_key: RefCell<BTreeMap<Box<[u8]>, Queue>>,
    deadlines: RefCell<BTreeMap<(Instant, u64), Rc<Session>>>,
    /// Sessions that wait.
    waiting: Cell<usize>,
    /// Sessions whose first attempt is under way.
    trying: Cell<usize>,
    last_place: Cell<u64>,
    /// Keys that a waiter has to be looked for once the entry has been applied.
    pub(super) ready: RefCell<Vec<(u16, Vec<u8>)>>,
    alarm: Notify,
}

impl Queues {
    /// Whether nobody waits.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.get() == 0
    }

    /// The first `most` sessions that wait for a key, with a command of `group` if one is given,
    /// and may be served.
    pub(super) fn first(
        &self,
        db: u16,
        key: &[u8],
        (group, most): (Option<Group>, usize),
    ) -> Vec<Rc<Session>> {
        let mut first = Vec::new();
        self.visit(db, key, |session, waiter| {
            if group.is_none_or(|group| group == waiter.group) {
                first.push(Rc::clone(session));
            }
            first.len() < most
        });
        first
    }

    /// Shows those who wait for a key and may be served, in their order, while `visit` says true.
    pub(super) fn visit(
        &self,
        db: u16,
        key: &[u8],
        mut visit: impl FnMut(&Rc<Session>, &Waiter) -> bool,
    ) {
        let by_key = self.by_key.borrow();
        let Some(queue) = by_key.get(key) else { return };
        for session in queue.range((db, 0)..=(db, u64::MAX)).map(|(_, session)| session) {
            let waiter = session.waiter.borrow();
            let waiter = waiter.as_ref().filter(|waiter| may_be_served(session, waiter));
            if waiter.is_some_and(|waiter| !visit(session, waiter)) {
                return;
            }
        }
    }

    /// The keys that somebody waits for, with their databases.
    pub(super) fn keys(&self) -> Vec<(u16, Vec<u8>)> {
        let by_key = self.by_key.borrow();
        let mut keys: Vec<(u16, Vec<u8>)> = by_key
            .iter()
            .flat_map(|(key, queue)| queue.keys().map(|(db, _)| (*db, key.to_vec())))
            .collect();
        keys.dedup();
        keys
    }

    fn sessions(&self) -> Vec<Rc<Session>> {
        let by_key = self.by_key.borrow();
        let all = by_key.values().flatten();
        let all: BTreeMap<u64, Rc<Session>> =
            all.map(|((_, place), session)| (*place, Rc::clone(session))).collect();
        all.into_values().collect()
    }

    fn add(&self, session: &Rc<Session>, waiter: &Waiter) {
        let mut by_key = self.by_key.borrow_mut();
        for key in waiter.keys() {
            if !by_key.contains_key(key) {
                by_key.insert(key.into(), Queue::new());
            }
            let queue = by_key.get_mut(key).expect("it has just been made");
            queue.insert((waiter.db, waiter.place), Rc::clone(session));
        }
        if let Some(deadline) = waiter.deadline {
            let mut deadlines = self.deadlines.borrow_mut();
            deadlines.insert((deadline, waiter.place), Rc::clone(session));
            let is_next =
                deadlines.first_key_value().is_some_and(|(next, _)| next.1 == waiter.place);
            if is_next {
                self.alarm.notify_one();
            }
        }
        self.waiting.set(self.waiting.get() + 1);
    }

    fn remove(&self, waiter: &Waiter) {
        let mut by_key = self.by_key.borrow_mut();
        for key in waiter.keys() {
            let Some(queue) = by_key.get_mut(key) else { continue };
            queue.remove(&(waiter.db, waiter.place));
            if queue.is_empty() {
                by_key.remove(key);
            }
        }
        if let Some(deadline) = waiter.deadline {
            self.deadlines.borrow_mut().remove(&(deadline, waiter.place));
        }
        self.waiting.set(self.waiting.get() - 1);
    }

    /// Takes those out whose time is over at `now`.
    fn overdue(&self, now: Instant) -> Vec<Rc<Session>> {
        let mut deadlines = self.deadlines.borrow_mut();
        let later = deadlines.split_off(&(now, u64::MAX));
        std::mem::replace(&mut *deadlines, later).into_values().collect()
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.borrow().first_key_value().map(|((deadline, _), _)| *deadline)
    }
}

/// Whether a session that waits is still there, and has no attempt under way that may serve it.
fn may_be_served(session: &Session, waiter: &Waiter) -> bool {
    !waiter.is_tried && waiter.end.is_none() && session.ending() == Ending::Open
}

impl Shared {
    /// A request that can wait has joined a batch.
    pub(crate) fn begin_to_try(&self, session: &Session) {
        session.is_trying.set(true);
        self.queues.trying.set(self.queues.trying.get() + 1);
        self.follow_waiters();
    }

    /// The batch is over.
    pub(crate) fn end_of_try(&self, session: &Session) {
        if session.is_trying.replace(false) {
            self.queues.trying.set(self.queues.trying.get() - 1);
            self.follow_waiters();
        }
    }

    /// A request has found nothing and waits.
    pub(crate) fn let_wait(&self, session: &Rc<Session>, mut waiter: Waiter) {
        let place = self.queues.last_place.get() + 1;
        self.queues.last_place.set(place);
        waiter.place = place;
        waiter.is_readonly = session.readonly.get() && waiter.is_reader;
        self.queues.add(session, &waiter);
        *session.waiter.borrow_mut() = Some(Box::new(waiter));
        self.follow_waiters();
        session.hold.set(Hold::Blocked);
        if let Some(end) = session.early_end.take() {
            self.end_wait(session, end);
        }
        session.resume();
    }

    /// The session waits no longer, whatever the reason.
    pub(crate) fn leave_queues(&self, session: &Session) {
        self.end_of_try(session);
        session.early_end.take();
        let Some(waiter) = session.waiter.take() else { return };
        self.queues.remove(&waiter);
        self.follow_waiters();
    }

    /// Ends a wait without serving it, or as soon as it is known whether it has been served. False
    /// if the session does not wait.
    pub(crate) fn end_wait(&self, session: &Rc<Session>, end: End) -> bool {
        match &mut *session.waiter.borrow_mut() {
            Some(waiter) if waiter.is_tried => {
                waiter.end.get_or_insert(end);
                return true;
            }
            Some(_) => {}
            None if session.is_trying.get() => {
                session.early_end.borrow_mut().get_or_insert(end);
                return true;
            }
            None => return false,
        }
        self.reply(session, |reply| match &end {
            End::Timeout => reply.null_array(),
            End::Error(error) | End::Farewell(error) => reply.error(error.as_str()),
        });
        if let End::Error(error) | End::Farewell(error) = &end {
            self.count_error(error);
        }
        if matches!(end, End::Farewell(_)) {
            session.close_after_reply();
        }
        self.served(session);
        true
    }

    /// The session has its reply and goes on.
    pub(crate) fn served(&self, session: &Rc<Session>) {
        self.leave_queues(session);
        if session.hold() == Hold::Blocked {
            session.hold.set(Hold::Free);
        }
        session.has_unrun.set(session.has_unrun.get() || session.input_bytes() > 0);
        self.flusher.mark(session);
    }

    /// Ends all waits.
    pub(crate) fn end_all_waits(&self, end: &End) {
        for session in self.queues.sessions() {
            self.end_wait(&session, end.clone());
        }
    }

    /// Ends the waits for which `end` says how.
    pub(crate) fn end_waits(&self, end: impl Fn(&Waiter) -> Option<End>) {
        for session in self.queues.sessions() {
            let end = session.waiter.borrow().as_ref().and_then(|waiter| end(waiter));
            if let Some(end) = end {
                self.end_wait(&session, end);
            }
        }
    }

    fn follow_waiters(&self) {
        let is_on = self.queues.waiting.get() + self.queues.trying.get() > 0;
        self.hear_of_touched(Curious::Blocked, is_on);
    }
}

/// Ends waits whose time is over, until it is dropped.
pub(crate) async fn run(shared: Rc<Shared>) {
    let queues = &shared.queues;
    loop {
        match queues.next_deadline() {
            Some(deadline) => tokio::select! {
                () = sleep_until(deadline) => {}
                () = queues.alarm.notified() => {}
            },
            None => queues.alarm.notified().await,
        }
        for session in queues.overdue(Instant::now()) {
            shared.end_wait(&session, End::Timeout);
        }
    }
}
