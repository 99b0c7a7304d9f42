//! Answers clients whose writes wait for a majority that is not there.
//!
//! A leader that is cut off keeps its entries: they commit if its followers come back before
//! another leader is elected, and are lost if not. Until then nobody knows, and clients should not
//! wait for as long as a cable stays unplugged. So writes that have waited for [`PATIENCE`] are
//! answered with "outcome unknown" if the lease cannot be renewed either; where it can, the
//! majority is there and merely slow.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::machine;
use crate::shared::Shared;
use crate::turn::Failure;

/// How long a write may wait: as long as a request without a leader does.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often somebody looks.
const LOOK: Duration = Duration::from_millis(500);

/// Looks for stranded writes, until it is dropped.
pub(crate) async fn run(shared: Rc<Shared>) {
    // What had been proposed at each of the last looks, the oldest first.
    let mut proposed = VecDeque::from(vec![0; (PATIENCE.as_millis() / LOOK.as_millis()) as usize]);
    loop {
        sleep(LOOK).await;
        proposed.push_back(shared.pending.borrow().newest());
        let newest = proposed.pop_front().expect("it never gets shorter");
        if shared.scripts.is_running() {
            // It is why they wait.
            continue;
        }
        if shared.pending.borrow().up_to(newest).is_empty() || has_majority(&shared).await {
            continue;
        }
        let tags = shared.pending.borrow().up_to(newest);
        if !tags.is_empty() {
            tracing::warn!("no majority answers: the outcome of {} entries is unknown", tags.len());
        }
        for tag in tags {
            machine::fail(&shared, tag, &Failure::Unknown);
            shared.pending.borrow_mut().strand(tag);
        }
    }
}

async fn has_majority(shared: &Shared) -> bool {
    let group = shared.group();
    matches!(timeout(PATIENCE, group.renew_lease()).await, Ok(Ok(())))
}
