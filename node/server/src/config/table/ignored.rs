//! What Redis knows and this server has no use for.

use super::Group;
use crate::config::checks;
use crate::config::directive::{Directive, Kind, choice, flag, integer, memory, special, text};

pub(super) const GROUP: Group = Group {
    title: "Accepted for the sake of Redis's files and tools",
    introduction: "These are understood and have no effect; the node says so when one is set to something else than its default. A few would change what a deployment promises, and are refused.",
    directives: DIRECTIVES,
};

const FORK: &str = "snapshots are taken by log size, see snapshot-log-bytes";
const RDB: &str = "snapshots have their own form";
const AOF: &str = "the log is always on and is never rewritten, see appendfsync";
const RAFT: &str = "replication is by consensus within a shard";
const FAILOVER: &str = "leaders are elected within a shard";
const LAZY: &str = "big values are always freed in the background";
const DEFRAG: &str = "there is no active defragmentation";
const ONE_THREAD: &str = "one thread serves a node: run more nodes to use more cores";
const SUPERVISOR: &str = "the node stays in the foreground: let a supervisor run it";
const PROCESS: &str = "the process is left as it is";
const SYSLOG: &str = "logs go to a file or to the standard output, see logfile";
const MODULES: &str = "there are no modules";
const PORT: (i64, i64) = (0, 65535);
const I32: (i64, i64) = (0, i32::MAX as i64);
const POSITIVE: (i64, i64) = (1, i32::MAX as i64);
const I64: (i64, i64) = (0, i64::MAX);
const SHUTDOWN: &[&str] = &["default", "save", "nosave", "now", "force"];

