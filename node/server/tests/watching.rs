//! WATCH: what makes EXEC fail, and what does not.

mod support;

use std::rc::Rc;

use quoris_server::Shared;
use support::{Client, with_node};

/// What happens between WATCH and EXEC, and whether EXEC fails.
async fn case(shared: &Rc<Shared>, before: &str, meanwhile: &str, fails: bool) {
    let (mut client, mut other) = (Client::connect(shared).await, Client::connect(shared).await);
    other.send(format!("FLUSHALL\r\n{before}\r\nECHO ready\r\n").as_bytes()).await;
    while other.some_line().await != "ready" {}
    client.line("WATCH a b", "+OK\r\n").await;
    other.send(format!("{meanwhile}\r\nECHO done\r\n").as_bytes()).await;
    while other.some_line().await != "done" {}
    client.line("MULTI", "+OK\r\n").await;
    client.line("SET ran 1", "+QUEUED\r\n").await;
    client.line("EXEC", if fails { "*-1\r\n" } else { "*1\r\n+OK\r\n" }).await;
    client.line("EXISTS ran", if fails { ":0\r\n" } else { ":1\r\n" }).await;
    // Whatever it was, it is forgotten.
    client.send(b"MULTI\r\nPING\r\nEXEC\r\n").await;
    client.expect("+OK\r\n+QUEUED\r\n*1\r\n+PONG\r\n").await;
}

#[test]
fn exec_fails_if_a_watched_key_has_changed() {
    let table = [
        ("SET a 1", "PING", false),
        ("SET a 1", "SET a 1", true),
        ("SET a 1", "DEL a", true),
        ("PING", "SET b 1", true),
        ("PING", "SET c 1", false),
        ("SET a 1", "SET a 2 NX", false),
        ("SET a 1", "RENAME a c", true),
        ("SET c 1", "RENAME c b", true),
        ("SET a 1", "EXPIRE a 100", true),
        ("LPUSH a x", "LPOP a", true),
        ("SET a 1", "FLUSHALL", true),
        ("SET c 1", "FLUSHALL", false),
        ("SET a 1", "FLUSHDB", true),
        ("PING", "SELECT 1\r\nSET a 1", false),
        ("PING", "SELECT 1\r\nSET a 1\r\nSWAPDB 0 1", true),
        ("SET a 1", "SWAPDB 0 1", true),
        ("PING", "SWAPDB 2 3", false),
        ("SET a 1", "SELECT 1\r\nFLUSHDB", false),
        ("PING", "MULTI\r\nSET c 1\r\nSET a 1\r\nEXEC", true),
        ("PING", "MULTI\r\nSET a 1\r\nDISCARD", false),
    ];
    with_node(&["--databases", "4"], async |shared| {
        for (before, meanwhile, fails) in table {
            case(&shared, before, meanwhile, fails).await;
        }
    });
}

#[test]
fn own_writes_count_and_unwatch_forgets() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.send(b"WATCH a\r\nSET a 1\r\nMULTI\r\nPING\r\nEXEC\r\n").await;
        client.expect("+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n*-1\r\n").await;
        client.send(b"WATCH a\r\nSET a 1\r\nUNWATCH\r\nMULTI\r\nPING\r\nEXEC\r\n").await;
        client.expect("+OK\r\n+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n+PONG\r\n").await;
        client.send(b"WATCH a\r\nSET a 1\r\nMULTI\r\nDISCARD\r\nMULTI\r\nPING\r\nEXEC\r\n").await;
        client.expect("+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n+PONG\r\n").await;
        // The same key in another database is another key.
        client
            .send(b"SELECT 1\r\nWATCH a\r\nSELECT 0\r\nSET a 1\r\nMULTI\r\nPING\r\nEXEC\r\n")
            .await;
        client.expect("+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n+PONG\r\n").await;
    });
}

/// Waits until a key's time is over by the node's clock.
async fn until_expired(client: &mut Client) {
    loop {
        client.send(b"EXISTS a\r\n").await;
        if client.some_line().await == ":0" {
            return;
        }
    }
}

#[test]
fn a_key_whose_time_is_over_has_changed_unless_it_was_over_before() {
    for removes in [false, true] {
        with_node(&["--hz", "500", "--enable-debug-command", "yes"], async |shared| {
            let (mut one, mut other) =
                (Client::connect(&shared).await, Client::connect(&shared).await);
            one.line("DEBUG SET-ACTIVE-EXPIRE 0", "+OK\r\n").await;
            one.line("SET a 1 PX 30", "+OK\r\n").await;
            one.line("WATCH a", "+OK\r\n").await;
            until_expired(&mut other).await;
            other.line("WATCH a", "+OK\r\n").await;
            if removes {
                one.line("DEBUG SET-ACTIVE-EXPIRE 1", "+OK\r\n").await;
                while !shared.engine.borrow().keyspace().database(0).is_empty() {
                    tokio::task::yield_now().await;
                }
            }
            one.send(b"MULTI\r\nSET ran 1\r\nEXEC\r\n").await;
            one.expect("+OK\r\n+QUEUED\r\n*-1\r\n").await;
            other.send(b"MULTI\r\nSET ran 2\r\nEXEC\r\n").await;
            other.expect("+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n").await;
        });
    }
}

#[test]
fn a_key_that_was_over_may_not_come_back() {
    with_node(&["--enable-debug-command", "yes"], async |shared| {
        let (mut one, mut other) = (Client::connect(&shared).await, Client::connect(&shared).await);
        one.line("DEBUG SET-ACTIVE-EXPIRE 0", "+OK\r\n").await;
        one.line("SET a 1 PX 10", "+OK\r\n").await;
        until_expired(&mut other).await;
        one.line("WATCH a", "+OK\r\n").await;
        other.line("SET a 2", "+OK\r\n").await;
        one.send(b"MULTI\r\nPING\r\nEXEC\r\n").await;
        one.expect("+OK\r\n+QUEUED\r\n*-1\r\n").await;
    });
}

#[test]
fn counters_kept_by_optimistic_locking_lose_no_increment() {
    const CLIENTS: usize = 8;
    const EACH: usize = 20;
    with_node(&[], async |shared| {
        let mut tasks = Vec::new();
        for _ in 0..CLIENTS {
            let shared = Rc::clone(&shared);
            tasks.push(tokio::task::spawn_local(async move {
                let mut client = Client::connect(&shared).await;
                let mut done = 0;
                while done < EACH {
                    client.send(b"WATCH n\r\nGET n\r\n").await;
                    client.expect("+OK\r\n").await;
                    let header = client.some_line().await;
                    let value = if header == "$-1" {
                        0
                    } else {
                        client.some_line().await.parse().expect("a number")
                    };
                    let next: u64 = value + 1;
                    client.send(format!("MULTI\r\nSET n {next}\r\nEXEC\r\n").as_bytes()).await;
                    client.expect("+OK\r\n+QUEUED\r\n").await;
                    match client.some_line().await.as_str() {
                        "*-1" => {}
                        "*1" => {
                            client.expect("+OK\r\n").await;
                            done += 1;
                        }
                        other => panic!("EXEC said {other}"),
                    }
                }
            }));
        }
        for task in tasks {
            task.await.expect("no panic");
        }
        let mut client = Client::connect(&shared).await;
        client.line("GET n", "$3\r\n160\r\n").await;
        client.send(b"INFO clients\r\n").await;
        client.bulk().await;
        assert!(!shared.interests.get().touched, "nobody watches any more");
    });
}
