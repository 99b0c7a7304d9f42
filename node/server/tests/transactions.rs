//! MULTI, EXEC and their siblings, as Redis 7 answers them, and what EXEC promises.

mod support;

use std::rc::Rc;

use quoris_server::Exit;
use support::{Border, Client, run, start, with_node, world};

#[test]
fn queued_commands_run_together() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("MULTI", "+OK\r\n").await;
        client.line("SET a 1", "+QUEUED\r\n").await;
        client.line("GET a", "+QUEUED\r\n").await;
        client.line("LPUSH a x", "+QUEUED\r\n").await;
        client.line("INCR a", "+QUEUED\r\n").await;
        let wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
        let before = shared.stats.entries_proposed.get();
        client.line("EXEC", &format!("*4\r\n+OK\r\n$1\r\n1\r\n{wrong}:2\r\n")).await;
        assert_eq!(shared.stats.entries_proposed.get() - before, 1);
        client.line("GET a", "$1\r\n2\r\n").await;
        client.line("MULTI", "+OK\r\n").await;
        client.line("EXEC", "*0\r\n").await;
    });
}

#[test]
fn a_pipeline_of_transactions_is_one_entry() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("SET a 0", "+OK\r\n").await;
        let before = shared.stats.entries_proposed.get();
        let one = "MULTI\r\nINCR a\r\nGET a\r\nEXEC\r\n";
        client
            .send(format!("{one}GET a\r\n{one}MULTI\r\nNOSUCH\r\nEXEC\r\nGET a\r\n").as_bytes())
            .await;
        let queued = "+OK\r\n+QUEUED\r\n+QUEUED\r\n";
        client.expect(&format!("{queued}*2\r\n:1\r\n$1\r\n1\r\n$1\r\n1\r\n")).await;
        client.expect(&format!("{queued}*2\r\n:2\r\n$1\r\n2\r\n+OK\r\n")).await;
        client.expect("-ERR unknown command 'NOSUCH', with args beginning with: \r\n").await;
        client.expect("-EXECABORT Transaction discarded because of previous errors.\r\n").await;
        client.expect("$1\r\n2\r\n").await;
        assert_eq!(shared.stats.entries_proposed.get() - before, 1);
    });
}

#[test]
fn a_transaction_that_writes_nothing_takes_no_entry() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("SET a 1", "+OK\r\n").await;
        let before = shared.stats.entries_proposed.get();
        client.send(b"MULTI\r\nGET a\r\nECHO x\r\nDBSIZE\r\nEXEC\r\n").await;
        client.expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n").await;
        client.expect("*3\r\n$1\r\n1\r\n$1\r\nx\r\n:1\r\n").await;
        assert_eq!(shared.stats.entries_proposed.get(), before);
    });
}

#[test]
fn a_command_that_is_refused_dooms_the_transaction() {
    let doomed = [
        ("NOSUCH x", "-ERR unknown command 'NOSUCH', with args beginning with: 'x' \r\n"),
        ("GET", "-ERR wrong number of arguments for 'get' command\r\n"),
        ("CLIENT FOO", "-ERR unknown subcommand 'FOO'. Try CLIENT HELP.\r\n"),
        ("SHUTDOWN", "-ERR Command not allowed inside a transaction\r\n"),
    ];
    let harmless = [
        ("MULTI", "-ERR MULTI calls can not be nested\r\n"),
        ("WATCH a", "-ERR WATCH inside MULTI is not allowed\r\n"),
    ];
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        for (line, error) in doomed {
            client.line("MULTI", "+OK\r\n").await;
            client.line("SET a 1", "+QUEUED\r\n").await;
            client.line(line, error).await;
            client.line("SET a 2", "+QUEUED\r\n").await;
            let aborted = "-EXECABORT Transaction discarded because of previous errors.\r\n";
            client.line("EXEC", aborted).await;
            client.line("GET a", "$-1\r\n").await;
        }
        for (line, error) in harmless {
            client.line("MULTI", "+OK\r\n").await;
            client.line(line, error).await;
            client.line("PING", "+QUEUED\r\n").await;
            client.line("EXEC", "*1\r\n+PONG\r\n").await;
        }
        client.line("MULTI", "+OK\r\n").await;
        let arity = "-EXECABORT Transaction discarded because of: \
             wrong number of arguments for 'exec' command\r\n";
        client.line("EXEC now", arity).await;
        client.line("EXEC", "-ERR EXEC without MULTI\r\n").await;
        client.line("DISCARD", "-ERR DISCARD without MULTI\r\n").await;
    });
}

#[test]
fn a_transaction_can_be_left() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        for (leave, said) in [("DISCARD", "+OK\r\n"), ("RESET", "+RESET\r\n")] {
            client.line("MULTI", "+OK\r\n").await;
            client.line("SET a 1", "+QUEUED\r\n").await;
            client.line(leave, said).await;
            client.line("EXEC", "-ERR EXEC without MULTI\r\n").await;
        }
        client.line("MULTI", "+OK\r\n").await;
        client.line("SET a 1", "+QUEUED\r\n").await;
        client.line("QUIT", "+OK\r\n").await;
        assert_eq!(client.end().await, "");
        let mut other = Client::connect(&shared).await;
        other.line("DBSIZE", ":0\r\n").await;
    });
}

