//! The commands that the node runs itself: connection, server and cluster.
//!
//! One file per group of siblings; a declaration stands above its handler, as in the engine.

mod authentication;
mod client;
mod command;
mod config;
mod connection;
mod debug;
mod hello;
mod help;
mod info;
mod latency;
mod lolwut;
mod memory;
mod monitor;
pub(crate) mod pubsub;
mod replication;
mod server;
mod slowlog;

use crate::registry::NodeCommand;

/// Every command of the node.
pub static FAMILIES: &[&[NodeCommand]] = &[
    authentication::COMMANDS,
    crate::cluster::commands::COMMANDS,
    client::COMMANDS,
    command::COMMANDS,
    config::COMMANDS,
    connection::COMMANDS,
    debug::COMMANDS,
    hello::COMMANDS,
    info::COMMANDS,
    latency::COMMANDS,
    lolwut::COMMANDS,
    memory::COMMANDS,
    monitor::COMMANDS,
    pubsub::COMMANDS,
    replication::COMMANDS,
    server::COMMANDS,
    slowlog::COMMANDS,
    crate::transactions::COMMANDS,
];
