//! Clients that wait for keys.

mod support;

use std::rc::Rc;
use std::time::Duration;

use quoris_server::Exit;
use support::{Border, Client, run, start, until_blocked, with_node, world};

#[test]
fn what_is_there_is_taken_at_once() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.send(b"RPUSH l a b c d\r\nZADD z 1 x 2 y 3 v 4 w\r\n").await;
        client.expect(":4\r\n:4\r\n").await;
        client.line("BLPOP none l 0", "*2\r\n$1\r\nl\r\n$1\r\na\r\n").await;
        client.line("BRPOP l 0", "*2\r\n$1\r\nl\r\n$1\r\nd\r\n").await;
        client.line("BLMOVE l m LEFT RIGHT 0", "$1\r\nb\r\n").await;
        client.line("BRPOPLPUSH l m 0", "$1\r\nc\r\n").await;
        let both = "*2\r\n$1\r\nm\r\n*2\r\n$1\r\nc\r\n$1\r\nb\r\n";
        client.line("BLMPOP 0 2 l m LEFT COUNT 5", both).await;
        client.line("BZPOPMIN none z 0", "*3\r\n$1\r\nz\r\n$1\r\nx\r\n$1\r\n1\r\n").await;
        client.line("BZPOPMAX z 0", "*3\r\n$1\r\nz\r\n$1\r\nw\r\n$1\r\n4\r\n").await;
        let one = "*2\r\n$1\r\nz\r\n*1\r\n*2\r\n$1\r\ny\r\n$1\r\n2\r\n";
        client.line("BZMPOP 0 1 z MIN", one).await;
    });
}

#[test]
fn timeouts_and_their_errors_are_those_of_redis() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        for line in ["BLPOP l x", "BRPOP l x", "BLMOVE l m LEFT LEFT x", "BZPOPMIN z x"] {
            client.line(line, "-ERR timeout is not a float or out of range\r\n").await;
        }
        client.line("BLPOP l -1", "-ERR timeout is negative\r\n").await;
        client.line("BLMPOP -1 1 l LEFT", "-ERR timeout is negative\r\n").await;
        client.line("BLPOP l 1e17", "-ERR timeout is out of range\r\n").await;
        client.line("BZMPOP 0 0 z MIN", "-ERR numkeys should be greater than 0\r\n").await;
        client.line("BLPOP l 0.01", "*-1\r\n").await;
        client.line("BLMOVE l m LEFT LEFT 0.01", "*-1\r\n").await;
        client.line("BRPOPLPUSH l m 0.01", "*-1\r\n").await;
        client.line("BZMPOP 0.001 1 z MAX", "*-1\r\n").await;
        client.send(b"HELLO 3\r\n").await;
        while client.some_line().await != "*0" {}
        client.line("BLPOP l 0.01", "_\r\n").await;
        assert!(!shared.interests.get().touched, "nobody waits any more");
    });
}

#[test]
fn a_push_serves_those_who_wait_in_the_order_in_which_they_came() {
    with_node(&[], async |shared| {
        let mut clients = Vec::new();
        for count in 1..=3 {
            let mut client = Client::connect(&shared).await;
            client.send(b"BLPOP l other 0\r\nPING\r\n").await;
            until_blocked(&shared, count).await;
            clients.push(client);
        }
        let mut pusher = Client::connect(&shared).await;
        let before = shared.stats.entries_proposed.get();
        pusher.line("RPUSH l a b", ":2\r\n").await;
        clients[0].expect("*2\r\n$1\r\nl\r\n$1\r\na\r\n+PONG\r\n").await;
        clients[1].expect("*2\r\n$1\r\nl\r\n$1\r\nb\r\n+PONG\r\n").await;
        assert_eq!(
            shared.stats.entries_proposed.get() - before,
            1,
            "they are served with the push"
        );
        until_blocked(&shared, 1).await;
        pusher.line("EXISTS l", ":0\r\n").await;
        // What was answered before a client waits goes out before it waits.
        let mut mixed = Client::connect(&shared).await;
        mixed.send(b"SET x 1\r\nGET x\r\nBLPOP never 0\r\n").await;
        mixed.expect("+OK\r\n$1\r\n1\r\n").await;
        pusher.line("LPUSH other c d", ":2\r\n").await;
        clients[2].expect("*2\r\n$5\r\nother\r\n$1\r\nd\r\n+PONG\r\n").await;
        pusher.line("LRANGE other 0 -1", "*1\r\n$1\r\nc\r\n").await;
    });
}

