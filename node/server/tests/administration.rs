//! What operators and client libraries ask a node, over a connection.

mod support;

use std::collections::BTreeSet;

use support::{Client, with_node};

/// The lines of an INFO reply behind its length.
async fn info(client: &mut Client, sections: &str) -> Vec<String> {
    client.send(format!("INFO {sections}\r\n").as_bytes()).await;
    let text = client.bulk().await;
    text.split("\r\n").map(str::to_owned).collect()
}

#[test]
fn errors_are_those_of_redis() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        for (request, expected) in [
            ("CLIENT", "ERR wrong number of arguments for 'client' command"),
            ("CLIENT foo", "ERR unknown subcommand 'foo'. Try CLIENT HELP."),
            ("CLIENT KILL", "ERR wrong number of arguments for 'client|kill' command"),
            ("CLIENT KILL 1.2.3.4:5", "ERR No such client"),
            ("CLIENT LIST ID 1 abc", "ERR Invalid client ID"),
            ("CLIENT LIST TYPE foo", "ERR Unknown client type 'foo'"),
            ("CLIENT LIST foo", "ERR syntax error"),
            ("CLIENT PAUSE abc", "ERR timeout is not an integer or out of range"),
            ("CLIENT PAUSE -1", "ERR timeout is negative"),
            ("CLIENT PAUSE 10 foo", "ERR CLIENT PAUSE mode must be WRITE or ALL"),
            (
                "CLIENT PAUSE 0 write x",
                "ERR unknown subcommand or wrong number of arguments for 'PAUSE'. Try CLIENT HELP.",
            ),
            ("CLIENT SETINFO foo bar", "ERR Unrecognized option 'foo'"),
            ("CONFIG SET a", "ERR wrong number of arguments for 'config|set' command"),
            ("CONFIG REWRITE", "ERR The server is running without a config file"),
            (
                "CONFIG SET maxclients abc",
                "ERR CONFIG SET failed (possibly related to argument 'maxclients') - argument couldn't be parsed into an integer",
            ),
            ("SLOWLOG GET -2", "ERR count should be greater than or equal to -1"),
            ("LATENCY GRAPH foo", "ERR No samples available for event 'foo'"),
            ("COMMAND LIST FILTERBY", "ERR syntax error"),
            ("COMMAND GETKEYS foo bar", "ERR Invalid command specified"),
            ("COMMAND GETKEYS ssubscribe x", "ERR The command has no key arguments"),
            ("COMMAND GETKEYS ping x", "ERR The command has no key arguments"),
            ("COMMAND GETKEYS get a b", "ERR Invalid number of arguments specified for command"),
            ("MEMORY USAGE a SAMPLES -1", "ERR syntax error"),
            (
                "DEBUG SLEEP 0",
                "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.",
            ),
            ("MONITOR x", "ERR wrong number of arguments for 'monitor' command"),
        ] {
            client.line(request, &format!("-{expected}\r\n")).await;
        }
    });
}

#[test]
fn a_client_describes_itself() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("CLIENT SETNAME me", "+OK\r\n").await;
        client.line("CLIENT SETINFO lib-name lettuce", "+OK\r\n").await;
        client.line("CLIENT NO-EVICT on", "+OK\r\n").await;
        client.send(b"SELECT 3\r\nCLIENT INFO\r\n").await;
        client.expect("+OK\r\n").await;
        let line = client.bulk().await;
        let names: Vec<_> =
            line.trim_end().split(' ').filter_map(|field| field.split('=').next()).collect();
        let redis = "id addr laddr fd name age idle flags db sub psub ssub multi qbuf qbuf-free \
                     argv-mem multi-mem rbs rbp obl oll omem tot-mem events cmd user redir resp \
                     lib-name lib-ver";
        assert_eq!(names.join(" "), redis);
        for field in [
            "name=me",
            "flags=e",
            "db=3",
            "cmd=client|info",
            "resp=2",
            "lib-name=lettuce",
            "user=default",
        ] {
            assert!(line.split_ascii_whitespace().any(|one| one == field), "{field} in {line}");
        }
    });
}

