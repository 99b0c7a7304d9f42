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
pub fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    found(look).unwrap_or_else(|| panic!("gave up waiting until {what}"))
}

/// The same; `None` when the limit is reached.
pub fn found<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let found = look();
        if found.is_some() || Instant::now() > deadline {
            return found;
        }
        std::thread::sleep(INTERVAL);
    }
}
