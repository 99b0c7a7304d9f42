//! All clients of a node.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::session::Session;

/// All clients of a node, in the order of their numbers.
#[derive(Default)]
pub struct Sessions {
    all: RefCell<BTreeMap<u64, Rc<Session>>>,
    next_id: Cell<u64>,
}

impl Sessions {
    /// The next number.
    pub(crate) fn next_id(&self) -> u64 {
        self.next_id.set(self.next_id.get() + 1);
        self.next_id.get()
    }

    pub(crate) fn insert(&self, session: &Rc<Session>) {
        self.all.borrow_mut().insert(session.id, Rc::clone(session));
    }

    pub(crate) fn remove(&self, id: u64) {
        self.all.borrow_mut().remove(&id);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.borrow().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The client with this number.
    pub fn get(&self, id: u64) -> Option<Rc<Session>> {
        self.all.borrow().get(&id).cloned()
    }

    /// All of them, as of now.
    pub fn list(&self) -> Vec<Rc<Session>> {
        self.all.borrow().values().cloned().collect()
    }
}