#[test]
fn clients_are_listed_and_killed_by_what_they_are() {
    with_node(&[], async |shared| {
        let mut first = Client::connect(&shared).await;
        first.line("CLIENT ID", ":1\r\n").await;
        let mut second = Client::connect(&shared).await;
        second.line("CLIENT ID", ":2\r\n").await;
        first.send(b"CLIENT LIST ID 2 99\r\n").await;
        assert!(first.bulk().await.starts_with("id=2 "));
        first.line("CLIENT KILL TYPE pubsub", ":0\r\n").await;
        first.line("CLIENT KILL ID 2 MAXAGE 1000", ":0\r\n").await;
        first.line("CLIENT KILL ID 2", ":1\r\n").await;
        assert_eq!(second.end().await, "");
        first.line("CLIENT KILL TYPE normal", ":0\r\n").await;
        first.line("CLIENT KILL TYPE normal SKIPME no", ":1\r\n").await;
        assert_eq!(first.end().await, "");
    });
}

#[test]
fn replies_are_left_out_on_request() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.send(b"CLIENT REPLY OFF\r\nPING\r\nSET a 1\r\nCLIENT REPLY ON\r\n").await;
        client.expect("+OK\r\n").await;
        client.send(b"CLIENT REPLY SKIP\r\nPING a\r\nPING b\r\nGET a\r\n").await;
        client.expect("$1\r\nb\r\n$1\r\n1\r\n").await;
    });
}

#[test]
fn a_pause_holds_writes_back_until_it_ends() {
    with_node(&[], async |shared| {
        let (mut one, mut other) = (Client::connect(&shared).await, Client::connect(&shared).await);
        one.line("CLIENT PAUSE 100000 WRITE", "+OK\r\n").await;
        other.line("GET a", "$-1\r\n").await;
        other.send(b"SET a 1\r\n").await;
        one.line("GET a", "$-1\r\n").await;
        one.line("CLIENT UNPAUSE", "+OK\r\n").await;
        other.expect("+OK\r\n").await;
    });
}

#[test]
fn info_has_every_field_once_and_the_sections_asked_for() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.send(b"GET gone\r\nSET a 1 EX 1000\r\nGET a\r\n").await;
        client.expect("$-1\r\n+OK\r\n$1\r\n1\r\n").await;
        client.send(b"NOSUCH\r\n").await;
        client.expect("-ERR unknown command 'NOSUCH', with args beginning with: \r\n").await;
        let lines = info(&mut client, "everything").await;
        let mut seen = BTreeSet::new();
        for line in lines.iter().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (name, _) = line.split_once(':').unwrap_or_else(|| panic!("{line:?}"));
            assert!(seen.insert(name.to_owned()), "{name} is there twice");
        }
        for line in [
            "redis_version:7.2.5",
            "redis_mode:cluster",
            "role:master",
            "connected_clients:1",
            "aof_enabled:1",
            "cluster_enabled:1",
            "errorstat_ERR:count=1",
            "keyspace_hits:1",
            "keyspace_misses:1",
            "db0:keys=1,expires=1,avg_ttl=0",
        ] {
            assert!(lines.iter().any(|one| one == line), "{line} in {lines:?}");
        }
        let set = lines.iter().find(|line| line.starts_with("cmdstat_set:calls=1,usec="));
        assert!(set.is_some_and(|line| line.ends_with("rejected_calls=0,failed_calls=0")));
        let headings = |lines: &[String]| -> Vec<String> {
            lines.iter().filter(|line| line.starts_with('#')).cloned().collect()
        };
        let few = info(&mut client, "keyspace CPU").await;
        assert_eq!(headings(&few), ["# CPU", "# Keyspace"]);
        client.line("INFO nonsense", "$0\r\n\r\n").await;
    });
}

#[test]
fn replicated_directives_change_by_an_entry_and_others_at_once() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        let before = shared.stats.entries_proposed.get();
        client.line("CONFIG SET maxclients 77 slowlog-max-len 3", "+OK\r\n").await;
        assert_eq!(shared.stats.entries_proposed.get(), before);
        client
            .send(b"CONFIG SET hash-max-ziplist-entries 2 timeout 9\r\nHSET h a 1 b 2 c 3\r\n")
            .await;
        client.expect("+OK\r\n:3\r\n").await;
        client.line("OBJECT ENCODING h", "$9\r\nhashtable\r\n").await;
        client.line("HSET g a 1 b 2", ":2\r\n").await;
        client.line("OBJECT ENCODING g", "$8\r\nlistpack\r\n").await;
        client
            .line(
                "CONFIG GET maxcl* timeout hash-max-listpack-entries",
                "*6\r\n$10\r\nmaxclients\r\n$2\r\n77\r\n$7\r\ntimeout\r\n$1\r\n9\r\n\
                 $25\r\nhash-max-listpack-entries\r\n$1\r\n2\r\n",
            )
            .await;
        client
            .line(
                "quoris.setting hash-max-listpack-entries 5",
                "-ERR unknown command 'quoris.setting', with args beginning with: \
                 'hash-max-listpack-entries' '5' \r\n",
            )
            .await;
    });
}

