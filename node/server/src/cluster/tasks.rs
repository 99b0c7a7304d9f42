//! The tasks of a cluster member, all of which end with it.

use std::cell::RefCell;
use std::future::Future;

use tokio::task::JoinSet;

/// Tasks that can be stopped together.
#[derive(Default)]
pub(super) struct Tasks(RefCell<Option<JoinSet<()>>>);

impl Tasks {
    /// Runs a task on this thread until it is done or all are stopped.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let mut tasks = self.0.borrow_mut();
        let tasks = tasks.get_or_insert_default();
        while tasks.try_join_next().is_some() {}
        tasks.spawn_local(task);
    }

    /// Stops all of them.
    pub(super) async fn stop(&self) {
        let tasks = self.0.take();
        if let Some(mut tasks) = tasks {
            tasks.shutdown().await;
        }
    }
}
