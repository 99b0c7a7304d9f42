//! What the clients do while things go wrong. A run has a few of these workloads, which its seed
//! chooses.

pub mod append;
pub mod bank;
pub mod group;
pub mod lock;
pub mod queue;
pub mod register;
pub mod relay;
pub mod script;
pub mod transaction;

use std::cell::Cell;
use std::rc::Rc;

use clap::ValueEnum;
use quoris_resp::Reply;

use crate::client::{Answer, Client};
use crate::history::{Ask, History, Pending, Told};
use crate::random::Random;

/// One kind of thing that clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// Reads and writes of registers.
    Registers,
    /// Appends to lists.
    Appends,
    /// Appends to two lists in one transaction.
    Transactions,
    /// Transfers between accounts.
    Bank,
    /// Locks that expire.
    Locks,
    /// Queues between clients, and clients that wait for items.
    Queues,
    /// A chain of lists, and clients that wait to move items along it.
    Relays,
    /// Consumers of a group, and what they leave to each other.
    Groups,
    /// Appends to two lists, counted, in one script.
    Scripts,
}

impl Workload {
    /// All of them.
    pub const ALL: [Workload; 9] = [
        Workload::Registers,
        Workload::Appends,
        Workload::Transactions,
        Workload::Bank,
        Workload::Locks,
        Workload::Queues,
        Workload::Relays,
        Workload::Groups,
        Workload::Scripts,
    ];

    /// `count` different workloads.
    pub fn draw(random: &mut Random, count: usize) -> Vec<Workload> {
        let mut left = Workload::ALL.to_vec();
        while left.len() > count {
            left.remove(random.below(left.len() as u64) as usize);
        }
        left
    }

    /// Works until it is told to stop.
    pub async fn run(self, mut context: Context) {
        match self {
            Workload::Registers => register::run(&mut context).await,
            Workload::Appends => append::run(&mut context).await,
            Workload::Transactions => transaction::run(&mut context).await,
            Workload::Bank => bank::run(&mut context).await,
            Workload::Locks => lock::run(&mut context).await,
            Workload::Queues => queue::run(&mut context).await,
            Workload::Relays => relay::run(&mut context).await,
            Workload::Groups => group::run(&mut context).await,
            Workload::Scripts => script::run(&mut context).await,
        }
        context.running.set(context.running.get() - 1);
    }

    /// Looks at what there is, once everything has healed.
    pub async fn finish(self, mut context: Context) {
        match self {
            Workload::Registers | Workload::Locks => {}
            Workload::Appends => append::finish(&mut context).await,
            Workload::Transactions => transaction::finish(&mut context).await,
            Workload::Bank => bank::finish(&mut context).await,
            Workload::Queues => queue::finish(&mut context).await,
            Workload::Relays => relay::finish(&mut context).await,
            Workload::Groups => group::finish(&mut context).await,
            Workload::Scripts => script::finish(&mut context).await,
        }
        context.running.set(context.running.get() - 1);
    }
}

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
    /// Whether clients know that an outcome may be unknown. Only a test says no.
    pub clients_are_careful: bool,
}

impl Context {
    /// A value that nobody else writes.
    fn value(&self, sequence: u64) -> u64 {
        u64::from(self.client) * 1_000_000 + sequence
    }

    /// A connection of its own.
    fn connect(&self) -> Client {
        Client::new(self.nodes.clone(), self.client as usize, self.clients_are_careful)
    }

    /// The same client once more, to do something else meanwhile.
    fn fork(&mut self, part: u64) -> Context {
        Context { random: self.random.fork(part), ..self.clone() }
    }

    fn call(&self, key: &str, ask: Ask) -> Pending {
        self.history.call(self.client, key, ask)
    }

    /// Lets a little time pass.
    async fn pause(&mut self) {
        let pause = self.random.millis(0, 25);
        tokio::time::sleep(pause).await;
    }
}

/// Simulated time since the beginning of the run, in milliseconds.
fn now_ms() -> u64 {
    turmoil::sim_elapsed().unwrap_or_default().as_millis() as u64
}

/// What a client was told, if it was told anything; `reply` understands the reply.
fn told(answer: Answer, reply: impl FnOnce(&Reply) -> Told) -> Told {
    match answer {
        Answer::Refused => Told::Refused,
        Answer::Unknown => Told::Unknown,
        Answer::Reply(answer) => reply(&answer),
    }
}

/// The lengths that appends were answered with.
fn lengths(reply: &Reply) -> Told {
    let length = |reply: &Reply| reply.as_integer().expect("a length is a number") as u64;
    match reply {
        Reply::Array(replies) => Told::Lengths(replies.iter().map(length).collect()),
        reply => Told::Lengths(vec![length(reply)]),
    }
}

/// A list of numbers.
fn list(reply: &Reply) -> Vec<u64> {
    let items = reply.as_slice().expect("a list is an array");
    items.iter().map(|item| number(item).expect("only numbers are in it")).collect()
}

/// A number that a client has written.
fn number(reply: &Reply) -> Option<u64> {
    reply.as_str().and_then(|text| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_mix_the_workloads_and_leave_none_out() {
        let draw = |seed| Workload::draw(&mut Random::new(seed), 3);
        assert_eq!(draw(1), draw(1));
        let drawn: Vec<Workload> = (1..=30).flat_map(draw).collect();
        assert!(Workload::ALL.iter().all(|workload| drawn.contains(workload)));
        assert_eq!(drawn.len(), 90);
    }
}
