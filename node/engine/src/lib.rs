//! The deterministic heart of a node: the keyspace, the data types and the commands.
//!
//! The engine is a state machine. A shard's log is a sequence of *entries*; an entry is a
//! [`Stamp`] and a batch of commands; [`Engine::begin`] opens an entry, [`Applying::run`] executes
//! its commands one by one and writes their replies, [`Applying::finish`] returns the
//! [`Effects`]: what the world outside should now do (wake a waiter, publish, notify). Nothing is
//! ever performed in here. [`Engine::read`] answers a command that cannot change anything.
//!
//! Two replicas that have applied the same entries are equal, down to the order of elements.
//! Everything in this crate serves that sentence:
//!
//! * **No time.** `now_ms` comes from the stamp, or for a read from the caller. A key has expired
//!   for an entry if `expire_at_ms <= stamp.now_ms`; replicas delete it when an entry touches it,
//!   never on their own.
//! * **No randomness.** `SPOP` and its like draw from a generator seeded by the stamp.
//! * **No layout.** No result depends on the capacity or the bucket order of a hash table, because
//!   a replica that was restored from a snapshot has other capacities. Collections keep insertion
//!   order with swap-remove; whatever walks the keyspace goes by slot and by key hash.
//! * **No platform.** Floating-point functions come from `libm`.
//! * **No local settings.** What a handler may consult is in its context: [`Settings`] is part of
//!   the replicated state.
//!
//! A reader finds: how a command is declared in [`spec`] and [`command`]; what handlers may do in
//! [`context`]; where keys live in [`keyspace`]; the data structures, which know no RESP, in
//! [`types`]; and the commands, which know no layout, in [`commands`].
//!
//! The crate is `no_std`, so that it cannot name a clock, a file, a socket or a thread.
#![no_std]

extern crate alloc;

mod ahead;
pub mod command;
pub mod commands;
pub mod context;
mod departure;
mod digest;
pub mod effects;
mod engine;
pub mod error;
pub mod functions;
pub mod glob;
pub mod inspect;
pub mod keyspace;
mod payload;
pub mod rdb;
mod rng;
pub mod scripting;
mod settings;
pub mod slot;
mod snapshot;
pub mod spec;
pub mod types;

pub use ahead::{AHEAD, Upcoming};
pub use command::{Args, Command, CommandTable, Prepared, Run};
pub use context::{Lookups, ReadCx, WriteCx};
pub use departure::Departing;
pub use effects::{Effects, Interests};
pub use engine::{Applying, Engine, ExpiryPlace, KeyState, ReadAt, Seeds, Stamp, Suspended};
pub use error::{CommandError, Result};
pub use keyspace::{Garbage, Key, KeyHasher};
pub use rdb::RdbError;
pub use rng::Rng;
pub use settings::Settings;
pub use slot::{SLOT_COUNT, Slot};