#[test]
fn a_password_counts_from_the_next_connection_on() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("CONFIG SET requirepass secret", "+OK\r\n").await;
        client.line("PING", "+PONG\r\n").await;
        let mut stranger = Client::connect(&shared).await;
        stranger.line("PING", "-NOAUTH Authentication required.\r\n").await;
        stranger.line("AUTH secret", "+OK\r\n").await;
    });
}

#[test]
fn the_slow_log_keeps_words_but_no_secrets() {
    with_node(&["--slowlog-log-slower-than", "0"], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("SLOWLOG RESET", "+OK\r\n").await;
        client.send(b"CONFIG SET requirepass secret\r\nAUTH secret\r\nSLOWLOG GET 2\r\n").await;
        client.expect("+OK\r\n+OK\r\n").await;
        // The reply, without what differs from run to run.
        let mut seen = Vec::new();
        for _ in 0..2 + 4 + 2 * 2 {
            seen.push(client.some_line().await);
        }
        assert_eq!(seen[0], "*2");
        assert_eq!(seen[1], "*6");
        assert_eq!(&seen[5..10], ["*2", "$4", "AUTH", "$10", "(redacted)"]);
    });
    with_node(&["--slowlog-log-slower-than", "-1"], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("PING", "+PONG\r\n").await;
        client.line("SLOWLOG LEN", ":0\r\n").await;
    });
}

#[test]
fn a_monitor_sees_commands_and_no_secrets() {
    with_node(&[], async |shared| {
        let mut monitor = Client::connect(&shared).await;
        monitor.line("MONITOR", "+OK\r\n").await;
        let mut client = Client::connect(&shared).await;
        client.send(b"SELECT 2\r\nSET a \"x\\n\"\r\nCONFIG GET port\r\n").await;
        client.expect("+OK\r\n+OK\r\n").await;
        client.send(b"AUTH secret\r\nGET a\r\n").await;
        for expected in [
            "\"SELECT\" \"2\"",
            "\"SET\" \"a\" \"x\\n\"",
            "\"AUTH\" \"(redacted)\"",
            "\"GET\" \"a\"",
        ] {
            let line = monitor.some_line().await;
            let (_, words) = line.split_once("] ").expect("time, database and client come first");
            assert_eq!(words, expected);
        }
        monitor.line("RESET", "+RESET\r\n").await;
        client.send(b"PING\r\n").await;
        monitor.line("PING", "+PONG\r\n").await;
    });
}

#[test]
fn debug_works_where_it_is_allowed() {
    with_node(&["--enable-debug-command", "local"], async |shared| {
        let mut client = Client::connect(&shared).await;
        let zeros = "0".repeat(40);
        client.line("DEBUG DIGEST", &format!("+{zeros}\r\n")).await;
        client.send(b"RPUSH l a b\r\nRPUSH m a b\r\nDEBUG DIGEST-VALUE l m none\r\n").await;
        client.expect(":2\r\n:2\r\n*3\r\n").await;
        let (l, m) = (client.some_line().await, client.some_line().await);
        assert_eq!(l, m);
        assert_ne!(l, format!("+{zeros}"));
        client.expect(&format!("+{zeros}\r\n")).await;
        client.send(b"DEBUG DIGEST\r\nDEBUG RELOAD\r\nDEBUG DIGEST\r\n").await;
        let before = client.some_line().await;
        client.expect("+OK\r\n").await;
        assert_eq!(client.some_line().await, before);
        client.line("LRANGE l 0 -1", "*2\r\n$1\r\na\r\n$1\r\nb\r\n").await;
        client.line("DEBUG SLEEP 0", "+OK\r\n").await;
        client.line("DEBUG ERROR OOPS", "-OOPS\r\n").await;
        client.line("DEBUG OBJECT none", "-ERR no such key\r\n").await;
        client
            .line(
                "DEBUG foo",
                "-ERR unknown subcommand or wrong number of arguments for 'foo'. Try DEBUG HELP.\r\n",
            )
            .await;
    });
}

