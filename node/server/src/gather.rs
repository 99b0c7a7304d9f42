//! When the turn's batch is closed: how long it waits for those who are about to join it.
//!
//! A batch costs much that does not depend on how many requests are in it: an append on every
//! node, a message to every follower and its answer, and the waking of three processes. Clients
//! that write again as soon as they are answered fall into step with the batches. Left to
//! themselves they fall into two halves: while the batch of one is under way the requests of the
//! other arrive, are proposed as soon as that is possible, and so on for ever, at twice the price
//! of one batch with all of them. So, as databases do that delay their group commit, a batch
//!
//! - is not proposed while another is under way, and
//! - then waits for as many sessions as have been answered meanwhile, as long as they keep coming.
//!
//! Whoever is alone, or one of a few, waits for nothing, and where those who were answered do not
//! come back at once the node soon stops expecting them.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

/// Fewer sessions than this are not waited for: their batches are small in any case.
const CROWD: usize = 8;

/// How long the batch waits after somebody has joined it. In a closed loop the next one is a few
/// microseconds away; but whoever is to send it may be waiting for a core.
const PATIENCE: Duration = Duration::from_micros(100);

/// How long it waits in all.
const PATIENCE_IN_ALL: Duration = Duration::from_micros(400);

/// How often the sockets are looked at in vain. A bound that does not need the clock, which in the
/// simulation stands still while anything happens.
const LOOKS: u32 = 1000;

/// A batch of this many bytes is worth its price.
const WORTH: usize = 64 << 10;

/// After waiting in vain, up to so many batches are not waited for.
const DOUBTS: u32 = 64;

/// What to do with the turn's batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Propose it.
    Close,
    /// Keep it until the batch under way has been applied.
    Keep,
    /// Keep it until the sockets have been looked at once more.
    Look,
}

/// What there is to decide about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    /// Sessions that have joined the turn's batch.
    pub(crate) joined: usize,
    /// Bytes of writes in it.
    pub(crate) bytes: usize,
    /// Sessions in batches under way; `None` if there is no such batch.
    pub(crate) under_way: Option<usize>,
}

/// Who is expected, and for how long.
#[derive(Default)]
pub(crate) struct Gathering {
    /// Sessions that the turn's batch should have in the end.
    expected: Cell<usize>,
    /// How many had joined at the last look.
    seen: Cell<usize>,
    /// When the waiting began, and when the last one joined.
    since: Cell<Option<(Instant, Instant)>>,
    looks: Cell<u32>,
    /// Batches that are still not waited for.
    doubts: Cell<u32>,
    /// How many it will be the next time that waiting is in vain.
    next_doubts: Cell<u32>,
}

impl Gathering {
    /// A batch with so many sessions has been applied: they may write again. So many others have
    /// joined the turn's batch already.
    pub(crate) fn answered(&self, sessions: usize, joined: usize) {
        self.expected.set(self.expected.get().max(joined) + sessions);
    }

    /// The turn's batch has been proposed with so many sessions.
    pub(crate) fn closed(&self, joined: usize) {
        let missing = self.expected.take().saturating_sub(joined);
        let doubts = self.doubts.get();
        if doubts > 0 {
            self.doubts.set(doubts - 1);
        } else if self.since.get().is_some() {
            // A few may have left; but if most stay away, theirs is no closed loop.
            let next = if missing > joined { self.next_doubts.get().max(1) } else { 0 };
            self.doubts.set(next);
            self.next_doubts.set((next * 2).min(DOUBTS));
        }
        self.since.set(None);
        self.seen.set(0);
        self.looks.set(0);
    }

