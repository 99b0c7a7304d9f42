//! The commands that the node runs itself: connection, server and cluster.
//!
//! One file per group of siblings; a declaration stands above its handler, as in the engine.

mod authentication;
mod connection;
mod hello;
mod replication;
mod server;

use crate::registry::NodeCommand;

/// Every command of the node.
pub static FAMILIES: &[&[NodeCommand]] = &[
    authentication::COMMANDS,
    crate::cluster::commands::COMMANDS,
    connection::COMMANDS,
    hello::COMMANDS,
    replication::COMMANDS,
    server::COMMANDS,
];
