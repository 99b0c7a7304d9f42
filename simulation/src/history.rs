//! What the clients of a run asked for and were told, in order.

use std::cell::RefCell;
use std::rc::Rc;

/// What a client asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// Read a register.
    Read,
    /// Write a value into a register.
    Write(u64),
    /// Append a value to a list.
    Append(u64),
    /// Read a whole list.
    ReadList,
}

/// What it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Done.
    Ok,
    /// The register's value, if it has one.
    Value(Option<u64>),
    /// The list.
    List(Vec<u64>),
    /// It certainly did not happen.
    Refused,
    /// Nobody knows whether it happened, or it may still happen.
    Unknown,
}

/// One operation of one client on one key.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Who asked.
    pub client: u32,
    /// The key.
    pub key: String,
    /// What was asked.
    pub ask: Ask,
    /// Place in the order of all calls and returns at which it was asked.
    pub called: u64,
    /// Place at which the answer came; the end of time if it is unknown.
    pub returned: u64,
    /// The answer.
    pub told: Told,
}

/// A history that all clients of a run write to.
#[derive(Clone, Debug, Default)]
pub struct History(Rc<RefCell<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    clock: u64,
    operations: Vec<Operation>,
}

/// An operation that has been called and has not returned.
#[derive(Debug)]
#[must_use = "an operation that never returns is unknown for ever"]
pub struct Pending(usize);

impl History {
    /// Records a call. Until it returns, its outcome is unknown.
    pub fn call(&self, client: u32, key: &str, ask: Ask) -> Pending {
        let mut inner = self.0.borrow_mut();
        inner.clock += 1;
        let called = inner.clock;
        let key = key.to_owned();
        let told = Told::Unknown;
        inner.operations.push(Operation { client, key, ask, called, returned: u64::MAX, told });
        Pending(inner.operations.len() - 1)
    }

    /// Records a return.
    pub fn returned(&self, pending: &Pending, told: Told) {
        let mut inner = self.0.borrow_mut();
        inner.clock += 1;
        let now = inner.clock;
        let operation = &mut inner.operations[pending.0];
        if told != Told::Unknown {
            operation.returned = now;
        }
        operation.told = told;
    }

    /// Everything so far.
    pub fn operations(&self) -> Vec<Operation> {
        self.0.borrow().operations.clone()
    }
}