#[test]
fn select_inside_a_transaction_holds_for_what_follows() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client
            .send(b"MULTI\r\nSET a 0\r\nSELECT 99\r\nSELECT 3\r\nSET a 3\r\nGET a\r\nEXEC\r\n")
            .await;
        client.expect("+OK\r\n").await;
        client.expect(&"+QUEUED\r\n".repeat(5)).await;
        let range = "-ERR DB index is out of range\r\n";
        client.expect(&format!("*5\r\n+OK\r\n{range}+OK\r\n+OK\r\n$1\r\n3\r\n")).await;
        client.line("GET a", "$1\r\n3\r\n").await;
        client.line("SELECT 0", "+OK\r\n").await;
        client.line("GET a", "$1\r\n0\r\n").await;
        // What was not executed has not selected anything either.
        client.send(b"MULTI\r\nSELECT 3\r\nDISCARD\r\nGET a\r\n").await;
        client.expect("+OK\r\n+QUEUED\r\n+OK\r\n$1\r\n0\r\n").await;
    });
}

#[test]
fn commands_of_the_node_run_in_their_place() {
    with_node(&["--databases", "4"], async |shared| {
        let mut client = Client::connect(&shared).await;
        client
            .send(b"MULTI\r\nSET a 1\r\nDEBUG DIGEST\r\nINFO keyspace\r\nSET b 1\r\nEXEC\r\n")
            .await;
        client.expect("+OK\r\n").await;
        client.expect(&"+QUEUED\r\n".repeat(4)).await;
        client.expect("*4\r\n+OK\r\n").await;
        client.some_line().await;
        let info = client.bulk().await;
        assert!(info.contains("db0:keys=1,"), "{info}");
        client.expect("+OK\r\n").await;
        client.send(b"MULTI\r\nSET c 1\r\nHELLO 3\r\nGET none\r\nEXEC\r\n").await;
        client.expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+OK\r\n%7\r\n").await;
        while client.some_line().await != "*0" {}
        client.expect("_\r\n").await;
        client.send(b"MULTI\r\nSET c 1\r\nWAIT 5 0\r\nMONITOR\r\nEXEC\r\n").await;
        client.expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+OK\r\n:0\r\n").await;
        client.expect("-ERR MONITOR isn't allowed for DENY BLOCKING client\r\n").await;
    });
}

#[test]
fn client_list_shows_what_is_queued() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.send(b"WATCH a\r\nSET a 1\r\nMULTI\r\nPING\r\nPING\r\n").await;
        client.expect("+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n").await;
        let mut other = Client::connect(&shared).await;
        other.send(b"CLIENT LIST ID 1\r\n").await;
        let line = other.bulk().await;
        assert!(line.contains(" multi=2 ") && line.contains(" flags=xd "), "{line}");
    });
}

#[test]
fn a_replay_of_the_log_knows_transactions() {
    run(async {
        let world = world();
        let running = start(&world, &[]).await;
        let mut client = Client::connect(&running.shared).await;
        client.send(b"SELECT 2\r\nMULTI\r\nSET a 1\r\nINCR a\r\nSELECT 5\r\nSET a 5\r\nEXEC\r\nINCR a\r\n").await;
        client.expect("+OK\r\n+OK\r\n").await;
        client.expect(&"+QUEUED\r\n".repeat(4)).await;
        client.expect("*4\r\n+OK\r\n:2\r\n+OK\r\n+OK\r\n:6\r\n").await;
        running.shared.stop(Exit::Restart);
        running.task.await.expect("no panic");
        assert_eq!(Rc::strong_count(&running.shared), 1, "a stopped node lets go of everything");

        let running = start(&world, &[]).await;
        let mut client = Client::connect(&running.shared).await;
        client.send(b"SELECT 2\r\nGET a\r\nSELECT 5\r\nGET a\r\n").await;
        client.expect("+OK\r\n$1\r\n2\r\n+OK\r\n$1\r\n6\r\n").await;
        running.shared.stop(Exit::Shutdown);
        running.task.await.expect("no panic");
    });
}

#[test]
fn a_transaction_stays_in_one_slot() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("PING", "+PONG\r\n").await;
        // foo is in slot 12182, bar in 5061, hello in 866.
        shared.set_routes(Rc::new(Border(8192)));
        client.line("WATCH foo", "-MOVED 12182 10.0.0.9:7009\r\n").await;
        client.line("MULTI", "+OK\r\n").await;
        client.line("SET bar 1", "+QUEUED\r\n").await;
        client.line("GET foo", "-MOVED 12182 10.0.0.9:7009\r\n").await;
        let aborted = "-EXECABORT Transaction discarded because of previous errors.\r\n";
        client.line("EXEC", aborted).await;
        client.line("MULTI", "+OK\r\n").await;
        client.line("SET bar 1", "+QUEUED\r\n").await;
        client.line("SET hello 1", "+QUEUED\r\n").await;
        let crossing = "-CROSSSLOT Keys in request don't hash to the same slot\r\n";
        client.line("EXEC", crossing).await;
        client.line("EXEC", "-ERR EXEC without MULTI\r\n").await;
        client.line("DBSIZE", ":0\r\n").await;
    });
}

#[test]
fn a_transaction_is_bounded_by_the_query_buffer_limit() {
    with_node(&["--client-query-buffer-limit", "1mb"], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("MULTI", "+OK\r\n").await;
        let value = "x".repeat(100_000);
        client.send(format!("SET a {value}\r\n").repeat(20).as_bytes()).await;
        let said = client.end().await;
        assert!(said.len() < 12 * "+QUEUED\r\n".len(), "{said}");
        let mut other = Client::connect(&shared).await;
        other.line("DBSIZE", ":0\r\n").await;
    });
}
