//! When openraft is asked for the next request to a follower.
//!
//! A commit index travels with the entries that come behind it. When there are
//! none, openraft makes a request of its own for it, which costs leader and
//! follower as much as a batch of entries does: under load, half of all
//! messages. So it is asked only when the log reaches further than what has
//! been sent; for the sake of a lone commit index it is asked after
//! [`PATIENCE`], and not before everything under way has been answered.
//!
//! The second condition is also one of the lease. openraft takes the reply to
//! an earlier request that reached as far for an acknowledgement of the later,
//! empty one, and would count the lease from the moment that one was sent,
//! which the follower may never have heard of.

use std::future::Future as _;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use openraft::raft::AppendEntriesRequest;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::log::Reach;
use crate::types::TypeConfig;

/// How long a commit index waits for entries to travel with. Longer than it
/// takes to fill a batch, and short for a reader on a follower.
const PATIENCE: Duration = Duration::from_millis(1);

/// The state of one session.
pub(super) struct Pace {
    /// The leader's own log.
    reach: Reach,
    /// The index behind the last entry that has been sent.
    sent: u64,
    /// Since the last request, openraft has said that there is no other.
    asked: bool,
    /// When it is asked without new entries.
    patience: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    pub(super) fn new(reach: Reach) -> Self {
        Self { reach, sent: 0, asked: false, patience: None }
    }

    /// Whether to ask for a request now. Otherwise the task is woken when it is
    /// time, if nothing else wakes it before: openraft does, for new entries.
    pub(super) fn poll_turn(&mut self, cx: &mut Context<'_>, is_busy: bool) -> bool {
        if !self.asked || self.reach.end() > self.sent {
            return true;
        }
        // The reply wakes the task too.
        !is_busy && self.patience.as_mut().is_none_or(|it| it.as_mut().poll(cx).is_ready())
    }

    /// openraft had no request; it will wake the task when it has.
    pub(super) fn asked(&mut self) {
        self.asked = true;
    }

    /// A request is sent.
    pub(super) fn sent(&mut self, request: &AppendEntriesRequest<TypeConfig>) {
        let last = request.entries.last().map(|entry| entry.log_id).or(request.prev_log_id);
        self.sent = last.map_or(0, |id| id.index + 1);
        self.asked = false;
        let end = Instant::now() + PATIENCE;
        match &mut self.patience {
            Some(patience) => patience.as_mut().reset(end),
            None => self.patience = Some(Box::pin(sleep_until(end))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use openraft::EntryPayload;

    use super::*;
    use crate::types::{Entry, LogId, Vote};

    fn request(entries: std::ops::Range<u64>) -> AppendEntriesRequest<TypeConfig> {
        let at = |index| LogId::new_term_index(1, index);
        let entry = |index| Entry { log_id: at(index), payload: EntryPayload::Blank };
        AppendEntriesRequest {
            vote: Vote::new_committed(1, 1),
            prev_log_id: entries.start.checked_sub(1).map(at),
            leader_commit: None,
            entries: entries.map(entry).collect(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lone_commit_waits_for_all_replies_and_a_moment_more() {
        let mut cx = Context::from_waker(Waker::noop());
        let reach = Reach::default();
        let mut pace = Pace::new(reach.clone());
        assert!(pace.poll_turn(&mut cx, false), "a session begins with a request");
        reach.set(Some(2));
        pace.sent(&request(0..3));
        assert!(pace.poll_turn(&mut cx, true), "openraft has to be told whom to wake");
        pace.asked();
        assert!(!pace.poll_turn(&mut cx, false));
        tokio::time::sleep(PATIENCE * 2).await;
        assert!(!pace.poll_turn(&mut cx, true));
        assert!(pace.poll_turn(&mut cx, false));
    }

    #[tokio::test(start_paused = true)]
    async fn new_entries_wait_for_nothing() {
        let mut cx = Context::from_waker(Waker::noop());
        let reach = Reach::default();
        reach.set(Some(2));
        let mut pace = Pace::new(reach.clone());
        pace.sent(&request(0..3));
        pace.asked();
        assert!(!pace.poll_turn(&mut cx, true));
        reach.set(Some(3));
        assert!(pace.poll_turn(&mut cx, true));
        // An empty request has sent all that lies before it.
        pace.sent(&request(4..4));
        pace.asked();
        assert!(!pace.poll_turn(&mut cx, true));
    }
}
