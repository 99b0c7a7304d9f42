//! The log and the snapshots.

use super::Group;
use crate::config::checks;
use crate::config::choices::AppendFsync;
use crate::config::directive::{Directive, choice, memory, text};

pub(super) const GROUP: Group = Group {
    title: "Persistence",
    introduction: "Every write goes through a shard's log; snapshots keep the log short.",
    directives: DIRECTIVES,
};

const KIB: i64 = 1 << 10;
const MIB: i64 = 1 << 20;
const GIB: i64 = 1 << 30;

const DIRECTIVES: &[Directive] = &[
    text("dir", ".", "Directory that holds everything the node keeps; one node at a time uses it.")
        .checked(checks::directory)
        .at_start(),
    choice(
        "appendfsync",
        AppendFsync::WORDS,
        "always",
        "When the log reaches the disk: before a write is acknowledged, every second, or when the operating system likes. Anything but `always` can lose acknowledged writes if a majority of a shard loses power at once.",
    ),
    memory(
        "aof-segment-size",
        (16 * KIB, 4 * GIB),
        64 * MIB,
        "Bytes after which a new file of the log is begun.",
    )
    .at_start(),
    memory(
        "snapshot-log-bytes",
        (MIB, i64::MAX),
        256 * MIB,
        "Bytes of log after which a snapshot is taken and the log before it deleted.",
    ),
];
