//! Requests that can be neither run nor refused yet, and what lets them go on.
//!
//! A connection that waits keeps its request unrun in its input; going on means to look at it anew.
//! So there is nothing to hand over, and nothing to lose.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::session::{Hold, Session};
use crate::shared::Shared;

/// How often a request without a leader is looked at, beside at every change of leadership.
const LOOK: Duration = Duration::from_millis(25);

/// How long a majority is asked for before the requests look again whether their time is over.
const RENEWAL: Duration = Duration::from_secs(1);

/// Which commands `CLIENT PAUSE` holds back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pause {
    /// None.
    #[default]
    Off,
    /// Those that write.
    Writes(Instant),
    /// All.
    All(Instant),
}

/// Who waits for what.
#[derive(Default)]
pub(crate) struct Waits {
    lease: RefCell<Vec<Rc<Session>>>,
    is_renewing: Cell<bool>,
    leaderless: RefCell<Vec<Rc<Session>>>,
    is_looking: Cell<bool>,
    paused: RefCell<Vec<Rc<Session>>>,
    in_flight: RefCell<Vec<Rc<Session>>>,
    script: RefCell<Vec<Rc<Session>>>,
    pause: Cell<Pause>,
    /// How many have asked for writes to be held back.
    held_writes: Cell<u32>,
}

impl Waits {
    /// Lets the requests go on that wait for a leader or another topology.
    pub(crate) fn resume_leaderless(&self) {
        release(self.leaderless.take(), Hold::Leader);
    }

    /// Lets the requests go on that wait for a batch to be over.
    pub(crate) fn resume_in_flight(&self) {
        if !self.in_flight.borrow().is_empty() {
            release(self.in_flight.take(), Hold::InFlight);
        }
    }

    /// Lets the requests go on that wait while a script runs: it has ended, or it takes long.
    pub(crate) fn resume_after_script(&self) {
        release(self.script.take(), Hold::Script);
    }
}

fn release(sessions: Vec<Rc<Session>>, from: Hold) {
    for session in sessions {
        if session.hold() == from {
            session.release();
        }
    }
}

impl Shared {
    /// Holds a connection until `hold` is over.
    pub(crate) fn hold(self: &Rc<Self>, session: &Rc<Session>, hold: Hold) {
        session.hold.set(hold);
        let waiting = Rc::clone(session);
        match hold {
            Hold::Lease => {
                self.waits.lease.borrow_mut().push(waiting);
                if !self.waits.is_renewing.replace(true) {
                    tokio::task::spawn_local(renew_lease(Rc::clone(self)));
                }
            }
            Hold::Leader => {
                self.waits.leaderless.borrow_mut().push(waiting);
                if !self.waits.is_looking.replace(true) {
                    tokio::task::spawn_local(look_for_leader(Rc::clone(self)));
                }
            }
            Hold::Paused => self.waits.paused.borrow_mut().push(waiting),
            Hold::InFlight => self.waits.in_flight.borrow_mut().push(waiting),
            Hold::Script => self.waits.script.borrow_mut().push(waiting),
            Hold::Free | Hold::Batch | Hold::Later | Hold::Blocked => {}
        }
    }

    /// `CLIENT PAUSE`: holds commands back until the time that `pause` names. A pause never gets
    /// shorter or milder by another.
    pub fn pause(self: &Rc<Self>, pause: Pause) {
        let until = |pause| match pause {
            Pause::Off => None,
            Pause::Writes(until) | Pause::All(until) => Some(until),
        };
        let current = self.current_pause();
        let Some(end) = until(current).max(until(pause)) else { return };
        let all = matches!(current, Pause::All(_)) || matches!(pause, Pause::All(_));
        self.waits.pause.set(if all { Pause::All(end) } else { Pause::Writes(end) });
        let shared = Rc::downgrade(self);
        tokio::task::spawn_local(async move {
            tokio::time::sleep_until(end).await;
            if let Some(shared) = shared.upgrade()
                && shared.current_pause() == Pause::Off
            {
                shared.unpause();
            }
        });
    }

    /// `CLIENT UNPAUSE`.
    pub fn unpause(&self) {
        self.waits.pause.set(Pause::Off);
        release(self.waits.paused.take(), Hold::Paused);
    }

    /// Holds back writes until [`Shared::let_writes_go`] has been called as often.
    pub(crate) fn hold_writes(&self) {
        self.waits.held_writes.set(self.waits.held_writes.get() + 1);
    }

    /// The end of [`Shared::hold_writes`].
    pub(crate) fn let_writes_go(&self) {
        self.waits.held_writes.set(self.waits.held_writes.get() - 1);
        release(self.waits.paused.take(), Hold::Paused);
    }

    /// The pause that is in force.
    pub fn current_pause(&self) -> Pause {
        match self.waits.pause.get() {
            Pause::Writes(end) | Pause::All(end) if Instant::now() >= end => Pause::Off,
            pause => pause,
        }
    }

    /// Whether a pause holds a command back.
    #[inline]
    pub(crate) fn is_paused(&self, writes: bool) -> bool {
        match self.waits.pause.get() {
            Pause::Off => writes && self.waits.held_writes.get() > 0,
            _ => match self.current_pause() {
                Pause::Off => writes && self.waits.held_writes.get() > 0,
                Pause::Writes(_) => writes,
                Pause::All(_) => true,
            },
        }
    }
}

/// Asks the group, once for all that wait by then, whether this node still leads.
async fn renew_lease(shared: Rc<Shared>) {
    loop {
        let waiting = shared.waits.lease.take();
        if waiting.is_empty() {
            shared.waits.is_renewing.set(false);
            return;
        }
        let group = shared.group();
        let renewed = matches!(timeout(RENEWAL, group.renew_lease()).await, Ok(Ok(())));
        for session in waiting {
            if session.hold() != Hold::Lease {
                continue;
            }
            if renewed {
                session.permit.set(true);
                session.release();
            } else {
                shared.hold(&session, Hold::Leader);
            }
        }
    }
}

/// Lets requests without a leader look again now and then, so that they notice a new leader, or
/// that their time is over.
async fn look_for_leader(shared: Rc<Shared>) {
    let mut standing = shared.group().watch();
    while !shared.waits.leaderless.borrow().is_empty() {
        tokio::select! {
            _ = standing.changed() => {}
            () = sleep(LOOK) => {}
        }
        shared.waits.resume_leaderless();
        tokio::task::yield_now().await;
    }
    shared.waits.is_looking.set(false);
}
