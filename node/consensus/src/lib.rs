//! Consensus: how the nodes of a group agree on one log, and what that costs.
//!
//! A node takes part in two Raft groups: its shard, whose log holds the
//! commands of clients, and the topology, whose log says who is where. Both
//! are the same glue around [openraft], with different homes for the log. This
//! crate knows neither commands nor RESP: an entry is a stamp and some bytes,
//! and what they do is up to a [`Machine`].
//!
//! # The way of a proposal
//!
//! [`GroupHandle::propose`] queues a batch and returns. One task hands the
//! batches to openraft in order. Openraft gives each an index, writes it to the
//! log store and, as soon as the bytes are with the operating system, sends it
//! to the followers, so that the leader's disk and the followers' work at the
//! same time. An entry is committed when a majority has it *written*, which
//! with [`Durability::Always`] means synced. Then it is applied, on the leader
//! and, as they hear of it, on the followers; [`Machine::apply`] sees the tag
//! under which this process proposed it, and its clients can be answered.
//!
//! A batch can also come to nothing. It is [`NotAppended`] if it provably never
//! got an index: this node was not the leader, or no longer in the term in
//! which the batch was made, or its lease had run out. It may then be proposed
//! again. In every other case it is [`Unknown`]: an entry that was cut off this
//! node's log may sit on another node and be committed there by the next
//! leader. Repeating it could apply it twice.
//!
//! # The way of a read
//!
//! The leader answers reads from its own memory, which is only right while
//! nobody else can be leader. A follower that acknowledges anything promises
//! not to elect another leader for `election_max`; so what a majority
//! acknowledged gives the leader a *lease*, counted from the moment it *sent*
//! what they acknowledged. [`GroupHandle::can_read`] compares the clock with the
//! cached end of that lease, and [`GroupHandle::renew_lease`] asks the group.
//!
//! Four things break this if they are forgotten:
//!
//! 1. **A follower that restarts has forgotten its promise.** It neither votes
//!    nor campaigns for `election_max` after a start, unless it is alone.
//! 2. **A transfer of leadership voids all promises**, that being its point. The
//!    leader gives up its lease before it tells anybody, and gets none again in
//!    that term, even if the transfer fails.
//! 3. **A fresh leader may lack what its predecessor acknowledged.** It has it
//!    in its log, but knows that it is committed only once an entry of its own
//!    term is. Until that has been applied, there are no reads.
//! 4. **A deposed leader may vote.** Its promise to itself ends with its
//!    leadership; so the lease ends before any vote for another leaves the node.
//!
//! What it rests on: that the nodes' monotonic clocks run at the same speed to
//! within ten percent (they need not show the same time), and that a clock does
//! not stop while its machine is suspended and others go on. Whoever moves live
//! virtual machines around should know the second.
//!
//! # The log and the vote
//!
//! A shard's log is its AOF; the topology's is a handful of records in the
//! metadata store. A vote is always synced before it is sent, whatever the
//! durability of entries: with `everysec` or `no` a power cut may lose
//! acknowledged entries, but never elects two leaders in a term. How far the
//! log is committed is not stored. After a restart a node applies its snapshot
//! and waits for a leader to tell it how much of its log counts.
//!
//! When a disk fails, the group stops: it acknowledges nothing more, loses its
//! lease at once, falls silent as leader so that another is elected, and says
//! why in [`Standing::fault`]. It does not retry: after a failed sync nobody
//! knows what is on the disk.
//!
//! # Snapshots
//!
//! When the log has grown by so many bytes since the last one, the machine is
//! asked for its state, which is written to a file, and the log before it is
//! dropped. A follower that needs entries that are gone is sent the newest
//! snapshot, on a connection of its own, in pieces, at its own pace; heartbeats
//! and entries of others are not held up.
//!
//! # The bus
//!
//! Nodes talk gRPC. One stream per follower carries all appends, several in
//! flight, answered in order. How far the log is committed travels with the next
//! entries, or alone if none come within a millisecond. Every call carries the cluster's secret, and
//! names cluster, group and nodes: a stranger is refused, and so is a call that
//! reaches the wrong node because an address has changed hands. Addresses are
//! never stored here; the [`AddressBook`] is asked for every connection. A node
//! without a secret refuses everybody, as it has no peers.
//!
//! # One thread
//!
//! All of it runs on the node's thread, in a current-thread runtime, and
//! machines may hold `Rc`s. The exceptions are `fdatasync` and snapshot files.
//! Long runs of applies pause every millisecond for whatever else is ready,
//! heartbeats above all; a single entry is never interrupted, and while a long
//! one runs the [`Pulse`] speaks for the leader. Randomness and
//! time come from outside ([`Scope`], tokio's clock), so that a simulation can
//! repeat a run.
//!
//! [openraft]: https://docs.rs/openraft
//! [`NotAppended`]: Outcome::NotAppended
//! [`Unknown`]: Outcome::Unknown

mod audience;
mod bus;
mod codec;
mod fault;
mod group;
mod lease;
mod log;
mod machine;
mod network;
mod outcome;
mod pulse;
mod quarantine;
mod runtime;
mod shelf;
mod state_machine;
mod timing;
mod transport;
mod types;
mod watch;
mod world;

pub use bus::{
    Admin, Announcement, Bus, Interests, Messages, Parcels, ProposeError, Registry, Secret,
};
pub use group::{
    GroupError, GroupHandle, GroupOptions, GroupStatus, LogKind, NotLeader, Role, Standing,
};
pub use machine::Machine;
pub use network::peers::Peers;
pub use outcome::{Outcome, Outcomes};
pub use pulse::Pulse;
pub use quoris_storage::Stamp;
pub use runtime::Scope;
pub use timing::{Durability, Timing};
pub use transport::{AddressBook, Tcp, Transport};
pub use types::{Committed, GroupId, LogPosition, Proposal, RaftId};
pub use world::{Offload, Syncers, World, sync_inline, sync_on_threads};
