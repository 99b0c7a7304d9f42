//! A node: the library behind the binary `quoris-node`.

pub mod cli;
pub mod config;
pub mod logging;