    /// Whether the turn's batch is to be proposed now.
    pub(crate) fn verdict(&self, situation: &Situation, now: impl Fn() -> Instant) -> Verdict {
        let Situation { joined, bytes, under_way } = *situation;
        if joined == 0 || bytes >= WORTH || self.doubts.get() > 0 {
            return Verdict::Close;
        }
        if let Some(under_way) = under_way {
            return if joined + under_way < CROWD { Verdict::Close } else { Verdict::Keep };
        }
        let expected = self.expected.get();
        if expected < CROWD || joined >= expected {
            return Verdict::Close;
        }
        let now = now();
        let (began, mut last) = self.since.get().unwrap_or((now, now));
        if joined != self.seen.replace(joined) {
            last = now;
            self.looks.set(0);
        }
        self.since.set(Some((began, last)));
        self.looks.set(self.looks.get() + 1);
        let is_over = now - last > PATIENCE || now - began > PATIENCE_IN_ALL;
        if is_over || self.looks.get() > LOOKS { Verdict::Close } else { Verdict::Look }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock that a test moves.
    struct World {
        gathering: Gathering,
        now: Cell<Instant>,
    }

    impl World {
        fn new() -> World {
            World { gathering: Gathering::default(), now: Cell::new(Instant::now()) }
        }

        fn pass(&self, duration: Duration) {
            self.now.set(self.now.get() + duration);
        }

        fn with(&self, joined: usize) -> Verdict {
            let situation = Situation { joined, bytes: joined, under_way: None };
            self.gathering.verdict(&situation, || self.now.get())
        }

        fn beside(&self, joined: usize, under_way: usize) -> Verdict {
            let situation = Situation { joined, bytes: joined, under_way: Some(under_way) };
            self.gathering.verdict(&situation, || self.now.get())
        }

        /// All of `sessions` are answered, `back` come back, and waiting for the others is over.
        fn round(&self, sessions: usize, back: usize) {
            self.gathering.answered(sessions, 0);
            self.with(back);
            self.pass(PATIENCE * 2);
            assert_eq!(self.with(back), Verdict::Close);
            self.gathering.closed(back);
        }
    }

    #[test]
    fn two_halves_become_one_batch() {
        let world = World::new();
        assert_eq!(world.beside(25, 25), Verdict::Keep);
        world.gathering.answered(25, 25);
        assert_eq!(world.with(25), Verdict::Look);
        for joined in 26..50 {
            world.pass(PATIENCE / 10);
            assert_eq!(world.with(joined), Verdict::Look);
        }
        assert_eq!(world.with(50), Verdict::Close);
    }

    #[test]
    fn a_few_wait_for_nothing() {
        let world = World::new();
        assert_eq!(world.with(1), Verdict::Close);
        assert_eq!(world.beside(3, 4), Verdict::Close);
        world.gathering.answered(4, 3);
        assert_eq!(world.with(3), Verdict::Close);
    }

    #[test]
    fn waiting_ends_when_nobody_comes_any_more() {
        let world = World::new();
        world.gathering.answered(50, 0);
        assert_eq!(world.with(40), Verdict::Look);
        world.pass(PATIENCE);
        assert_eq!(world.with(40), Verdict::Look);
        world.pass(Duration::from_micros(1));
        assert_eq!(world.with(40), Verdict::Close);
    }

    #[test]
    fn waiting_ends_although_some_still_come() {
        let world = World::new();
        world.gathering.answered(500, 0);
        let looks = (1..100).take_while(|joined| {
            world.pass(PATIENCE / 2);
            world.with(*joined) == Verdict::Look
        });
        assert_eq!(looks.count(), 9);
    }

    #[test]
    fn waiting_ends_while_the_clock_stands_still() {
        let world = World::new();
        world.gathering.answered(50, 0);
        let looks = (0..=LOOKS).take_while(|_| world.with(40) == Verdict::Look).count();
        assert_eq!(looks, LOOKS as usize);
    }

    #[test]
    fn who_does_not_come_back_is_soon_not_expected() {
        let world = World::new();
        for doubts in [1, 2, 4, 8, 16, 32, 64, 64] {
            world.round(50, 10);
            for _ in 0..doubts {
                world.gathering.answered(50, 0);
                assert_eq!(world.with(10), Verdict::Close);
                assert_eq!(world.beside(10, 40), Verdict::Close);
                world.gathering.closed(10);
            }
        }
        // One good round restores all trust.
        world.round(50, 45);
        world.gathering.answered(45, 0);
        assert_eq!(world.with(1), Verdict::Look);
    }

    #[test]
    fn a_large_batch_waits_for_nobody() {
        let world = World::new();
        let situation = Situation { joined: 20, bytes: WORTH, under_way: Some(20) };
        let verdict = world.gathering.verdict(&situation, || world.now.get());
        assert_eq!(verdict, Verdict::Close);
    }
}
