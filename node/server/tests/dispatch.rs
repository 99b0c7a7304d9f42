//! What a client is answered, and in which order it is checked, as Redis 7 does it.

mod support;

use support::{Client, with_node};

#[test]
fn commands_of_a_connection_take_effect_in_the_order_sent() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.send(b"SET a 1\r\nGET a\r\nSET a 2\r\nPING\r\nGET a\r\nNOSUCH\r\nGET a\r\n").await;
        client.expect("+OK\r\n$1\r\n1\r\n+OK\r\n+PONG\r\n$1\r\n2\r\n").await;
        client.expect("-ERR unknown command 'NOSUCH', with args beginning with: \r\n").await;
        client.expect("$1\r\n2\r\n").await;
    });
}

#[test]
fn a_request_is_checked_in_the_order_of_redis() {
    with_node(&["--requirepass", "secret"], async |shared| {
        let mut client = Client::connect(&shared).await;
        let unknown = "-ERR unknown command 'foo', with args beginning with: 'a' 'b' \r\n";
        client.line("foo a b", unknown).await;
        client.line("get", "-ERR wrong number of arguments for 'get' command\r\n").await;
        client.line("get a", "-NOAUTH Authentication required.\r\n").await;
        let wrong = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
        client.line("auth other secret", wrong).await;
        client.line("auth wrong", wrong).await;
        client.line("auth secret", "+OK\r\n").await;
        client.line("get a", "$-1\r\n").await;
    });
}

#[test]
fn a_pipeline_may_authenticate_itself_before_a_long_request() {
    with_node(&["--requirepass", "secret"], async |shared| {
        let mut client = Client::connect(&shared).await;
        let pairs = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let pairs = pairs.map(|key| format!("$1\r\n{key}\r\n$1\r\n7\r\n")).concat();
        let pipeline = format!(
            "*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n*17\r\n$4\r\nMSET\r\n{pairs}*2\r\n$3\r\nGET\r\n$1\r\nh\r\n"
        );
        client.send(pipeline.as_bytes()).await;
        client.expect("+OK\r\n+OK\r\n$1\r\n7\r\n").await;
    });
}

#[test]
fn what_breaks_the_protocol_is_answered_and_closed() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.send(b"SET a 1\r\n*1\r\n!3\r\n").await;
        let said = client.end().await;
        assert_eq!(said, "+OK\r\n-ERR Protocol error: expected '$', got '!'\r\n");
    });
}

#[test]
fn a_client_that_stops_sending_still_gets_its_replies() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.send(b"SET a 1\r\nGET a\r\n").await;
        client.finish().await;
        assert_eq!(client.end().await, "+OK\r\n$1\r\n1\r\n");
    });
}

#[test]
fn quit_answers_what_came_before_it_and_nothing_after() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.send(b"SET a 1\r\nQUIT\r\nGET a\r\n").await;
        assert_eq!(client.end().await, "+OK\r\n+OK\r\n");
    });
}

#[test]
fn one_client_too_many_is_told_so() {
    with_node(&["--maxclients", "1"], async |shared| {
        let mut first = Client::connect(&shared).await;
        first.line("PING", "+PONG\r\n").await;
        let second = Client::connect(&shared).await;
        assert_eq!(second.end().await, "-ERR max number of clients reached\r\n");
        first.line("PING", "+PONG\r\n").await;
    });
}

#[test]
fn databases_are_selected_per_connection_and_in_the_log() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.send(b"SET a 0\r\nSELECT 3\r\nSET a 3\r\nGET a\r\nSELECT 0\r\nGET a\r\n").await;
        client.expect("+OK\r\n+OK\r\n+OK\r\n$1\r\n3\r\n+OK\r\n$1\r\n0\r\n").await;
        client.line("SELECT 16", "-ERR DB index is out of range\r\n").await;
        client.line("SELECT -1", "-ERR DB index is out of range\r\n").await;
        client.line("SELECT x", "-ERR value is not an integer or out of range\r\n").await;
    });
}

#[test]
fn hello_changes_the_protocol_at_once() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("HELLO 4", "-NOPROTO unsupported protocol version\r\n").await;
        let not = "-ERR Protocol version is not an integer or out of range\r\n";
        client.line("HELLO x", not).await;
        client.line("HELLO 3 FOO", "-ERR Syntax error in HELLO option 'FOO'\r\n").await;
        client.line("HELLO 3 SETNAME me", "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n").await;
        client.expect("$7\r\nversion\r\n$5\r\n7.2.5\r\n$5\r\nproto\r\n:3\r\n").await;
        client.expect("$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$7\r\ncluster\r\n").await;
        client.expect("$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n").await;
        client.line("GET nothing", "_\r\n").await;
        client.line("RESET", "+RESET\r\n").await;
        client.line("GET nothing", "$-1\r\n").await;
    });
}

#[test]
fn a_command_that_answers_later_holds_back_the_next() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.send(b"SET a 1\r\nWAIT 1 20\r\nGET a\r\n").await;
        client.expect("+OK\r\n:0\r\n$1\r\n1\r\n").await;
        client.line("WAIT 0 0", ":0\r\n").await;
        client.line("WAIT 1 -1", "-ERR timeout is negative\r\n").await;
    });
}

#[test]
fn commands_are_counted_under_their_names() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.send(b"SET a 1\r\nGET a\r\nGET a\r\nGET\r\nINCR a\r\nLPUSH a x\r\n").await;
        client.expect("+OK\r\n$1\r\n1\r\n$1\r\n1\r\n").await;
        client.expect("-ERR wrong number of arguments for 'get' command\r\n:2\r\n").await;
        client.expect("-WRONGTYPE Operation against a key").await;
        let mut seen = Vec::new();
        shared.stats.each_command(|number, stats| {
            let name = shared.registry.entry(number).full_name();
            seen.push((name, stats.calls, stats.rejected, stats.failed));
        });
        seen.sort();
        let expected = [("get", 2, 1, 0), ("incr", 1, 0, 0), ("lpush", 1, 0, 1), ("set", 1, 0, 0)];
        let expected = expected
            .map(|(name, calls, rejected, failed)| (name.to_owned(), calls, rejected, failed));
        assert_eq!(seen, expected);
        let mut errors = Vec::new();
        shared.stats.each_error(|code, count| errors.push((code.to_owned(), count)));
        assert_eq!(errors, [("ERR".to_owned(), 1), ("WRONGTYPE".to_owned(), 1)]);
    });
}
