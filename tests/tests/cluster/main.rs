//! Clusters of real processes: what their nodes say to clients, and what is left after crashes.

#![allow(
    clippy::disallowed_methods,
    reason = "it looks at real processes from outside, where there is no simulated time"
)]

mod crashes;
mod failover;
mod readers;
mod redirects;
mod secret;
mod settings;
mod snapshot;
mod views;
mod waiting;
mod writer;

use quoris_tests::cluster::Cluster;
use quoris_tests::shared::Shared;

/// Three shards of three nodes. Where no leader is killed, an election would only be a machine too
/// busy to send heartbeats, so they are slow.
static CLUSTER: Shared = Shared::new(|| Cluster::start(3, 3, &["--cluster-node-timeout", "2000"]));
