//! What happened in a run, line by line, so that two runs can be compared to the byte.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use crate::history::Operation;

/// A trace that everything in a run writes to.
#[derive(Clone, Debug, Default)]
pub struct Trace(Rc<RefCell<String>>);

impl Trace {
    /// Adds a line, stamped with simulated time.
    pub fn line(&self, at: Duration, what: &str) {
        let mut text = self.0.borrow_mut();
        writeln!(text, "{:>9.3}s {what}", at.as_secs_f64()).expect("a string takes any text");
    }

    /// Adds what the clients asked and were told.
    pub fn history(&self, operations: &[Operation]) {
        let mut text = self.0.borrow_mut();
        for operation in operations {
            writeln!(text, "{operation:?}").expect("a string takes any text");
        }
    }

    /// The whole trace.
    pub fn text(&self) -> String {
        self.0.borrow().clone()
    }
}
