//! Transactions: `MULTI`, `EXEC`, `DISCARD`, `WATCH` and `UNWATCH`.
//!
//! A session that has said `MULTI` collects its commands in a [`Transaction`]. Each is checked when
//! it arrives, as if it were to run at once: whether it exists, has enough words, may be called, has
//! its keys in one slot of this shard. A command that is refused is answered with the error, and
//! `EXEC` will fail.
//!
//! `EXEC` puts all of them into the turn's batch together, so that they lie in one entry of the log
//! with nothing between them. What only reads, and what the node runs itself, takes its turn while
//! the entry is applied, without being part of it; a transaction that writes nothing needs no entry
//! and runs at once, like a read.
//!
//! ```text
//! payload   … | MULTI | SET a 1 | INCR b | EXEC | …
//! items     … | EXEC (3 follow) | SET a 1 | GET a | INCR b | …
//! ```
//!
//! # WATCH
//!
//! The decision whether `EXEC` runs is made when it joins a batch. It holds if the batch commits,
//! because nothing else can get into the leader's log before it. Three things can have happened to
//! a watched key by then:
//!
//! 1. An entry that changed it *has been applied*: its effects mark the watcher, see [`Watches`].
//! 2. A write to it is *under way*: in a batch that has been proposed, or in the turn's. Whether
//!    it changes the key shows when it is applied, so `EXEC` waits for that. So it does for
//!    whatever was given up on and may still be applied.
//! 3. Its *time is over*, or will be before the entry is stamped. A batch with such an `EXEC` is
//!    therefore stamped with the time at which that was decided, and closed.
//!
//! Nothing is known of what another leader does: `EXEC` wants the lease, which a node only has once
//! it has applied everything that was there when its term began, and losing leadership marks all
//! watchers.

mod commands;
mod inside;
mod queue;
mod watch;

pub(crate) use self::commands::COMMANDS;
pub(crate) use self::inside::run_node;
pub(crate) use self::queue::Transaction;
pub(crate) use self::watch::{Watches, Watching, may_touch};
