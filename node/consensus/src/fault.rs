//! What happens when the disk fails.
//!
//! A node that cannot write must not acknowledge, and must not lead: nothing
//! that it says about its log is true any more. openraft stops a group whose
//! storage returns an error; this remembers why, for the server to see, and
//! ends the lease in the same instant.

use std::fmt;
use std::io;
use std::sync::Arc;

use tokio::sync::watch;

use crate::lease::Lease;

/// The first thing that went wrong in a group's storage. May be raised on any
/// thread.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    lease: Lease,
    first: Arc<watch::Sender<Option<String>>>,
}

impl Fault {
    pub(crate) fn new(lease: Lease) -> Self {
        Self { lease, first: Arc::new(watch::channel(None).0) }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Option<String>> {
        self.first.subscribe()
    }

    /// Reports a failure and passes it on as what openraft expects.
    pub(crate) fn raise(
        &self,
        doing: &str,
        error: impl fmt::Display + Into<io::Error>,
    ) -> io::Error {
        self.lease.poison();
        let message = format!("{doing}: {error}");
        self.first.send_if_modified(|first| {
            let is_first = first.is_none();
            if is_first {
                tracing::error!("{message}; this node stops acknowledging");
                *first = Some(message);
            }
            is_first
        });
        error.into()
    }
}
