//! A node thread that is busy for a second keeps its office, and costs nobody
//! else theirs. Here every node has a thread of its own, as processes do.

#![expect(clippy::disallowed_methods, reason = "node threads, and what keeps them busy")]

mod common;

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use common::{Book, Home, Setup, run, until};
use quoris_consensus::{LogPosition, Outcome, RaftId, Standing};
use tokio::sync::{mpsc as orders, oneshot, watch};

/// Longer than three elections.
const STALL: Duration = Duration::from_millis(1500);

enum Order {
    Initialize(BTreeSet<RaftId>),
    /// Does nothing else for [`STALL`].
    Stall(oneshot::Sender<()>),
    Write(oneshot::Sender<Result<LogPosition, Outcome>>),
}

/// A node on a thread of its own.
struct Remote {
    id: RaftId,
    standing: watch::Receiver<Standing>,
    orders: orders::UnboundedSender<Order>,
    thread: JoinHandle<()>,
}

impl Remote {
    fn start(home: Home) -> Self {
        let (orders, received) = orders::unbounded_channel();
        let (started, start) = mpsc::channel();
        let id = home.id;
        let thread = std::thread::spawn(move || run(serve(home, started, received)));
        Self { id, standing: start.recv().unwrap(), orders, thread }
    }

    fn order(&self, order: Order) {
        assert!(self.orders.send(order).is_ok(), "the node runs");
    }

    async fn stall(&self) {
        let (done, is_done) = oneshot::channel();
        self.order(Order::Stall(done));
        is_done.await.unwrap();
    }

    async fn write(&self) -> Result<LogPosition, Outcome> {
        let (reply, outcome) = oneshot::channel();
        self.order(Order::Write(reply));
        outcome.await.unwrap()
    }
}

async fn serve(
    home: Home,
    started: mpsc::Sender<watch::Receiver<Standing>>,
    mut orders: orders::UnboundedReceiver<Order>,
) {
    let node = home.start().await;
    started.send(node.group.watch()).unwrap();
    while let Some(order) = orders.recv().await {
        match order {
            Order::Initialize(voters) => node.group.initialize(voters).await.unwrap(),
            Order::Stall(done) => {
                std::thread::sleep(STALL);
                done.send(()).unwrap();
            }
            Order::Write(reply) => reply.send(node.propose("x").await).unwrap(),
        }
    }
    node.group.shutdown().await;
}

async fn three() -> Vec<Remote> {
    let (book, setup) = (Book::default(), Setup { pulse: true, ..Setup::default() });
    let nodes: Vec<_> = (1..=3).map(|id| Remote::start(Home::new(id, &book, &setup))).collect();
    nodes[0].order(Order::Initialize(BTreeSet::from([1, 2, 3])));
    for node in &nodes {
        let mut standing = node.standing.clone();
        until(&mut standing, "there is a leader", |s| s.leader.is_some()).await;
    }
    let mut standing = leader(&nodes).standing.clone();
    until(&mut standing, "it can serve", |s| s.is_ready).await;
    nodes
}

fn leader(nodes: &[Remote]) -> &Remote {
    let leader = nodes[0].standing.borrow().leader.expect("there is one");
    nodes.iter().find(|node| node.id == leader).unwrap()
}

fn stop(nodes: Vec<Remote>) {
    for Remote { orders, thread, .. } in nodes {
        drop(orders);
        thread.join().unwrap();
    }
}

#[test]
fn a_busy_leader_stays_leader() {
    run(async {
        let nodes = three().await;
        let leader = leader(&nodes);
        leader.write().await.unwrap();
        let term = leader.standing.borrow().term;
        leader.stall().await;
        // Its lease may have lapsed; it renews that, and goes on.
        while let Err(outcome) = leader.write().await {
            assert_eq!(outcome, Outcome::NotAppended { leader: None });
        }
        for node in &nodes {
            assert_eq!(node.standing.borrow().term, term, "node {}", node.id);
        }
        stop(nodes);
    });
}

#[test]
fn a_slow_write_that_keeps_everybody_busy_changes_no_leader() {
    run(async {
        let nodes = three().await;
        let leader = leader(&nodes);
        let term = leader.standing.borrow().term;
        futures::future::join_all(nodes.iter().map(Remote::stall)).await;
        while let Err(outcome) = leader.write().await {
            assert_eq!(outcome, Outcome::NotAppended { leader: None });
        }
        for node in &nodes {
            assert_eq!(node.standing.borrow().term, term, "node {}", node.id);
        }
        stop(nodes);
    });
}

#[test]
fn a_busy_follower_does_not_campaign() {
    run(async {
        let nodes = three().await;
        let leader = leader(&nodes);
        leader.write().await.unwrap();
        let term = leader.standing.borrow().term;
        let follower = nodes.iter().find(|node| node.id != leader.id).unwrap();
        follower.stall().await;
        leader.write().await.unwrap();
        for node in &nodes {
            assert_eq!(node.standing.borrow().term, term, "node {}", node.id);
        }
        stop(nodes);
    });
}
