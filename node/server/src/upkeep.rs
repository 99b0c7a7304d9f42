//! What is looked after in the background.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::blocking::End;
use crate::replies;
use crate::session::Hold;
use crate::shared::{Exit, Shared};

/// Looks after clients `hz` times a second, until it is dropped.
pub(crate) async fn run(shared: Rc<Shared>) {
    let mut last_second = Instant::now();
    loop {
        // Anew each time, because it may be changed.
        let hz = shared.config.borrow().hz().clamp(1, 500);
        sleep(Duration::from_secs(1) / hz).await;
        if shared.observe.cron_paused.get() {
            continue;
        }
        let now = Instant::now();
        shared.sample(now);
        let newest = shared.group().status().snapshot;
        shared.saves.look(newest, shared.unix_ms(now), shared.stats.changes.get());
        if now - last_second >= Duration::from_secs(1) {
            last_second = now;
            // It may be a new peak. Asking the allocator and the kernel takes too long to do it more
            // often.
            shared.observe.memory_now();
            close_idle(&shared);
        }
    }
}

/// Closes clients that have been silent for longer than `timeout`.
fn close_idle(shared: &Shared) {
    let Some(timeout) = shared.config.borrow().timeout() else { return };
    let now_ms = shared.unix_ms(Instant::now());
    for session in shared.sessions.list() {
        let silent_ms = now_ms.saturating_sub(session.active_ms.get());
        let may_be_silent = session.is_subscriber.get() || session.hold() != Hold::Free;
        if !may_be_silent && u128::from(silent_ms) > timeout.as_millis() {
            session.kill();
        }
    }
}

/// Lets waiting requests go on when leadership changes, and stops the node when its storage has
/// failed.
pub(crate) async fn watch_group(shared: Rc<Shared>) {
    let mut standing = shared.group().watch();
    let leading = || shared.group().is_leader().then(|| shared.group().term());
    let mut led = leading();
    while standing.changed().await.is_ok() {
        let fault = standing.borrow_and_update().fault.clone();
        if let Some(fault) = fault {
            tracing::error!("the shard has stopped: {fault}");
            shared.stop(Exit::Failed);
            return;
        }
        let term = leading();
        if led != term {
            shared.scripts.end_for_leadership();
        }
        if led.is_some() && led != term {
            shared.all_watched_changed();
            shared.invalidate_all();
            shared.end_all_waits(&End::Farewell(replies::UNBLOCKED_BY_LOSS));
        }
        led = term;
        shared.waits.resume_leaderless();
    }
}
