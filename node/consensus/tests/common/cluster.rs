//! Several nodes as one group.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::future::select_all;
use quoris_consensus::{LogPosition, Outcome, RaftId, Standing};

use crate::common::{Book, Home, Node, PATIENCE, Setup};

pub struct Cluster {
    pub homes: BTreeMap<RaftId, Home>,
    pub nodes: BTreeMap<RaftId, Node>,
    pub book: Book,
}

impl Cluster {
    /// `size` nodes, numbered from 1, as one group with a leader.
    pub async fn start(size: u64, setup: Setup) -> Self {
        let book = Book::default();
        let homes = (1..=size).map(|id| (id, Home::new(id, &book, &setup))).collect();
        let mut cluster = Self { homes, nodes: BTreeMap::new(), book };
        for id in 1..=size {
            cluster.restart(id).await;
        }
        let everybody: BTreeSet<_> = (1..=size).collect();
        cluster.nodes[&1].group.initialize(everybody).await.unwrap();
        cluster.leader().await;
        cluster
    }

    pub async fn restart(&mut self, id: RaftId) {
        let node = self.homes[&id].start().await;
        self.nodes.insert(id, node);
    }

    pub async fn kill(&mut self, id: RaftId) {
        let node = self.nodes.remove(&id).unwrap();
        node.kill(&self.homes[&id]).await;
    }

    /// Waits for a leader that can serve.
    pub async fn leader(&self) -> &Node {
        let ready = self.nodes.values().map(|node| {
            let mut watched = node.group.watch();
            Box::pin(async move {
                let ready = |standing: &Standing| standing.is_ready && standing.fault.is_none();
                // A node that stops never leads.
                if watched.wait_for(ready).await.is_err() {
                    std::future::pending::<()>().await;
                }
                node
            })
        });
        let ready = tokio::time::timeout(PATIENCE, select_all(ready)).await;
        ready.expect("a leader is elected").0
    }

    /// Writes as a client that follows redirects would.
    pub async fn write(&self, payload: impl Into<Bytes>) -> LogPosition {
        let payload = payload.into();
        loop {
            match self.leader().await.propose(payload.clone()).await {
                Ok(position) => return position,
                Err(Outcome::NotAppended { .. }) => tokio::task::yield_now().await,
                Err(Outcome::Unknown) => panic!("nothing was killed under this write"),
            }
        }
    }

    pub async fn write_many(&self, prefix: &str, count: usize) {
        for n in 0..count {
            self.write(format!("{prefix}{n}")).await;
        }
    }

    /// Waits until all running nodes hold the same `count` entries.
    pub async fn agrees_on(&self, count: usize) -> Vec<Bytes> {
        let mut agreed: Option<Vec<Bytes>> = None;
        for node in self.nodes.values() {
            node.applied(count).await;
            let entries = node.ledger.borrow().entries.clone();
            assert_eq!(entries.len(), count, "node {}", node.id);
            assert_eq!(*agreed.get_or_insert_with(|| entries.clone()), entries, "node {}", node.id);
        }
        agreed.unwrap()
    }
}
