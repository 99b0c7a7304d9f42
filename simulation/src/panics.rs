//! Panics of a node's tasks. In production a panic ends the process; here tokio would catch it, and
//! the run would go on without the task.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Takes note of panics on this thread from now on, and forgets what there was.
pub fn watch() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |what| {
            LAST.set(Some(what.to_string()));
            before(what);
        }));
    });
    LAST.set(None);
}

/// The last panic, if there was one.
pub fn last() -> Option<String> {
    LAST.take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_that_is_caught_is_still_known() {
        watch();
        assert!(panic::catch_unwind(|| panic!("a task fails")).is_err());
        assert!(last().is_some_and(|what| what.contains("a task fails")));
        assert_eq!(last(), None);
    }
}
