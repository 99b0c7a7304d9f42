//! A real Redis answers the same to `CONFIG SET`, and has the same directives and defaults, apart
//! from those that differ on purpose.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

use quoris_resp::{Reply, encode_command};
use tempfile::TempDir;

use crate::config::Config;

struct Redis {
    child: Child,
    directory: TempDir,
}

impl Redis {
    /// Starts one on a socket of its own; `None` if the machine has none.
    fn start() -> Option<Redis> {
        let directory = tempfile::tempdir().expect("a directory");
        let started = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendfsync", "always"])
            .args(["--unixsocket", "redis.sock"])
            .current_dir(directory.path())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = started else {
            eprintln!("redis-server is not installed: nothing to compare with");
            return None;
        };
        let log = BufReader::new(child.stdout.take().expect("stdout is piped"));
        assert!(log.lines().map_while(Result::ok).any(|line| line.contains("ready to accept")));
        Some(Redis { child, directory })
    }

    fn ask(&self, command: &[&str]) -> Reply {
        let mut input = Vec::new();
        encode_command(&mut input, command.iter().map(|word| word.as_bytes()));
        let mut stream =
            UnixStream::connect(self.directory.path().join("redis.sock")).expect("connect");
        stream.write_all(&input).expect("send");
        stream.shutdown(Shutdown::Write).expect("shut down");
        let mut output = Vec::new();
        stream.read_to_end(&mut output).expect("receive");
        Reply::parse(&output).expect("a reply").expect("all of it").0
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `CONFIG SET` is given; both have to say the same about it, and read the same back.
const SETTINGS: &[&[&str]] = &[
    &["maxmemory", "1gb"],
    &["maxmemory", "1Kb"],
    &["maxmemory", "1B"],
    &["maxmemory", "3m"],
    &["MAXMEMORY", "10mb"],
    &["maxmemory", "foo"],
    &["maxmemory", "-1"],
    &["maxmemory", "1x"],
    &["maxmemory", "5%"],
    &["MaxMemory", "1.5gb"],
    &["maxmemory", "1", "maxmemory", "2"],
    &["maxmemory", "1", "timeout", "x"],
    &["maxmemory", "1", "nonsense", "x"],
    &["databases", "1", "nonsense", "x"],
    &["nonsense", "x", "databases", "1"],
    &["nonsense", "1"],
    &["maxclients", "0"],
    &["maxclients", "foo"],
    &["maxclients", "-1"],
    &["timeout", "-1"],
    &["timeout", " 1"],
    &["timeout", "01"],
    &["timeout", ""],
    &["timeout", "30"],
    &["list-max-listpack-size", "99999999999"],
    &["list-max-ziplist-size", "-5"],
    &["slowlog-log-slower-than", "-2"],
    &["slowlog-log-slower-than", "-1"],
    &["hz", "1000"],
    &["hz", "0"],
    &["hz", "-1"],
    &["hash-max-listpack-value", "-5"],
    &["hash-max-ziplist-value", "abc"],
    &["hash-max-listpack-value", "1kb"],
    &["maxmemory-clients", "101%"],
    &["maxmemory-clients", "foo"],
    &["maxmemory-clients", "7%"],
    &["maxmemory-clients", "7mb"],
    &["unixsocketperm", "8"],
    &["enable-debug-command", "yes"],
    &["daemonize", "yes"],
    &["dbfilename", "x"],
    &["notify-keyspace-events", "Q"],
    &["notify-keyspace-events", "KEA"],
    &["notify-keyspace-events", "Ex$gm"],
    &["notify-keyspace-events", ""],
    &["client-output-buffer-limit", "a"],
    &["client-output-buffer-limit", "normal 1  2 3"],
    &["client-output-buffer-limit", "nobody 1 2 3"],
    &["client-output-buffer-limit", "normal x 2 3"],
    &["client-output-buffer-limit", "normal 1 2 -3"],
    &["client-output-buffer-limit", "normal 1 2 3 replica 4mb 5 6"],
    &["client-output-buffer-limit", "slave 0 0 0"],
    &["client-output-buffer-limit", ""],
    &["save", "foo"],
    &["save", "1"],
    &["save", "0 1"],
    &["save", "10 5 20 6"],
    &["save", ""],
    &["oom-score-adj-values", "1"],
    &["oom-score-adj-values", "1 2 3"],
    &["latency-tracking-info-percentiles", "101"],
    &["latency-tracking-info-percentiles", "x"],
    &["latency-tracking-info-percentiles", "0.1 50.123456789 100"],
    &["latency-tracking-info-percentiles", ""],
    &["cluster-announce-hostname", "a_b"],
    &["cluster-announce-hostname", "a.b-c"],
    &["cluster-announce-ip", "10.0.0.1"],
    &["client-query-buffer-limit", "1"],
    &["proto-max-bulk-len", "1"],
    &["proto-max-bulk-len", "2mb"],
    &["loglevel", "foo"],
    &["loglevel", "WARNING"],
    &["appendfsync", "foo"],
    &["maxmemory-policy", "foo"],
    &["maxmemory-policy", "allkeys-lfu"],
    &["stop-writes-on-bgsave-error", "maybe"],
    &["stop-writes-on-bgsave-error", "NO"],
    &["shutdown-on-sigterm", "force nosave"],
    &["shutdown-on-sigterm", "soon"],
    &["stream-node-max-entries", "-1"],
    &["tracking-table-max-keys", "-1"],
    // Last, because from then on Redis asks for it.
    &["requirepass", "a b"],
];

#[test]
fn settings_are_answered_alike() {
    let Some(redis) = Redis::start() else { return };
    let mut config = Config::default();
    for setting in SETTINGS {
        let theirs = redis.ask(&[&["CONFIG", "SET"], *setting].concat());
        let pairs: Vec<(&[u8], &[u8])> =
            setting.chunks(2).map(|pair| (pair[0].as_bytes(), pair[1].as_bytes())).collect();
        let ours = match config.set(&pairs, false) {
            Ok(_) => Reply::Simple("OK".into()),
            Err(error) => Reply::Error(error.to_string()),
        };
        assert_eq!(ours, theirs, "{setting:?}");
        if setting[0] != "requirepass" && setting[0] != "nonsense" {
            let theirs = redis.ask(&["CONFIG", "GET", setting[0]]);
            let ours: Vec<Reply> = config
                .get([setting[0]])
                .into_iter()
                .flat_map(|(name, value)| [name, value])
                .map(|text| Reply::Bulk(text.into()))
                .collect();
            assert_eq!(Reply::Array(ours), theirs, "after {setting:?}");
        }
    }
}

/// Directives with another default, and why.
const DIFFERENT: &[&str] = &[
    // Durable, and a cluster, from the start.
    "appendonly",
    "cluster-enabled",
    "cluster-node-timeout",
    // Set by this test.
    "dir",
    "port",
    "unixsocket",
];

#[test]
fn redis_has_no_directive_that_is_unknown_here() {
    let Some(redis) = Redis::start() else { return };
    let config = Config::default();
    let theirs = redis.ask(&["CONFIG", "GET", "*"]);
    let theirs: Vec<&str> =
        theirs.as_slice().expect("an array").iter().filter_map(Reply::as_str).collect();
    assert!(theirs.len() > 300, "names and values");
    for pair in theirs.chunks(2) {
        let ours = config.print(pair[0]);
        assert!(ours.is_some(), "{} is unknown", pair[0]);
        if !DIFFERENT.contains(&pair[0]) {
            assert_eq!(ours.as_deref(), Some(pair[1]), "{}", pair[0]);
        }
    }
}
