//! The protocol crate from outside: tables, properties, and a real redis-server as the oracle.

mod common;
mod numbers;
mod replies;
mod requests;
