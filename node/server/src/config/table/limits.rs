//! Memory, and what clients may use of it.

use super::Group;
use crate::config::choices::MaxMemoryPolicy;
use crate::config::directive::{Directive, Kind, choice, integer, memory, special};

pub(super) const GROUP: Group = Group {
    title: "Memory and limits",
    introduction: "What the node may use, and what it does when that is not enough.",
    directives: DIRECTIVES,
};

const MIB: i64 = 1 << 20;
const I32: (i64, i64) = (0, i32::MAX as i64);
const I64: (i64, i64) = (0, i64::MAX);

const NO_EVICTION: &str = "nothing is evicted or refused for want of memory yet";
const FIXED_COUNTERS: &str = "the counters grow and shrink as Redis's do by default";

const DIRECTIVES: &[Directive] = &[
    memory("maxmemory", I64, 0, "Bytes of data to keep; 0 for no limit.").ignored(NO_EVICTION),
    choice(
        "maxmemory-policy",
        MaxMemoryPolicy::WORDS,
        "noeviction",
        "Which keys make room when `maxmemory` is reached. Nothing is evicted yet, but with a policy that ends in `lfu` keys count how often they are used, for `OBJECT FREQ`.",
    ),
    integer(
        "maxmemory-samples",
        (1, i32::MAX as i64),
        5,
        "How many keys are compared to find one to evict.",
    )
    .ignored(NO_EVICTION),
    integer("lfu-log-factor", I32, 10, "How slowly the counters of the LFU policies grow.")
        .ignored(FIXED_COUNTERS),
    integer(
        "lfu-decay-time",
        I32,
        1,
        "Minutes after which the counters of the LFU policies shrink.",
    )
    .ignored(FIXED_COUNTERS),
    integer("maxclients", (1, u32::MAX as i64), 10_000, "How many clients may be connected."),
    memory(
        "proto-max-bulk-len",
        (MIB, i64::MAX),
        512 * MIB,
        "Longest argument of a command, in bytes.",
    ),
    memory(
        "client-query-buffer-limit",
        (MIB, i64::MAX),
        1024 * MIB,
        "Bytes of unfinished requests that one client may have; 4 GiB at most take effect.",
    ),
    special(
        "client-output-buffer-limit",
        Kind::BufferLimits,
        "Bytes of unread replies beyond which a client is dropped, by class: `normal`, `replica` or `pubsub`, then the hard limit, the soft limit, and the seconds for which the soft limit may be exceeded.",
    ),
    integer(
        "tracking-table-max-keys",
        I64,
        1_000_000,
        "How many keys are remembered for client-side caching.",
    ),
    integer("databases", (1, u16::MAX as i64), 16, "Number of databases for `SELECT`.").at_start(),
    special(
        "hz",
        Kind::Clamped { min: 1, max: 500, default: 10 },
        "How many times per second background work is looked after.",
    ),
    integer("active-expire-effort", (1, 10), 1, "How eagerly expired keys are searched for.")
        .ignored(
            "slots in which nothing can have expired are passed over, and all others searched",
        ),
    integer(
        "busy-reply-threshold",
        I64,
        5000,
        "Milliseconds after which commands are refused with `BUSY` while a script that only reads runs; 0 lets them wait for its end. A script that may write has a budget of instructions, the same on every replica, instead of a time.",
    )
    .alias("lua-time-limit"),
];
