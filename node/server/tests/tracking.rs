//! Client-side caching: who is told of which change, with several clients on one node.

mod support;

use quoris_server::Shared;
use support::{Client, with_node};

const OK: &str = "+OK\r\n";

/// A client that speaks RESP3, and its number.
async fn resp3(shared: &Shared) -> (Client, i64) {
    let mut client = Client::connect(shared).await;
    client.send(b"HELLO 3\r\nECHO ready\r\nCLIENT ID\r\n").await;
    while client.some_line().await != "ready" {}
    let id = client.some_line().await[1..].parse().expect("a number");
    (client, id)
}

fn stale(keys: &[&str]) -> String {
    let words: String = keys.iter().map(|key| format!("${}\r\n{key}\r\n", key.len())).collect();
    format!(">2\r\n$10\r\ninvalidate\r\n*{}\r\n{words}", keys.len())
}

const ALL_STALE: &str = ">2\r\n$10\r\ninvalidate\r\n_\r\n";

#[test]
fn a_reader_is_told_once_of_a_key_that_it_has_read() {
    with_node(&[], async |shared| {
        let (mut reader, _) = resp3(&shared).await;
        let mut writer = Client::connect(&shared).await;
        writer.line("MSET a 1 b 2 c 3", OK).await;
        reader.line("GET c", "$1\r\n3\r\n").await;
        reader.line("CLIENT TRACKING ON", OK).await;
        reader.line("MGET a b nothing", "*3\r\n$1\r\n1\r\n$1\r\n2\r\n_\r\n").await;
        for line in ["SET c 4", "SET a 2", "SET a 3", "SET nothing 1"] {
            writer.line(line, OK).await;
        }
        reader.expect(&[stale(&["a"]), stale(&["nothing"])].concat()).await;
        writer.line("DEL b", ":1\r\n").await;
        reader.expect(&stale(&["b"])).await;
        // Its own change comes behind the reply.
        reader.line("GET a", "$1\r\n3\r\n").await;
        reader.line("SET a 4", &format!("+OK\r\n{}", stale(&["a"]))).await;
        // A read behind a write of the same pipeline counts too.
        reader.send(b"SET x 1\r\nGET a\r\n").await;
        reader.expect("+OK\r\n$1\r\n4\r\n").await;
        writer.line("APPEND a 5", ":2\r\n").await;
        reader.expect(&stale(&["a"])).await;
        reader.line("GET a", "$2\r\n45\r\n").await;
        writer.line("FLUSHALL", OK).await;
        reader.expect(ALL_STALE).await;
        reader.line("GET a", "_\r\n").await;
        reader.line("CLIENT TRACKING OFF", OK).await;
        writer.line("SET a 5", OK).await;
        reader.line("PING", "+PONG\r\n").await;
    });
}

#[test]
fn what_a_script_reads_counts_and_what_it_writes_does_not() {
    with_node(&[], async |shared| {
        let (mut reader, _) = resp3(&shared).await;
        let mut writer = Client::connect(&shared).await;
        writer.line("MSET a 1 b 2", OK).await;
        reader.line("CLIENT TRACKING ON", OK).await;
        let copies = "redis.call('SET', KEYS[2], redis.call('GET', KEYS[1]))";
        reader.line(&format!("EVAL \"{copies}\" 2 a b"), "_\r\n").await;
        for line in ["SET b 3", "SET a 2", "SET a 3"] {
            writer.line(line, OK).await;
        }
        reader.expect(&stale(&["a"])).await;
        // Others' scripts are not this client's.
        writer.line("EVAL \"return redis.call('GET', KEYS[1])\" 1 b", "$1\r\n3\r\n").await;
        reader.line("SET c 1", OK).await;
        writer.line("SET b 4", OK).await;
        // Only on request, which is good for one command.
        reader.line("CLIENT TRACKING OFF", OK).await;
        reader.line("CLIENT TRACKING ON OPTIN", OK).await;
        let gets = |key| format!("EVAL \"return redis.call('GET', KEYS[1])\" 1 {key}");
        reader.line("CLIENT CACHING YES", OK).await;
        reader.line(&gets("a"), "$1\r\n3\r\n").await;
        reader.line(&gets("b"), "$1\r\n4\r\n").await;
        for line in ["SET b 5", "SET a 4"] {
            writer.line(line, OK).await;
        }
        reader.expect(&stale(&["a"])).await;
        reader.line("PING", "+PONG\r\n").await;
    });
}

