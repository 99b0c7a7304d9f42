//! The commands that the node runs itself: connection, server and cluster.
//!
//! One file per group of siblings; a declaration stands above its handler, as in the engine.

mod acl;
mod asynchronous;
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
mod module;
mod monitor;
mod persistence;
pub(crate) mod pubsub;
mod replication;
mod server;
mod slowlog;

use crate::registry::NodeCommand;

/// Every command of the node.
pub static FAMILIES: &[&[NodeCommand]] = &[
    acl::COMMANDS,
    asynchronous::COMMANDS,
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
    crate::migrate::COMMANDS,
    module::COMMANDS,
    monitor::COMMANDS,
    persistence::COMMANDS,
    pubsub::COMMANDS,
    replication::COMMANDS,
    server::COMMANDS,
    slowlog::COMMANDS,
    crate::transactions::COMMANDS,
];
