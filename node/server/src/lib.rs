//! The node: sockets, sessions, dispatch, and the wiring of engine and consensus.
//!
//! One thread owns a node. Sockets, sessions, the engine and both Raft groups live on one local
//! runtime, so that a command never crosses a thread, and nothing here takes a lock.
//!
//! # The way of a command
//!
//! 1. The task of a connection ([`connection`]) reads what has arrived into a buffer that all
//!    connections share, and hands it to [`dispatch`].
//! 2. Commands are parsed sixteen at a time, checked in Redis's order and routed. A read runs at
//!    once while this node holds its lease. A write joins the batch of the turn ([`turn`]), and its
//!    connection runs nothing else until the batch has been applied; reads behind it ride along.
//! 3. When all connections that were ready have had their turn, the flusher ([`flush`]) proposes
//!    the batch as one entry of the log, and sends every connection its replies, with one system
//!    call each.
//! 4. The entry comes back committed ([`machine`]): its commands run, the replies go to the
//!    sessions, and the next end of a turn sends them.
//!
//! # What a lost leadership means to a client
//!
//! A batch that provably never reached the log is answered with `-MOVED` or `-TRYAGAIN`. One whose
//! fate is unknown is answered with an error that says so. Nothing is ever repeated on a client's
//! behalf, and nothing is acknowledged that has not been committed and applied.

pub(crate) mod blocking;
pub mod cli;
pub mod cluster;
pub mod commands;
pub mod config;
pub(crate) mod connection;
pub(crate) mod dispatch;
mod error;
mod expiry;
pub(crate) mod flush;
mod functions;
mod gather;
mod identity;
pub mod logging;
pub(crate) mod machine;
mod migrate;
mod node;
mod notifications;
pub mod observe;
pub mod process;
pub(crate) mod pubsub;
mod reclaim;
pub mod registry;
pub mod replies;
mod routes;
pub(crate) mod saves;
mod scripts;
mod session;
mod sessions;
mod settings;
mod shard_settings;
mod shared;
mod stats;
mod stranded;
mod tally;
pub(crate) mod tracking;
pub(crate) mod transactions;
pub(crate) mod turn;
mod upkeep;
mod waits;
mod world;

pub use error::StartError;
pub use identity::{Identity, raft_id};
pub use node::Node;
pub use routes::{Route, Routes};
pub use session::{Ending, Hold, ReplyMode, Session};
pub use sessions::Sessions;
pub use settings::{durability_of, timing_of};
pub use shared::{Exit, Shared};
pub use stats::{CommandStats, Histogram, Stats};
pub use waits::Pause;
pub use world::{Clock, Entropy, SystemClock, SystemEntropy, World};
