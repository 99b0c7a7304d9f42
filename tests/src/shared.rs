//! One cluster for several tests of a file.
//!
//! Nine debug-built nodes fill a small machine: never are two clusters alive at once, and one that
//! other tests still wait for is handed on as it is. The last user stops it.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::cluster::Cluster;

/// A cluster that is started when a test needs it.
#[derive(Debug)]
pub struct Shared {
    current: Mutex<Weak<Mutex<Option<Cluster>>>>,
    start: fn() -> Cluster,
}

impl Shared {
    /// A cluster that will be started by `start`.
    pub const fn new(start: fn() -> Cluster) -> Shared {
        Shared { current: Mutex::new(Weak::new()), start }
    }

    /// Lends the cluster, to one test at a time, whole at the beginning. After a test that failed,
    /// the next one gets a new cluster.
    pub fn lend(&self, test: impl FnOnce(&mut Cluster)) {
        let place = self.place();
        let mut lent = place.lock().unwrap_or_else(|poisoned| {
            place.clear_poison();
            let mut lent = poisoned.into_inner();
            *lent = None;
            lent
        });
        let cluster = lent.get_or_insert_with(self.start);
        for node in cluster.nodes.iter_mut().filter(|node| node.pid().is_none()) {
            node.restart();
        }
        cluster.wait_until_whole();
        test(cluster);
    }

    fn place(&self) -> Arc<Mutex<Option<Cluster>>> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.upgrade().unwrap_or_else(|| {
            let place = Arc::new(Mutex::new(None));
            *current = Arc::downgrade(&place);
            place
        })
    }
}