#[test]
fn whatever_makes_a_key_appear_serves_those_who_wait_for_it() {
    let table = [
        ("BLPOP k 0", "RPUSH k v", "*2\r\n$1\r\nk\r\n$1\r\nv\r\n"),
        ("BLPOP k 0", "RPUSH o v\r\nRENAME o k", "*2\r\n$1\r\nk\r\n$1\r\nv\r\n"),
        ("BLPOP k 0", "RPUSH o v\r\nCOPY o k", "*2\r\n$1\r\nk\r\n$1\r\nv\r\n"),
        ("BLPOP k 0", "RPUSH o v\r\nLMOVE o k LEFT LEFT", "*2\r\n$1\r\nk\r\n$1\r\nv\r\n"),
        ("BLPOP k 0", "RPUSH o v\r\nSORT o ALPHA STORE k", "*2\r\n$1\r\nk\r\n$1\r\nv\r\n"),
        ("BLPOP k 0", "SELECT 1\r\nRPUSH k v\r\nMOVE k 0", "*2\r\n$1\r\nk\r\n$1\r\nv\r\n"),
        ("BLPOP k 0", "SELECT 1\r\nRPUSH k v\r\nSWAPDB 0 1", "*2\r\n$1\r\nk\r\n$1\r\nv\r\n"),
        (
            "BLPOP k 0",
            "MULTI\r\nRPUSH k u\r\nLPOP k\r\nRPUSH k v\r\nEXEC",
            "*2\r\n$1\r\nk\r\n$1\r\nv\r\n",
        ),
        ("BLMOVE k m LEFT LEFT 0", "RPUSH k v", "$1\r\nv\r\n"),
        (
            "BLMPOP 0 2 x k RIGHT COUNT 2",
            "RPUSH k v w",
            "*2\r\n$1\r\nk\r\n*2\r\n$1\r\nw\r\n$1\r\nv\r\n",
        ),
        ("BZPOPMIN k 0", "ZADD k 2 b 1 a", "*3\r\n$1\r\nk\r\n$1\r\na\r\n$1\r\n1\r\n"),
        (
            "BZPOPMAX k 0",
            "ZADD o 1 a\r\nZUNIONSTORE k 1 o",
            "*3\r\n$1\r\nk\r\n$1\r\na\r\n$1\r\n1\r\n",
        ),
        (
            "BZMPOP 0 1 k MIN",
            "ZINCRBY k 3 a",
            "*2\r\n$1\r\nk\r\n*1\r\n*2\r\n$1\r\na\r\n$1\r\n3\r\n",
        ),
        // A value of another type is not what they wait for.
        (
            "BLPOP k 0",
            "SET k x\r\nZADD j 1 k\r\nDEL k\r\nRPUSH k v",
            "*2\r\n$1\r\nk\r\n$1\r\nv\r\n",
        ),
        (
            "BZPOPMIN k 0",
            "RPUSH k x\r\nDEL k\r\nZADD k 1 a",
            "*3\r\n$1\r\nk\r\n$1\r\na\r\n$1\r\n1\r\n",
        ),
    ];
    with_node(&["--databases", "4"], async |shared| {
        for (wait, lines, expected) in table {
            let (mut client, mut other) =
                (Client::connect(&shared).await, Client::connect(&shared).await);
            other.line("FLUSHALL", "+OK\r\n").await;
            client.send(format!("{wait}\r\n").as_bytes()).await;
            until_blocked(&shared, 1).await;
            other.send(format!("{lines}\r\n").as_bytes()).await;
            client.expect(expected).await;
        }
    });
}

#[test]
fn a_chain_of_moves_is_followed_to_its_end() {
    with_node(&[], async |shared| {
        let (mut one, mut two) = (Client::connect(&shared).await, Client::connect(&shared).await);
        one.send(b"BLMOVE a b LEFT LEFT 0\r\n").await;
        until_blocked(&shared, 1).await;
        two.send(b"BLPOP b 0\r\n").await;
        until_blocked(&shared, 2).await;
        let mut pusher = Client::connect(&shared).await;
        pusher.line("RPUSH a v", ":1\r\n").await;
        one.expect("$1\r\nv\r\n").await;
        two.expect("*2\r\n$1\r\nb\r\n$1\r\nv\r\n").await;
        pusher.line("EXISTS a b", ":0\r\n").await;
    });
}

