//! What a group needs from outside, passed in so that a simulation can pass
//! something else.

use std::io;
use std::sync::Arc;

use quoris_storage::{Disk, Meta, Syncer};

use crate::bus::Registry;
use crate::network::peers::Peers;
use crate::pulse::Pulse;
use crate::runtime::Scope;
use crate::timing::Durability;

/// Makes whoever syncs a shard's log, for the durability that is asked for.
pub type Syncers = Arc<dyn Fn(Durability) -> io::Result<Syncer> + Send + Sync>;

/// Everything of a node that its groups share. Cheap to clone.
#[derive(Clone)]
pub struct World {
    /// Segments and snapshot files.
    pub disk: Arc<dyn Disk>,
    /// Votes, and all of the topology group.
    pub meta: Arc<dyn Meta>,
    /// See [`sync_on_threads`] and [`sync_inline`].
    pub syncers: Syncers,
    /// Where snapshot files are written and read.
    pub offload: Offload,
    /// The other nodes.
    pub peers: Peers,
    /// Where the bus finds this node's groups.
    pub registry: Registry,
    /// The node's randomness.
    pub scope: Scope,
    /// Keeps leaders in office while the node thread is busy. None under
    /// simulation.
    pub pulse: Option<Pulse>,
}

/// Syncs on a thread of its own, as production does.
///
/// # Errors
/// If the operating system cannot start a thread.
pub fn sync_on_threads(durability: Durability) -> io::Result<Syncer> {
    const NAME: &str = "quoris-log";
    match durability {
        Durability::Always => Syncer::thread(NAME),
        Durability::EverySec => Syncer::every_second(NAME),
        Durability::No => Syncer::background(NAME),
    }
}

/// Syncs at once on the node thread, as the simulation does, which has no other.
///
/// # Errors
/// None.
pub fn sync_inline(durability: Durability) -> io::Result<Syncer> {
    Ok(match durability {
        Durability::Always => Syncer::inline(),
        Durability::EverySec | Durability::No => Syncer::skip(),
    })
}

/// Where work that blocks is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offload {
    /// On tokio's threads for blocking work.
    Threads,
    /// Where it is asked for: under simulation there are no threads.
    Inline,
}

impl Offload {
    /// Runs `work` to its end.
    ///
    /// # Errors
    /// If the runtime is shutting down, or the work panicked.
    #[expect(clippy::disallowed_methods, reason = "this is the place that decides about threads")]
    pub(crate) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        match self {
            Self::Inline => Ok(work()),
            Self::Threads => Ok(tokio::task::spawn_blocking(work).await?),
        }
    }
}
