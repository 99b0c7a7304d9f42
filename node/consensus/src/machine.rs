//! What the log is applied to.

use std::task::{Context, Poll};

use crate::types::{Committed, LogPosition};

/// A deterministic state machine behind one Raft group.
///
/// It lives on the node thread and is only called there, so it may hold `Rc`s
/// and need not be `Send`. Calls never overlap.
pub trait Machine: 'static {
    /// The last entry applied, or restored; `None` for an empty machine, which
    /// is what a group must be started with: it brings the machine up from its
    /// newest snapshot and the log.
    fn applied(&self) -> Option<LogPosition>;

    /// Ready when an entry may be applied, or a snapshot restored: asked
    /// before each of them.
    fn poll_free(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _ = cx;
        Poll::Ready(())
    }

    /// Applies one batch. Entries without commands come through
    /// [`Machine::skip`] instead.
    fn apply(&mut self, entry: Committed<'_>);

    /// Moves [`Machine::applied`] over an entry that holds no commands: a
    /// leader's no-op, or a change of membership.
    fn skip(&mut self, position: LogPosition) {
        let _ = position;
    }

    /// A run of applies has ended, or pauses to let other tasks run: a good
    /// moment to send out the replies.
    fn apply_done(&mut self) {}

    /// The whole state as of [`Machine::applied`].
    ///
    /// # Errors
    /// Any error stops the group: the node cannot compact its log.
    fn snapshot(&mut self) -> anyhow::Result<Vec<u8>>;

    /// Replaces the state by that of a snapshot taken at `position`.
    ///
    /// # Errors
    /// Any error stops the group: its state would not match the log.
    fn restore(&mut self, position: Option<LogPosition>, bytes: &[u8]) -> anyhow::Result<()>;
}