#[test]
fn a_destination_of_another_type_is_the_clients_mistake() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        let wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
        client.line("SET s x", "+OK\r\n").await;
        client.line("BLPOP s 0", wrong).await;
        client.line("BLPOP none s 0", wrong).await;
        client.send(b"BLMOVE l s LEFT LEFT 0\r\n").await;
        until_blocked(&shared, 1).await;
        let mut pusher = Client::connect(&shared).await;
        pusher.line("RPUSH l v", ":1\r\n").await;
        client.expect(wrong).await;
        pusher.line("LRANGE l 0 -1", "*1\r\n$1\r\nv\r\n").await;
    });
}

#[test]
fn inside_a_transaction_nobody_waits() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.send(b"MULTI\r\nBLPOP l 0\r\nBLMOVE l m LEFT LEFT 0\r\nBZMPOP 0 1 z MIN\r\nRPUSH l v\r\nBLPOP l 0\r\nEXEC\r\n").await;
        client.expect("+OK\r\n").await;
        client.expect(&"+QUEUED\r\n".repeat(5)).await;
        client.expect("*5\r\n*-1\r\n$-1\r\n*-1\r\n:1\r\n*2\r\n$1\r\nl\r\n$1\r\nv\r\n").await;
        client.line("PING", "+PONG\r\n").await;
    });
}

#[test]
fn nothing_is_popped_for_a_client_that_is_gone() {
    with_node(&[], async |shared| {
        let mut pusher = Client::connect(&shared).await;
        pusher.line("CLIENT ID", ":1\r\n").await;
        let mut gone = Client::connect(&shared).await;
        gone.send(b"BLPOP l 0\r\n").await;
        until_blocked(&shared, 1).await;
        drop(gone);
        until_blocked(&shared, 0).await;
        let mut killed = Client::connect(&shared).await;
        killed.send(b"BLPOP l 0\r\n").await;
        until_blocked(&shared, 1).await;
        pusher.send(b"CLIENT KILL ID 3\r\nRPUSH l v\r\nLRANGE l 0 -1\r\n").await;
        pusher.expect(":1\r\n:1\r\n*1\r\n$1\r\nv\r\n").await;
        assert_eq!(killed.end().await, "");
    });
}

#[test]
fn client_unblock_ends_a_wait() {
    with_node(&[], async |shared| {
        let mut other = Client::connect(&shared).await;
        other.line("CLIENT ID", ":1\r\n").await;
        let mut client = Client::connect(&shared).await;
        for (reason, reply) in [
            ("", "*-1\r\n"),
            (" timeout", "*-1\r\n"),
            (" ERROR", "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"),
        ] {
            client.send(b"BLPOP l 0\r\nPING\r\n").await;
            until_blocked(&shared, 1).await;
            other.send(b"INFO clients\r\nCLIENT LIST ID 2\r\n").await;
            let info = other.bulk().await;
            assert!(info.contains("blocked_clients:1\r\n"), "{info}");
            let line = other.bulk().await;
            assert!(line.contains(" flags=b ") && line.contains(" cmd=blpop "), "{line}");
            other.line(&format!("CLIENT UNBLOCK 2{reason}"), ":1\r\n").await;
            client.expect(reply).await;
            client.expect("+PONG\r\n").await;
        }
        other.line("CLIENT UNBLOCK 2", ":0\r\n").await;
        other.line("CLIENT UNBLOCK 99", ":0\r\n").await;
        other.line("CLIENT UNBLOCK x", "-ERR value is not an integer or out of range\r\n").await;
        let reason = "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR\r\n";
        other.line("CLIENT UNBLOCK 2 never", reason).await;
        other.line("RPUSH l v", ":1\r\n").await;
        other.line("LLEN l", ":1\r\n").await;
    });
}

#[test]
fn those_whose_slot_moves_are_told_where_it_went() {
    with_node(&[], async |shared| {
        // foo is in slot 12182, bar in 5061.
        let (mut moves, mut stays) =
            (Client::connect(&shared).await, Client::connect(&shared).await);
        moves.send(b"BLPOP foo 0\r\n").await;
        until_blocked(&shared, 1).await;
        stays.send(b"BLPOP bar 0\r\n").await;
        until_blocked(&shared, 2).await;
        shared.set_routes(Rc::new(Border(8192)));
        moves.expect("-MOVED 12182 10.0.0.9:7009\r\n").await;
        moves.line("RPUSH bar v", ":1\r\n").await;
        stays.expect("*2\r\n$3\r\nbar\r\n$1\r\nv\r\n").await;
    });
}

