//! The messages and services that nodes exchange over the bus, generated from
//! `proto/*.proto`. Nothing here has behaviour: the meaning of each call is in
//! the `.proto` files, its implementation in the crates that serve it.
//!
//! Field numbers are on the wire between nodes of different releases: they are
//! never reused and never change their type.

/// Replication: append, vote, snapshot, leader transfer.
pub mod raft {
    #![allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated code")]
    tonic::include_proto!("quoris.raft.v1");
}

/// Calls beside replication: forwarded proposals, leader announcements, ping.
pub mod admin {
    #![allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated code")]
    tonic::include_proto!("quoris.admin.v1");
}

/// What clients publish, and who wants it.
pub mod messages {
    #![allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated code")]
    tonic::include_proto!("quoris.messages.v1");
}
