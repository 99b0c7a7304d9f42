//! When a leader may answer reads from its own memory.
//!
//! A follower that acknowledges a leader promises not to help elect another
//! one for `election_max`. So for that long after the moment at which the
//! leader *sent* what a majority acknowledged, there is no other leader, and
//! what it has applied is the newest state there is. [`Lease`] caches that
//! deadline, less a margin for clocks that run at different speeds, so that
//! asking is a comparison.
//!
//! A deadline alone is not enough, because the promise has holes, and each of
//! them must be closed *before* it can be used:
//!
//! - The leader itself may vote for somebody else once it has stepped down.
//!   Its vote goes through [`Lease::vote_saved`] before it is sent, and takes
//!   the lease with it.
//! - A leadership transfer tells the followers to forget their promise. It
//!   goes through [`Lease::revoke`] before the first of them is told, whoever
//!   started it. Since openraft never resumes a term after a failed transfer,
//!   there is no lease in that term any more.
//! - A leader that cannot write ([`Lease::poison`]) leads no longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::types::{RaftId, Vote};

/// Terms are stored plus one, so that zero can mean "none".
const NONE: u64 = 0;

/// Shared by everything in a group that can end a leadership.
#[derive(Clone, Debug)]
pub(crate) struct Lease(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    me: RaftId,
    base: Instant,
    /// Nanoseconds since `base`.
    deadline: AtomicU64,
    led_term: AtomicU64,
    revoked_term: AtomicU64,
    poisoned: AtomicBool,
}

impl Lease {
    pub(crate) fn new(me: RaftId) -> Self {
        Self(Arc::new(Inner {
            me,
            base: Instant::now(),
            deadline: AtomicU64::new(NONE),
            led_term: AtomicU64::new(NONE),
            revoked_term: AtomicU64::new(NONE),
            poisoned: AtomicBool::new(false),
        }))
    }

    /// Whether reads may be answered at `now`.
    pub(crate) fn holds(&self, now: Instant) -> bool {
        self.since_base(now) < self.0.deadline.load(Ordering::Relaxed)
    }

    /// The term in which this node leads, if it does.
    pub(crate) fn led_term(&self) -> Option<u64> {
        self.0.led_term.load(Ordering::Relaxed).checked_sub(1)
    }

    /// Whether a lease can be had in the term that this node leads.
    pub(crate) fn is_possible(&self) -> bool {
        let led = self.0.led_term.load(Ordering::Relaxed);
        led != NONE && led != self.0.revoked_term.load(Ordering::Relaxed)
    }

    /// Extends the lease to `length` after `acked_at`, when a majority's last
    /// acknowledgement was sent, provided this node still leads `term`.
    pub(crate) fn renew(&self, term: u64, acked_at: Instant, length: Duration) {
        if self.led_term() == Some(term) && self.is_possible() {
            self.0.deadline.store(self.since_base(acked_at + length), Ordering::Relaxed);
        }
    }

    /// A vote is about to be written, and sent only after that.
    pub(crate) fn vote_saved(&self, vote: &Vote) {
        let leads = vote.committed
            && vote.leader_id.voted_for == self.0.me
            && !self.0.poisoned.load(Ordering::Relaxed);
        let led = if leads { vote.leader_id.term + 1 } else { NONE };
        if self.0.led_term.swap(led, Ordering::Relaxed) != led {
            self.0.deadline.store(NONE, Ordering::Relaxed);
        }
    }

    /// Gives up the lease for the rest of the term.
    pub(crate) fn revoke(&self) {
        self.0.revoked_term.store(self.0.led_term.load(Ordering::Relaxed), Ordering::Relaxed);
        self.0.deadline.store(NONE, Ordering::Relaxed);
    }

    /// Gives up leading for good.
    pub(crate) fn poison(&self) {
        self.0.poisoned.store(true, Ordering::Relaxed);
        self.0.led_term.store(NONE, Ordering::Relaxed);
        self.0.deadline.store(NONE, Ordering::Relaxed);
    }

    fn since_base(&self, at: Instant) -> u64 {
        let elapsed = at.saturating_duration_since(self.0.base).as_nanos();
        u64::try_from(elapsed).expect("a process runs for less than 584 years")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_millis(360);

    fn leading(term: u64) -> (Lease, Instant) {
        let lease = Lease::new(1);
        let now = lease.0.base + Duration::from_secs(1);
        lease.vote_saved(&Vote::new_committed(term, 1));
        (lease, now)
    }

    #[test]
    fn a_lease_runs_out_by_itself() {
        let (lease, now) = leading(5);
        assert!(!lease.holds(now), "nobody has acknowledged this leader yet");
        lease.renew(5, now, LENGTH);
        assert!(lease.holds(now + LENGTH - Duration::from_nanos(1)));
        assert!(!lease.holds(now + LENGTH));
    }

    #[test]
    fn a_vote_for_another_takes_the_lease_along() {
        for vote in [Vote::new(6, 2), Vote::new_committed(6, 2), Vote::new(6, 1)] {
            let (lease, now) = leading(5);
            lease.renew(5, now, LENGTH);
            lease.vote_saved(&vote);
            assert!(!lease.holds(now), "{vote}");
            lease.renew(5, now, LENGTH);
            assert!(!lease.holds(now), "a late acknowledgement of a past term");
            assert_eq!(lease.led_term(), None);
        }
    }

    #[test]
    fn a_transfer_ends_the_lease_for_the_term_but_not_for_the_next() {
        let (lease, now) = leading(5);
        lease.renew(5, now, LENGTH);
        lease.revoke();
        assert!(!lease.holds(now));
        lease.renew(5, now, LENGTH);
        assert!(!lease.holds(now));
        lease.vote_saved(&Vote::new_committed(7, 1));
        lease.renew(7, now, LENGTH);
        assert!(lease.holds(now));
    }

    #[test]
    fn a_node_that_cannot_write_never_leads_again() {
        let (lease, now) = leading(5);
        lease.renew(5, now, LENGTH);
        lease.poison();
        assert!(!lease.holds(now));
        lease.vote_saved(&Vote::new_committed(6, 1));
        lease.renew(6, now, LENGTH);
        assert!(!lease.holds(now));
    }
}
