//! How requests arrive in pieces and in heaps, and what becomes of them.

mod support;

use std::fmt::Write as _;
use std::rc::Rc;

use quoris_server::Exit;
use support::{Client, run, start, with_node, world};

#[test]
fn the_writes_of_one_pipeline_are_one_entry() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("SET warm up", "+OK\r\n").await;
        let before = shared.stats.entries_proposed.get();
        let pipeline = b"INCR n\r\nGET n\r\nINCR n\r\n".repeat(100);
        client.send(&pipeline).await;
        let mut expected = String::new();
        for n in (1..200).step_by(2) {
            let next = n + 1;
            let digits = n.to_string().len();
            write!(expected, ":{n}\r\n${digits}\r\n{n}\r\n:{next}\r\n").expect("memory");
        }
        client.expect(&expected).await;
        assert_eq!(shared.stats.entries_proposed.get() - before, 1);
    });
}

#[test]
fn a_request_may_arrive_byte_by_byte() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        for byte in b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$3\r\nb\r\nc\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n"
        {
            client.send(&[*byte]).await;
            tokio::task::yield_now().await;
        }
        client.expect("+OK\r\n$3\r\nb\r\n\r\n").await;
    });
}

#[test]
fn a_value_larger_than_every_buffer_arrives_whole() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        let value = "x".repeat(3_000_000);
        let request =
            format!("*3\r\n$3\r\nSET\r\n$1\r\na\r\n${}\r\n{value}\r\nPING\r\n", value.len());
        let sending = async { client.send(request.as_bytes()).await };
        sending.await;
        client.expect("+OK\r\n+PONG\r\n").await;
        client.line("STRLEN a", ":3000000\r\n").await;
        client.line("GET a", &format!("$3000000\r\n{value}\r\n")).await;
    });
}

#[test]
fn more_output_than_the_socket_takes_is_sent_in_the_end() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        let value = "y".repeat(500_000);
        client
            .send(format!("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$500000\r\n{value}\r\n").as_bytes())
            .await;
        client.expect("+OK\r\n").await;
        client.send(&b"GET a\r\n".repeat(60)).await;
        let reply = format!("$500000\r\n{value}\r\n");
        for _ in 0..60 {
            client.expect(&reply).await;
        }
        client.line("PING", "+PONG\r\n").await;
    });
}

#[test]
fn connections_of_one_turn_share_entries() {
    with_node(&[], async |shared| {
        let mut clients = Vec::new();
        for _ in 0..20 {
            clients.push(Client::connect(&shared).await);
        }
        for client in &mut clients {
            client.line("PING", "+PONG\r\n").await;
        }
        let before = shared.stats.entries_proposed.get();
        for client in &mut clients {
            client.send(b"INCR n\r\n").await;
        }
        let mut seen = Vec::new();
        for client in clients {
            let mut client = client;
            client.finish().await;
            seen.push(client.end().await);
        }
        seen.sort_by_key(|reply| (reply.len(), reply.clone()));
        let expected: Vec<_> = (1..=20).map(|n| format!(":{n}\r\n")).collect();
        assert_eq!(seen, expected);
        assert!(shared.stats.entries_proposed.get() - before < 20);
    });
}

#[test]
fn acknowledged_writes_are_there_after_a_restart() {
    run(async {
        let world = world();
        let running = start(&world, &[]).await;
        let mut client = Client::connect(&running.shared).await;
        client.send(b"SELECT 2\r\nSET a 1\r\nINCR a\r\nSELECT 0\r\nRPUSH l x y\r\n").await;
        client.expect("+OK\r\n+OK\r\n:2\r\n+OK\r\n:2\r\n").await;
        running.shared.stop(Exit::Restart);
        assert_eq!(running.task.await.expect("no panic"), Exit::Restart);
        assert_eq!(Rc::strong_count(&running.shared), 1, "a stopped node lets go of everything");

        let running = start(&world, &[]).await;
        let mut client = Client::connect(&running.shared).await;
        client.line("LRANGE l 0 -1", "*2\r\n$1\r\nx\r\n$1\r\ny\r\n").await;
        client.send(b"SELECT 2\r\nGET a\r\n").await;
        client.expect("+OK\r\n$1\r\n2\r\n").await;
        running.shared.stop(Exit::Shutdown);
        running.task.await.expect("no panic");
    });
}

#[test]
fn keys_expire_without_being_asked_for() {
    with_node(&["--hz", "500"], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("SET lives x", "+OK\r\n").await;
        client.line("SELECT 5", "+OK\r\n").await;
        client.line("SET dies x PX 20", "+OK\r\n").await;
        let before = shared.stats.entries_proposed.get();
        while !shared.engine.borrow().keyspace().database(5).is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(shared.stats.entries_proposed.get() - before, 1);
        assert_eq!(shared.engine.borrow().keyspace().database(0).len(), 1);
    });
}
