//! A deterministic simulation of whole clusters.
//!
//! The real code of a node, from its sockets to its segments, runs under turmoil: one thread, a
//! simulated network, simulated time, a disk in memory that forgets what was not synced. A *seed*
//! decides everything: message delays, election timeouts, what the clients do, who crashes, which
//! links break. The same seed gives the same run, to the byte, in any process; a failure is
//! reported by its seed and can be looked at as often as one likes.
//!
//! One run is a [`Scenario`]: it forms a cluster, lets clients work on it ([`workload`]) while
//! faults happen ([`chaos`]), heals everything, and then checks what the clients saw against what
//! may be seen ([`invariants`]).
//!
//! ```text
//! make sim SEEDS=100            run a hundred scenarios
//! make sim SEEDS=1 FROM=4711    run one again, with its trace
//! ```
//!
//! What this does not show: real kernels, real disks, threads (the log, pulse and admin threads are
//! replaced by work done in place), and bugs that need more than a few seconds of cluster time.

// tokio's scheduler only repeats its choices when it can be seeded.
#[cfg(not(tokio_unstable))]
compile_error!("build with --cfg tokio_unstable, as .cargo/config.toml of this repository does");

pub mod chaos;
mod client;
mod forming;
pub mod history;
pub mod invariants;
mod panics;
pub mod random;
pub mod scenario;
mod trace;
mod transport;
pub mod workload;
mod world;

pub use scenario::{Report, Scenario};
