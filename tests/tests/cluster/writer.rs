//! A steady writer on redis-rs that remembers exactly what was acknowledged.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use quoris_tests::cluster::Cluster;
use quoris_tests::node::Node;
use quoris_tests::wait;
use redis::cluster::{ClusterClient, ClusterConnection};
use redis::{Commands as _, RedisResult};

/// Enough for every shard to have some.
const COUNTERS: usize = 24;

/// What has been acknowledged.
#[derive(Clone, Debug, Default)]
pub struct Written {
    prefix: String,
    keys: Vec<u64>,
    counters: Vec<u64>,
}

/// A writer in a thread of its own.
pub struct Writer {
    /// Rounds in which every write was acknowledged.
    rounds: Arc<AtomicU64>,
    stop: Arc<AtomicU64>,
    thread: JoinHandle<Written>,
}

/// Connects as redis-rs does by default.
pub fn connect(cluster: &Cluster) -> ClusterConnection {
    let addresses = cluster.nodes.iter().filter(|node| node.pid().is_some());
    connect_to(&addresses.map(Node::address).collect::<Vec<_>>())
}

fn connect_to(addresses: &[SocketAddr]) -> ClusterConnection {
    let urls: Vec<String> = addresses.iter().map(|at| format!("redis://{at}")).collect();
    wait::until("redis-rs connects", || {
        // By default it would wait for a dead node for minutes.
        let client = ClusterClient::builder(urls.clone()).retries(3).max_retry_wait(100);
        let client = client.response_timeout(Duration::from_secs(30));
        client.build().ok()?.get_connection().ok()
    })
}

impl Writer {
    /// Begins to write keys that start with `prefix`, and returns when the first round is done.
    pub fn start(cluster: &Cluster, prefix: &str) -> Writer {
        let (rounds, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(u64::MAX)));
        let shared = (Arc::clone(&rounds), Arc::clone(&stop));
        let (addresses, prefix) = (cluster.addresses(), prefix.to_owned());
        let thread = std::thread::spawn(move || {
            let mut written = Written { prefix, keys: Vec::new(), counters: vec![0; COUNTERS] };
            let (mut connection, mut number) = (connect_to(&addresses), 0);
            while shared.0.load(Ordering::SeqCst) < shared.1.load(Ordering::SeqCst) {
                if written.round(&mut connection, &mut number) {
                    shared.0.fetch_add(1, Ordering::SeqCst);
                } else {
                    // It may not look for a new leader by itself.
                    connection = connect_to(&addresses);
                }
            }
            written
        });
        let writer = Writer { rounds, stop, thread };
        writer.wait_for_rounds(1);
        writer
    }

    /// Waits until so many more rounds have passed without an error.
    pub fn wait_for_rounds(&self, more: u64) {
        let target = self.rounds.load(Ordering::SeqCst) + more;
        wait::until("all writes get through", || {
            assert!(!self.thread.is_finished(), "the writer has failed");
            (self.rounds.load(Ordering::SeqCst) >= target).then_some(())
        });
    }

    /// Ends it after another round without an error.
    pub fn finish(self) -> Written {
        self.stop.store(self.rounds.load(Ordering::SeqCst) + 2, Ordering::SeqCst);
        wait::until("the writer has finished", || self.thread.is_finished().then_some(()));
        self.thread.join().expect("it does not panic")
    }
}

impl Written {
    /// One write to each counter, and as many new keys; true if all were acknowledged.
    fn round(&mut self, connection: &mut ClusterConnection, number: &mut u64) -> bool {
        for counter in 0..COUNTERS {
            *number += 1;
            let key = self.key(*number);
            let set: RedisResult<()> = connection.set(&key, format!("{key} is here"));
            let count: RedisResult<u64> = connection.incr(self.counter(counter), 1);
            if set.is_ok() {
                self.keys.push(*number);
            }
            if count.is_ok() {
                self.counters[counter] += 1;
            }
            if set.is_err() || count.is_err() {
                return false;
            }
        }
        true
    }

    fn key(&self, number: u64) -> String {
        format!("{}:key:{number}", self.prefix)
    }

    fn counter(&self, number: usize) -> String {
        format!("{}:counter:{number}", self.prefix)
    }

    /// Fails if anything is missing.
    pub fn is_all_there(&self, cluster: &Cluster) {
        let mut connection = connect(cluster);
        for number in &self.keys {
            let key = self.key(*number);
            let found: Option<String> = connection.get(&key).expect("the cluster is whole");
            assert_eq!(found, Some(format!("{key} is here")));
        }
        for (number, acknowledged) in self.counters.iter().enumerate() {
            let found: u64 = connection.get(self.counter(number)).expect("the cluster is whole");
            assert!(found >= *acknowledged, "counter {number}: {found} of {acknowledged}");
        }
    }
}
