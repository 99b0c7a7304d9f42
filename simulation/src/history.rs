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
    /// Append a value to a list, or to all lists of a group at once.
    Append(u64),
    /// Read all of the list, or of all lists of a group at once.
    ReadLists,
    /// Move money from one account to another.
    Transfer {
        /// The account that pays.
        from: usize,
        /// The account that is paid.
        to: usize,
        /// How much.
        amount: i64,
    },
    /// Read the balances of all accounts at once.
    ReadAccounts,
    /// Take a lock.
    Acquire {
        /// Written into the lock.
        token: u64,
        /// When the lock is free again, whoever has it, in milliseconds since the run began.
        until_ms: u64,
    },
    /// Give a lock back.
    Release {
        /// What was written into the lock.
        token: u64,
        /// From when on its holder does not count on it, in milliseconds since the run began.
        at_ms: u64,
    },
    /// Draw the next number of a counter.
    Draw,
    /// Put an item into a queue.
    Push {
        /// Which of the queues.
        queue: usize,
        /// The item.
        value: u64,
        /// When, in milliseconds since the run began.
        at_ms: u64,
    },
    /// Take the next item out of a queue, or of the first of several that has one, and wait for it
    /// if there is none.
    Pop,
    /// Move the next item of a list to the list behind it.
    Move,
    /// Have entries of a stream delivered that no consumer of the group has had.
    Deliver {
        /// When, in milliseconds since the run began.
        at_ms: u64,
    },
    /// Take over entries that have been with their consumers for some time.
    Claim {
        /// For how long, in milliseconds.
        idle_ms: u64,
        /// When, in milliseconds since the run began.
        at_ms: u64,
    },
    /// Acknowledge an entry of a stream.
    Acknowledge(u64),
    /// Read which entries each consumer of a group still has.
    ReadPending,
}

/// What it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Done.
    Ok,
    /// The register's value, if it has one.
    Value(Option<u64>),
    /// The length of each list after an append.
    Lengths(Vec<u64>),
    /// The lists.
    Lists(Vec<Vec<u64>>),
    /// The balances.
    Balances(Vec<i64>),
    /// The lock is the client's.
    Held {
        /// When the client knew, in milliseconds since the run began.
        from_ms: u64,
    },
    /// The number that was drawn.
    Number(u64),
    /// The item that was next and where it was, unless there was none.
    Popped(Option<(usize, u64)>),
    /// The entries that are the consumer's now.
    Delivered {
        /// Their values.
        values: Vec<u64>,
        /// When the client knew, in milliseconds since the run began.
        at_ms: u64,
    },
    /// Whether it was the first acknowledgement of the entry.
    Acknowledged(bool),
    /// The ids of the entries that the group waits for, and of those that each consumer has.
    Pending {
        /// All together.
        group: Vec<String>,
        /// One list for each consumer.
        consumers: Vec<Vec<String>>,
    },
    /// Nobody knows whether something was popped for the client, which has gone.
    Gone {
        /// When it went, in milliseconds since the run began.
        at_ms: u64,
    },
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
