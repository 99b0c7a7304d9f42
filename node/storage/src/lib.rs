//! Everything a node keeps on disk, and the only crate that opens a file.
//!
//! A data directory holds:
//!
//! ```text
//! <dir>/lock                  held by the running process            identity
//! <dir>/node.id               who this node is, 40 hex digits        identity
//! <dir>/meta/                 votes, memberships, the topology       meta
//! <dir>/aof/                  the shard's Raft log                   log
//! <dir>/snapshots/            state at one log index                 snapshots
//! <dir>/formation             the plan of the node's cluster         the server's
//! ```
//!
//! All of it goes through the [`Disk`] trait: [`RealDisk`] in production, and
//! under simulation [`MemoryDisk`], which forgets what was not synced when it
//! crashes. Nothing here knows a command, a socket or an async runtime; the
//! only thread is the one a [`Syncer`] runs `fdatasync` on.
//!
//! The rules that every file obeys:
//!
//! - What may still be needed is never rewritten in place. Files grow at their
//!   end, or are replaced whole: temporary name, sync, rename, sync of the
//!   directory. A file that is needed no more may become another, once a name
//!   that says so is durable.
//! - Every byte that is read back was covered by a checksum.
//! - A tail torn by a crash is cut; any other damage is refused with an error
//!   that names the file, because only a person or a peer can repair it.
//! - After a failed write or sync the file is not trusted again until it has
//!   been reopened: the kernel may have dropped the pages it could not write.

pub mod disk;
mod frame;
pub mod identity;
pub mod log;
pub mod meta;
pub mod snapshots;
pub mod sync;

pub use disk::{
    Disk, DiskFile, DiskLock, MemoryDisk, OpenMode, RealDisk, read_file, replace_private_file,
};
pub use identity::{DataDir, IdentityError};
pub use log::{Log, LogError, LogOptions, Record, RecordKind, Stamp};
pub use meta::{DiskMeta, Meta, MetaError, SledMeta};
pub use snapshots::{PartialSnapshot, SnapshotError, SnapshotFile, SnapshotMeta, Snapshots};
pub use sync::{SyncTicket, Syncer};
