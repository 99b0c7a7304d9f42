//! Waiting for something to become true.

use std::time::{Duration, Instant};

/// So long that only a fault reaches it, on any machine.
const LIMIT: Duration = Duration::from_mins(2);
/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(10);

/// Looks again and again until `look` finds something.
///
/// # Panics
/// When the limit is reached, with what was waited for.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "gave up waiting until {what}");
        std::thread::sleep(INTERVAL);
    }
}
