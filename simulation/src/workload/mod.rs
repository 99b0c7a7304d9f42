//! What the clients do while things go wrong.

pub mod append;
pub mod register;

use std::cell::Cell;
use std::rc::Rc;

use crate::history::History;
use crate::random::Random;

/// What every client of a run is given.
#[derive(Clone)]
pub struct Context {
    /// Number of this client.
    pub client: u32,
    /// `host:port` of every node.
    pub nodes: Vec<String>,
    /// Where calls and returns are recorded.
    pub history: History,
    /// Its own randomness.
    pub random: Random,
    /// Set when the run's time is up and clients should come to an end.
    pub stop: Rc<Cell<bool>>,
    /// Clients that are not finished yet.
    pub running: Rc<Cell<u32>>,
}

impl Context {
    /// A value that nobody else writes.
    fn value(&self, sequence: u64) -> u64 {
        u64::from(self.client) * 1_000_000 + sequence
    }
}