#[test]
fn scripts_that_only_read_are_remembered_by_what_they_read() {
    with_node(&[], async |shared| {
        let (mut reader, _) = resp3(&shared).await;
        let mut writer = Client::connect(&shared).await;
        writer.line("MSET a 1 b 2 c 3", OK).await;
        reader.line("CLIENT TRACKING ON", OK).await;
        let get = "return redis.call('GET', ARGV[1])";
        // The declared key is b; what is read is a.
        let calls = [
            format!("EVAL_RO \"{get}\" 1 b a"),
            format!("EVAL \"#!lua flags=no-writes\\n{get}\" 1 b a"),
        ];
        for call in &calls {
            reader.line(call, "$1\r\n1\r\n").await;
            writer.line("SET b 2", OK).await;
            writer.line("SET a 1", OK).await;
            reader.expect(&stale(&["a"])).await;
        }
        for (between, replies) in
            [("", "*1\r\n$1\r\n1\r\n"), ("SET c 4", "*2\r\n+OK\r\n$1\r\n1\r\n")]
        {
            reader.line("MULTI", OK).await;
            if !between.is_empty() {
                reader.line(between, "+QUEUED\r\n").await;
            }
            reader.line(&calls[0], "+QUEUED\r\n").await;
            reader.line("EXEC", replies).await;
            writer.line("SET b 2", OK).await;
            writer.line("SET a 1", OK).await;
            reader.expect(&stale(&["a"])).await;
        }
        reader.line("PING", "+PONG\r\n").await;
    });
}

#[test]
fn a_key_whose_time_is_over_is_told_of() {
    with_node(&[], async |shared| {
        let (mut reader, _) = resp3(&shared).await;
        let mut writer = Client::connect(&shared).await;
        reader.line("CLIENT TRACKING ON NOLOOP", OK).await;
        writer.line("SET a 1 PX 300", OK).await;
        reader.send(b"GET a\r\n").await;
        reader.some_line().await;
        reader.some_line().await;
        reader.expect(&stale(&["a"])).await;
    });
}

#[test]
fn a_client_need_not_be_told_of_its_own_changes() {
    with_node(&[], async |shared| {
        let (mut reader, _) = resp3(&shared).await;
        let (mut other, _) = resp3(&shared).await;
        for client in [&mut reader, &mut other] {
            client.line("CLIENT TRACKING ON NOLOOP", OK).await;
            client.line("GET a", "_\r\n").await;
        }
        reader.line("SET a 1", OK).await;
        reader.line("PING", "+PONG\r\n").await;
        other.expect(&stale(&["a"])).await;
        // As in Redis, the key is forgotten for everybody.
        other.line("SET a 2", OK).await;
        reader.line("PING", "+PONG\r\n").await;
    });
}

#[test]
fn a_client_may_say_command_by_command_what_it_keeps() {
    with_node(&[], async |shared| {
        let (mut reader, _) = resp3(&shared).await;
        let mut writer = Client::connect(&shared).await;
        reader.line("CLIENT TRACKING ON OPTIN", OK).await;
        reader.line("GET a", "_\r\n").await;
        reader.line("CLIENT CACHING YES", OK).await;
        reader.line("GET b", "_\r\n").await;
        reader.line("GET c", "_\r\n").await;
        reader.line("CLIENT CACHING YES", OK).await;
        reader.line("PING", "+PONG\r\n").await;
        reader.line("GET d", "_\r\n").await;
        reader.send(b"CLIENT CACHING YES\r\nMULTI\r\nGET e\r\nGET f\r\nEXEC\r\nGET g\r\n").await;
        reader.expect("+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n_\r\n_\r\n_\r\n").await;
        let no =
            "-ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.\r\n";
        reader.line("CLIENT CACHING NO", no).await;
        writer.line("MSET a 1 b 1 c 1 d 1 e 1 f 1 g 1", OK).await;
        reader.expect(&[stale(&["b"]), stale(&["e"]), stale(&["f"])].concat()).await;
        reader.line("CLIENT TRACKING OFF", OK).await;
        reader.line("CLIENT TRACKING ON OPTOUT", OK).await;
        reader.line("GET a", "$1\r\n1\r\n").await;
        reader.line("CLIENT CACHING NO", OK).await;
        reader.line("GET b", "$1\r\n1\r\n").await;
        reader.line("GET c", "$1\r\n1\r\n").await;
        writer.line("MSET a 2 b 2 c 2", OK).await;
        reader.expect(&[stale(&["a"]), stale(&["c"])].concat()).await;
    });
}

#[test]
fn prefixes_are_told_of_whoever_has_read_what() {
    with_node(&[], async |shared| {
        let (mut all, _) = resp3(&shared).await;
        let (mut some, _) = resp3(&shared).await;
        let mut writer = Client::connect(&shared).await;
        all.line("CLIENT TRACKING ON BCAST NOLOOP", OK).await;
        some.line("CLIENT TRACKING ON BCAST PREFIX user: PREFIX item:", OK).await;
        writer.line("MSET user:1 a item:1 b other c", OK).await;
        all.expect(&stale(&["item:1", "other", "user:1"])).await;
        some.expect(&[stale(&["item:1"]), stale(&["user:1"])].concat()).await;
        all.line("SET user:2 a", OK).await;
        some.expect(&stale(&["user:2"])).await;
        all.line("PING", "+PONG\r\n").await;
        writer.line("FLUSHDB", OK).await;
        all.expect(ALL_STALE).await;
        some.expect(ALL_STALE).await;
        let mut other = Client::connect(&shared).await;
        other.send(b"INFO stats\r\nINFO clients\r\n").await;
        let info = other.bulk().await + &other.bulk().await;
        for field in ["tracking_clients:2", "tracking_total_prefixes:3", "tracking_total_keys:0"] {
            assert!(info.contains(&format!("{field}\r\n")), "{info}");
        }
    });
}