#[test]
fn keys_of_requests_are_found() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client
            .line(
                "COMMAND GETKEYS zunionstore d 2 a b WEIGHTS 1 2",
                "*3\r\n$1\r\nd\r\n$1\r\na\r\n$1\r\nb\r\n",
            )
            .await;
        client
            .line(
                "COMMAND GETKEYSANDFLAGS mget a b",
                "*2\r\n*2\r\n$1\r\na\r\n*2\r\n+RO\r\n+access\r\n*2\r\n$1\r\nb\r\n*2\r\n+RO\r\n+access\r\n",
            )
            .await;
        client.line("COMMAND INFO nope", "*1\r\n*-1\r\n").await;
        client.line("COMMAND DOCS nope", "*0\r\n").await;
        client
            .line("COMMAND LIST FILTERBY PATTERN *|rewrite", "*1\r\n$14\r\nconfig|rewrite\r\n")
            .await;
    });
}

#[test]
fn every_container_has_help() {
    with_node(&["--enable-debug-command", "yes"], async |shared| {
        let mut client = Client::connect(&shared).await;
        for name in ["CLIENT", "COMMAND", "CONFIG", "DEBUG", "LATENCY", "MEMORY", "SLOWLOG"] {
            client.send(format!("{name} HELP\r\n").as_bytes()).await;
            let count: usize = client.some_line().await[1..].parse().expect("an array");
            let mut lines = Vec::new();
            for _ in 0..count {
                lines.push(client.some_line().await);
            }
            let first = format!("+{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
            assert_eq!(lines[0], first);
            assert_eq!(lines[count - 1], "+    Prints this help.");
        }
    });
}

#[test]
fn waitaof_syncs_where_writes_do_not() {
    for mode in ["always", "everysec", "no"] {
        with_node(&["--appendfsync", mode], async |shared| {
            let mut client = Client::connect(&shared).await;
            client.send(b"SET a 1\r\nWAITAOF 1 0 0\r\nWAITAOF 0 0 1\r\n").await;
            let synced = i32::from(mode == "always");
            client.expect("+OK\r\n*2\r\n:1\r\n:0\r\n").await;
            client.expect(&format!("*2\r\n:{synced}\r\n:0\r\n")).await;
        });
    }
}

/// Makes a set that takes long to drop.
async fn fill(client: &mut Client, key: &str) {
    for part in 0..40 {
        let members: String = (0..500).map(|n| format!(" member:{part}:{n}")).collect();
        client.line(&format!("SADD {key}{members}"), ":500\r\n").await;
    }
}

#[test]
fn what_a_transaction_removes_is_freed_apart_like_anything_else() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        let removals = [
            ("DEL big", ":1"),
            ("UNLINK big", ":1"),
            ("SET big x", "+OK"),
            ("EVAL \"return redis.call('DEL', KEYS[1])\" 1 big", ":1"),
        ];
        for (at, (removal, said)) in removals.into_iter().enumerate() {
            fill(&mut client, "big").await;
            client.line("MULTI", "+OK\r\n").await;
            client.line(removal, "+QUEUED\r\n").await;
            client.line("DEL big", "+QUEUED\r\n").await;
            let behind = i32::from(removal.starts_with("SET"));
            client.line("EXEC", &format!("*2\r\n{said}\r\n:{behind}\r\n")).await;
            let memory = info(&mut client, "memory").await;
            assert!(memory.contains(&format!("lazyfreed_objects:{}", at + 1)), "{removal}");
        }
    });
}

#[test]
fn big_values_that_were_removed_are_freed_apart_and_counted() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        fill(&mut client, "big").await;
        client.line("SADD small member", ":1\r\n").await;
        client.line("DEL big small", ":2\r\n").await;
        let memory = info(&mut client, "memory").await;
        // Without threads, as here, nothing is ever pending.
        assert!(memory.contains(&"lazyfree_pending_objects:0".to_owned()), "{memory:?}");
        assert!(memory.contains(&"lazyfreed_objects:1".to_owned()), "{memory:?}");
    });
}
