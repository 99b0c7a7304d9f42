//! What a handler may see and do.
//!
//! A reading handler gets a [`ReadCx`], a writing one a [`WriteCx`]; both present the keyspace as
//! the client knows it: a key that has expired at the entry's time is not there. A [`WriteCx`]
//! deletes such a key as soon as something is to be stored in its place.
//!
//! Invariant: everything here is a function of the applied entries and the stamp, except that a
//! [`ReadCx`] outside an entry carries the caller's clock and seed.

mod fields;
mod read;
mod write;

pub use read::{Lookups, ReadCx};
pub use write::WriteCx;

pub use crate::keyspace::Expiry;
