//! Whom a shard's log is kept in memory for.
//!
//! Followers are served the newest entries without reading the disk, so a shard with followers keeps
//! as much of its log in memory as it is configured to. A node that is alone serves nobody but its own
//! state machine: what that has applied, nobody asks for again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::types::Membership;

/// What the state machine lets the log know. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Audience(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// The index behind the last one that was applied.
    next: AtomicU64,
    has_followers: AtomicBool,
}

impl Audience {
    /// Everything up to `index` has been applied.
    pub(crate) fn applied(&self, index: u64) {
        self.0.next.store(index + 1, Relaxed);
    }

    /// These are the members now.
    pub(crate) fn consists_of(&self, membership: &Membership) {
        self.0.has_followers.store(membership.nodes().nth(1).is_some(), Relaxed);
    }

    /// Up to which index nobody will ask for entries again, as far as is known.
    pub(crate) fn is_done_with(&self) -> Option<u64> {
        if self.0.has_followers.load(Relaxed) {
            return None;
        }
        self.0.next.load(Relaxed).checked_sub(1)
    }
}