const DIRECTIVES: &[Directive] = &[
    // Snapshots.
    special(
        "save",
        Kind::Words { default: &[], check: checks::save, accumulates: true },
        "Seconds and changes after which Redis saves.",
    )
    .ignored(FORK),
    flag("stop-writes-on-bgsave-error", true, "Refuse writes after a failed save.").ignored(FORK),
    text("dbfilename", "dump.rdb", "Name of the dump.").protected().ignored(FORK),
    flag("rdbcompression", true, "Compress strings in dumps.").ignored(RDB),
    flag("rdbchecksum", true, "Checksum of dumps.").at_start().ignored(RDB),
    flag("rdb-save-incremental-fsync", true, "Sync a dump while it is written.").ignored(RDB),
    flag("rdb-del-sync-files", false, "Delete dumps used for replication.").ignored(RAFT),
    choice("sanitize-dump-payload", &["no", "yes", "clients"], "no", "Check payloads deeply.")
        .ignored("payloads are always checked"),
    // The append-only file.
    flag("appendonly", true, "Keep a log of writes.").ignored(AOF),
    text("appendfilename", "appendonly.aof", "Name of the log.").at_start().ignored(AOF),
    text("appenddirname", "appendonlydir", "Directory of the log.").at_start().ignored(AOF),
    flag("no-appendfsync-on-rewrite", false, "Spare the disk during rewrites.").ignored(AOF),
    integer("auto-aof-rewrite-percentage", I32, 100, "Growth that starts a rewrite.").ignored(AOF),
    memory("auto-aof-rewrite-min-size", I64, 64 << 20, "Size that starts a rewrite.").ignored(AOF),
    flag("aof-rewrite-incremental-fsync", true, "Sync a rewrite while it runs.").ignored(AOF),
    flag("aof-load-truncated", true, "Load a log with a torn tail.")
        .ignored("a torn tail is always cut off"),
    flag("aof-use-rdb-preamble", true, "Begin the log with a dump.").ignored(AOF),
    flag("aof-timestamp-enabled", false, "Write timestamps to the log.")
        .ignored("the log always has timestamps"),
    flag("aof-disable-auto-gc", false, "Keep old log files.").ignored(AOF),
    // Replication.
    special(
        "replicaof",
        Kind::Words { default: &[], check: checks::replica_of, accumulates: false },
        "Master to replicate from.",
    )
    .alias("slaveof")
    .at_start()
    .refused("shards replicate by consensus: form the cluster with cluster-cli create"),
    text("masterauth", "", "Password for the master.").sensitive().ignored(RAFT),
    text("masteruser", "", "User for the master.").sensitive().ignored(RAFT),
    flag("repl-diskless-sync", true, "Replicate without a dump on disk.").ignored(RAFT),
    integer("repl-diskless-sync-delay", I32, 5, "Seconds to wait for more replicas.").ignored(RAFT),
    integer("repl-diskless-sync-max-replicas", I32, 0, "Replicas to wait for.").ignored(RAFT),
    choice(
        "repl-diskless-load",
        &["disabled", "on-empty-db", "swapdb"],
        "disabled",
        "Load without a dump on disk.",
    )
    .ignored(RAFT),
    memory("repl-backlog-size", (1, i64::MAX), 1 << 20, "Bytes kept for replicas.").ignored(RAFT),
    integer("repl-backlog-ttl", I64, 3600, "Seconds for which they are kept.").ignored(RAFT),
    integer("repl-ping-replica-period", POSITIVE, 10, "Seconds between pings.")
        .alias("repl-ping-slave-period")
        .ignored(RAFT),
    integer("repl-timeout", POSITIVE, 60, "Seconds until a link is given up.").ignored(RAFT),
    flag("repl-disable-tcp-nodelay", false, "Collect small packets.").ignored(RAFT),
    integer("replica-priority", I32, 100, "Rank of a replica for promotion.")
        .alias("slave-priority")
        .ignored(FAILOVER),
    flag("replica-read-only", true, "Refuse writes on replicas.")
        .alias("slave-read-only")
        .ignored("only leaders take writes"),
    flag("replica-serve-stale-data", true, "Answer from a replica that lost its master.")
        .alias("slave-serve-stale-data")
        .ignored("followers answer connections that said READONLY"),
    flag("replica-ignore-maxmemory", true, "Do not evict on replicas.")
        .alias("slave-ignore-maxmemory")
        .ignored("only leaders evict"),
    flag("replica-ignore-disk-write-errors", false, "Go on when a replica cannot write.")
        .ignored("a node that cannot persist never acknowledges"),
    flag("replica-lazy-flush", false, "Flush in the background before a full sync.")
        .alias("slave-lazy-flush")
        .ignored(LAZY),
    flag("replica-announced", true, "Show replicas to clients.").ignored(RAFT),
    text("replica-announce-ip", "", "Address of a replica.")
        .alias("slave-announce-ip")
        .ignored("see cluster-announce-ip"),
    integer("replica-announce-port", PORT, 0, "Port of a replica.")
        .alias("slave-announce-port")
        .ignored("see cluster-announce-port"),
    integer("min-replicas-to-write", I32, 0, "Replicas without which writes are refused.")
        .alias("min-slaves-to-write")
        .ignored("every write reaches a majority before it is acknowledged"),
    integer("min-replicas-max-lag", I32, 10, "Seconds a replica may lag.")
        .alias("min-slaves-max-lag")
        .ignored(RAFT),
    choice(
        "propagation-error-behavior",
        &["ignore", "panic", "panic-on-replicas"],
        "ignore",
        "What a replica does about a command that fails.",
    )
    .ignored("a replica that differs stops serving"),
    // Redis's cluster bus.
    text("cluster-config-file", "nodes.conf", "File with the cluster's state.")
        .at_start()
        .ignored("the state is kept in dir"),
    integer("cluster-replica-validity-factor", I32, 10, "How stale a candidate may be.")
        .alias("cluster-slave-validity-factor")
        .ignored(FAILOVER),
    flag("cluster-replica-no-failover", false, "Never promote this replica.")
        .alias("cluster-slave-no-failover")
        .ignored(FAILOVER),
    integer("cluster-migration-barrier", I32, 1, "Replicas that stay with a master.")
        .ignored("nodes do not change shards by themselves"),
    flag("cluster-allow-replica-migration", true, "Let replicas change masters.")
        .ignored("nodes do not change shards by themselves"),
    memory("cluster-link-sendbuf-limit", I64, 0, "Bytes of a link's buffer.").ignored(RAFT),
    text("cluster-announce-human-nodename", "", "Name of the node in logs.")
        .ignored("logs name nodes by their ids"),
    // Memory.
    flag("lazyfree-lazy-eviction", false, "Evict in the background.").ignored(LAZY),
    flag("lazyfree-lazy-expire", false, "Expire in the background.").ignored(LAZY),
    flag("lazyfree-lazy-server-del", false, "Replace in the background.").ignored(LAZY),
    flag("lazyfree-lazy-user-del", false, "`DEL` in the background.").ignored(LAZY),
    flag("lazyfree-lazy-user-flush", false, "`FLUSHALL` in the background.").ignored(LAZY),
    integer("maxmemory-eviction-tenacity", (0, 100), 10, "How long to evict at a time.")
        .ignored("evictions are ordinary log entries"),
    special("maxmemory-clients", Kind::MemoryOrPercent { default: 0 }, "Memory of all clients.")
        .ignored("see client-output-buffer-limit"),
    flag("activedefrag", false, "Defragment while running.").ignored(DEFRAG),
    memory("active-defrag-ignore-bytes", (1, i64::MAX), 100 << 20, "Waste to ignore.")
        .ignored(DEFRAG),
    integer("active-defrag-threshold-lower", (0, 1000), 10, "Waste to begin at.").ignored(DEFRAG),
    integer("active-defrag-threshold-upper", (0, 1000), 100, "Waste to hurry at.").ignored(DEFRAG),
    integer("active-defrag-cycle-min", (1, 99), 1, "Least effort.").ignored(DEFRAG),
    integer("active-defrag-cycle-max", (1, 99), 25, "Most effort.").ignored(DEFRAG),
    integer("active-defrag-max-scan-fields", (1, i64::MAX), 1000, "Fields at a time.")
        .ignored(DEFRAG),
    flag("activerehashing", true, "Rehash in idle time.").ignored("tables are small, one per slot"),
    flag("jemalloc-bg-thread", true, "Purge in the background.").ignored(PROCESS),
    flag("dynamic-hz", true, "Look after background work more often with many clients.")
        .ignored("hz is enough"),
    // Threads and processes.
    integer("io-threads", (1, 128), 1, "Threads for sockets.").at_start().ignored(ONE_THREAD),
    flag("io-threads-do-reads", false, "Read in those threads.").at_start().ignored(ONE_THREAD),
    flag("daemonize", false, "Go to the background.").at_start().ignored(SUPERVISOR),
    choice("supervised", &["upstart", "systemd", "auto", "no"], "no", "Supervisor to notify.")
        .at_start()
        .ignored(SUPERVISOR),
    text("pidfile", "", "File for the process id.").at_start().ignored(SUPERVISOR),
    text("server_cpulist", "", "Cores of the server.").at_start().ignored(PROCESS),
    text("bio_cpulist", "", "Cores of its threads.").at_start().ignored(PROCESS),
    text("aof_rewrite_cpulist", "", "Cores of a rewrite.").at_start().ignored(PROCESS),
    text("bgsave_cpulist", "", "Cores of a save.").at_start().ignored(PROCESS),
    choice(
        "oom-score-adj",
        &["no", "yes", "relative", "absolute"],
        "no",
        "Tell the kernel whom to kill first.",
    )
    .ignored(PROCESS),
    special(
        "oom-score-adj-values",
        Kind::Words {
            default: &["0", "200", "800"],
            check: checks::oom_scores,
            accumulates: false,
        },
        "With which scores.",
    )
    .ignored(PROCESS),
    flag("disable-thp", true, "Avoid huge pages.").at_start().ignored(PROCESS),
    flag("set-proc-title", true, "Change the process title.").at_start().ignored(PROCESS),
    text("proc-title-template", "{title} {listen-addr} {server-mode}", "To what.").ignored(PROCESS),
    integer("shutdown-timeout", I32, 10, "Seconds to wait for replicas at the end.")
        .ignored("leadership is handed over first"),
    special(
        "shutdown-on-sigint",
        Kind::Choices { of: SHUTDOWN, default: "default" },
        "How SIGINT ends the process.",
    )
    .ignored("there is nothing to save at the end"),
    special(
        "shutdown-on-sigterm",
        Kind::Choices { of: SHUTDOWN, default: "default" },
        "How SIGTERM ends the process.",
    )
    .ignored("there is nothing to save at the end"),
    flag("crash-log-enabled", true, "Log a stack trace on a crash.").ignored(PROCESS),
    flag("crash-memcheck-enabled", true, "Test memory after a crash.").ignored(PROCESS),
    integer("socket-mark-id", I64, 0, "Mark of listening sockets.").at_start().ignored(PROCESS),
    text("bind-source-addr", "", "Address of outgoing connections.").ignored(PROCESS),
    integer("max-new-connections-per-cycle", (1, 1000), 10, "Connections to accept at a time.")
        .ignored("all that wait are accepted"),
    integer("max-new-tls-connections-per-cycle", (1, 1000), 1, "The same, encrypted.")
        .ignored("TLS is not available yet"),
    flag("syslog-enabled", false, "Log to syslog.").at_start().ignored(SYSLOG),
    text("syslog-ident", "redis", "Under which name.").at_start().ignored(SYSLOG),
    choice(
        "syslog-facility",
        &["user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"],
        "local0",
        "As what.",
    )
    .at_start()
    .ignored(SYSLOG),
    flag("always-show-logo", false, "Print the logo.").at_start().ignored("there is no logo"),
    text("ignore-warnings", "", "Warnings to leave out.").ignored("no start is refused for one"),
    text("locale-collate", "", "Order of strings in `SORT ALPHA`.")
        .ignored("strings are ordered by their bytes, so that replicas agree"),
    choice("enable-module-command", &["no", "yes", "local"], "no", "Who may use `MODULE`.")
        .at_start()
        .ignored(MODULES),
    choice(
        "acl-pubsub-default",
        &["allchannels", "resetchannels"],
        "resetchannels",
        "Channels of new users.",
    )
    .ignored("new users get no channels"),
    // Gone from Redis as well, but still in files.
    integer("list-max-ziplist-entries", I64, 512, "Elements of a compact list in Redis 3.0.")
        .ignored("see list-max-listpack-size"),
    memory("list-max-ziplist-value", I64, 64, "Bytes of an element in it.")
        .ignored("see list-max-listpack-size"),
    flag("lua-replicate-commands", true, "Replicate the effects of scripts.")
        .ignored("scripts run on every replica"),
];
