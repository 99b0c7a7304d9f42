//! The time after a restart in which a node elects nobody, itself included.
//!
//! With every acknowledgement a follower promises its leader not to help elect
//! another one for a while, and the leader answers reads on the strength of it.
//! A follower that restarts has forgotten when it promised; openraft starts it
//! with no promise at all. So it keeps out of elections for as long as a
//! promise can last. It does follow a leader meanwhile, and it may take part
//! in an election that the leader itself has asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Shared by a group's election timer and its place in the registry.
#[derive(Clone, Debug)]
pub(crate) struct Quarantine(Arc<AtomicBool>);

impl Quarantine {
    pub(crate) fn new(in_force: bool) -> Self {
        Self(Arc::new(AtomicBool::new(in_force)))
    }

    pub(crate) fn is_in_force(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn lift(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