#[test]
fn another_client_may_be_told_instead() {
    with_node(&[], async |shared| {
        let mut listener = Client::connect(&shared).await;
        listener.send(b"CLIENT ID\r\nSUBSCRIBE __redis__:invalidate\r\n").await;
        let listener_id = listener.some_line().await[1..].to_owned();
        listener.expect("*3\r\n$9\r\nsubscribe\r\n$20\r\n__redis__:invalidate\r\n:1\r\n").await;
        let mut reader = Client::connect(&shared).await;
        let mut writer = Client::connect(&shared).await;
        reader.line(&format!("CLIENT TRACKING ON REDIRECT {listener_id}"), OK).await;
        reader.line("CLIENT GETREDIR", &format!(":{listener_id}\r\n")).await;
        reader.line("GET a", "$-1\r\n").await;
        writer.line("SET a 1", OK).await;
        let message = "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n";
        listener.expect(&format!("{message}*1\r\n$1\r\na\r\n")).await;
        writer.line("FLUSHALL", OK).await;
        listener.expect(&format!("{message}$-1\r\n")).await;
        reader.send(b"CLIENT INFO\r\n").await;
        let info = reader.bulk().await;
        assert!(info.contains(&format!(" redir={listener_id} ")) && info.contains(" flags=t "));
        // One that speaks RESP3 hears that nobody is told any more.
        let (mut modern, _) = resp3(&shared).await;
        modern.line(&format!("CLIENT TRACKING ON BCAST REDIRECT {listener_id}"), OK).await;
        listener.line("QUIT", OK).await;
        listener.end().await;
        writer.line("SET a 1", OK).await;
        let broken = format!(">2\r\n$21\r\ntracking-redir-broken\r\n:{listener_id}\r\n");
        modern.expect(&broken).await;
        let flags = "~3\r\n$2\r\non\r\n$5\r\nbcast\r\n$15\r\nbroken_redirect\r\n";
        let info = format!(
            "%3\r\n$5\r\nflags\r\n{flags}$8\r\nredirect\r\n:{listener_id}\r\n$8\r\nprefixes\r\n*1\r\n$0\r\n\r\n"
        );
        modern.line("CLIENT TRACKINGINFO", &info).await;
        modern.line("RESET", "+RESET\r\n").await;
        modern.line("CLIENT GETREDIR", ":-1\r\n").await;
    });
}

#[test]
fn a_full_table_makes_room_by_telling_readers() {
    with_node(&["--tracking-table-max-keys", "2"], async |shared| {
        let (mut reader, _) = resp3(&shared).await;
        reader.line("CLIENT TRACKING ON", OK).await;
        for key in ["a", "b"] {
            reader.line(&format!("GET {key}"), "_\r\n").await;
        }
        reader.line("GET c", &format!("_\r\n{}", stale(&["a"]))).await;
        reader.line("GET d", &format!("_\r\n{}", stale(&["b"]))).await;
    });
}

#[test]
fn options_are_refused_as_redis_refuses_them() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        let overlap = "Prefixes for a single client must not overlap.";
        let table = [
            ("CLIENT TRACKING maybe", "ERR syntax error"),
            ("CLIENT TRACKING ON foo", "ERR syntax error"),
            ("CLIENT TRACKING ON REDIRECT", "ERR syntax error"),
            ("CLIENT TRACKING ON REDIRECT x", "ERR value is not an integer or out of range"),
            (
                "CLIENT TRACKING ON REDIRECT 9999",
                "ERR The client ID you want redirect to does not exist",
            ),
            ("CLIENT TRACKING ON PREFIX a", "ERR PREFIX option requires BCAST mode to be enabled"),
            (
                "CLIENT TRACKING ON BCAST OPTIN",
                "ERR OPTIN and OPTOUT are not compatible with BCAST",
            ),
            (
                "CLIENT TRACKING ON OPTIN OPTOUT",
                "ERR You can't specify both OPTIN mode and OPTOUT mode",
            ),
            (
                "CLIENT TRACKING ON BCAST PREFIX ab PREFIX abc",
                &format!("ERR Prefix 'ab' overlaps with another provided prefix 'abc'. {overlap}"),
            ),
            (
                "CLIENT CACHING YES",
                "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
            ),
        ];
        for (line, expected) in table {
            client.line(line, &format!("-{expected}\r\n")).await;
        }
        client.line("CLIENT TRACKING ON BCAST PREFIX a", OK).await;
        let existing =
            format!("-ERR Prefix 'ab' overlaps with an existing prefix 'a'. {overlap}\r\n");
        client.line("CLIENT TRACKING ON BCAST PREFIX ab", &existing).await;
        client.line("CLIENT TRACKING ON BCAST PREFIX b", OK).await;
        let switched = "-ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.\r\n";
        client.line("CLIENT TRACKING ON", switched).await;
        client.line("CLIENT TRACKING OFF", OK).await;
        client.line("CLIENT TRACKING ON OPTIN", OK).await;
        let switched = "-ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.\r\n";
        client.line("CLIENT TRACKING ON OPTOUT", switched).await;
    });
}