#[test]
fn workers_share_a_queue_and_nothing_is_lost_or_doubled() {
    const WORKERS: usize = 10;
    const JOBS: usize = 300;
    with_node(&[], async |shared| {
        let mut workers = Vec::new();
        for _ in 0..WORKERS {
            let shared = Rc::clone(&shared);
            workers.push(tokio::task::spawn_local(async move {
                let (mut client, mut seen) = (Client::connect(&shared).await, Vec::new());
                loop {
                    client.send(b"BLPOP jobs 0\r\n").await;
                    client.expect("*2\r\n$4\r\njobs\r\n").await;
                    match client.bulk().await.as_str() {
                        "end" => return seen,
                        job => seen.push(job.parse::<usize>().expect("a number")),
                    }
                }
            }));
        }
        let mut pushers = Vec::new();
        for pusher in 0..3 {
            let shared = Rc::clone(&shared);
            pushers.push(tokio::task::spawn_local(async move {
                let mut client = Client::connect(&shared).await;
                for job in (pusher..JOBS).step_by(3) {
                    client.send(format!("RPUSH jobs {job}\r\n").as_bytes()).await;
                    client.some_line().await;
                }
            }));
        }
        for pusher in pushers {
            pusher.await.expect("no panic");
        }
        let mut client = Client::connect(&shared).await;
        client.send(b"RPUSH jobs end end end end end end end end end end\r\n").await;
        client.some_line().await;
        let mut seen = Vec::new();
        for worker in workers {
            seen.extend(worker.await.expect("no panic"));
        }
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..JOBS), "a job was lost or came twice");
        client.line("EXISTS jobs", ":0\r\n").await;
    });
}

#[test]
fn a_replay_of_the_log_pops_what_was_popped() {
    run(async {
        let world = world();
        let running = start(&world, &[]).await;
        let mut waiting = Client::connect(&running.shared).await;
        waiting.send(b"BLPOP l 0\r\n").await;
        until_blocked(&running.shared, 1).await;
        let mut client = Client::connect(&running.shared).await;
        client.line("RPUSH l a b c", ":3\r\n").await;
        waiting.expect("*2\r\n$1\r\nl\r\n$1\r\na\r\n").await;
        waiting.send(b"BLPOP other 0\r\n").await;
        until_blocked(&running.shared, 1).await;
        running.shared.stop(Exit::Restart);
        running.task.await.expect("no panic");
        assert_eq!(Rc::strong_count(&running.shared), 1, "a stopped node lets go of everything");

        let running = start(&world, &[]).await;
        let mut client = Client::connect(&running.shared).await;
        client.line("LRANGE l 0 -1", "*2\r\n$1\r\nb\r\n$1\r\nc\r\n").await;
        running.shared.stop(Exit::Shutdown);
        running.task.await.expect("no panic");
    });
}

#[test]
fn a_push_that_fails_leaves_everybody_waiting() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.send(b"BLPOP l 30\r\n").await;
        until_blocked(&shared, 1).await;
        let mut other = Client::connect(&shared).await;
        other.line("SET l x", "+OK\r\n").await;
        let wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
        other.line("RPUSH l v", wrong).await;
        other.line("PING", "+PONG\r\n").await;
        until_blocked(&shared, 1).await;
        other.send(b"DEL l\r\nRPUSH l v\r\n").await;
        let served = client.expect("*2\r\n$1\r\nl\r\n$1\r\nv\r\n");
        tokio::time::timeout(Duration::from_secs(20), served).await.expect("served in time");
    });
}

#[test]
fn waiters_for_another_type_are_passed_over() {
    with_node(&[], async |shared| {
        let (mut sorted, mut list) =
            (Client::connect(&shared).await, Client::connect(&shared).await);
        sorted.send(b"BZPOPMIN k 0\r\n").await;
        until_blocked(&shared, 1).await;
        list.send(b"BLPOP k 0\r\n").await;
        until_blocked(&shared, 2).await;
        let mut other = Client::connect(&shared).await;
        other.line("RPUSH k a b", ":2\r\n").await;
        list.expect("*2\r\n$1\r\nk\r\n$1\r\na\r\n").await;
        other.line("RPUSH o c", ":1\r\n").await;
        let before = shared.stats.entries_proposed.get();
        other.line("RENAME o k", "+OK\r\n").await;
        other.line("PING", "+PONG\r\n").await;
        other.send(b"SET x 1\r\nDEL k\r\nZADD k 1 a\r\n").await;
        other.expect("+OK\r\n:1\r\n:1\r\n").await;
        sorted.expect("*3\r\n$1\r\nk\r\n$1\r\na\r\n$1\r\n1\r\n").await;
        assert!(shared.stats.entries_proposed.get() - before < 10, "no attempt after attempt");
    });
}
