//! Clients that wait for entries of streams.

mod support;

use std::rc::Rc;

use quoris_server::{Exit, Shared};
use support::{Border, Client, run, start, until_blocked, with_node, world};

/// The reply of `XREAD` that there are entries in one stream, each with the field `f`.
fn entries(key: &str, entries: &[(&str, &str)]) -> String {
    let list: String = entries
        .iter()
        .map(|(id, value)| {
            let (id_len, value_len) = (id.len(), value.len());
            format!("*2\r\n${id_len}\r\n{id}\r\n*2\r\n$1\r\nf\r\n${value_len}\r\n{value}\r\n")
        })
        .collect();
    let (key_len, count) = (key.len(), entries.len());
    format!("*1\r\n*2\r\n${key_len}\r\n{key}\r\n*{count}\r\n{list}")
}

/// A client whose request waits, as the `count`th.
async fn waiter(shared: &Shared, line: &str, count: usize) -> Client {
    let mut client = Client::connect(shared).await;
    client.send(format!("{line}\r\n").as_bytes()).await;
    until_blocked(shared, count).await;
    client
}

const OK: &str = "+OK\r\n";
const NO_GROUP: &str =
    "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option\r\n";
const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

#[test]
fn what_is_there_is_read_at_once() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("XADD s 1-1 f a", "$3\r\n1-1\r\n").await;
        client.line("XGROUP CREATE s g 0", OK).await;
        let there = entries("s", &[("1-1", "a")]);
        client.line("XREAD BLOCK 0 STREAMS s 0", &there).await;
        client.line("XREAD BLOCK 0 STREAMS s +", &there).await;
        client.line("XREADGROUP GROUP g c BLOCK 0 STREAMS s >", &there).await;
        // What a consumer already has is an answer, even if it is nothing.
        client.line("XREADGROUP GROUP g c BLOCK 0 STREAMS s 0", &there).await;
        client.line("XREADGROUP GROUP g d BLOCK 0 STREAMS s 0", &entries("s", &[])).await;
        client.line("XREAD STREAMS s $", "*-1\r\n").await;
        client.line("XREADGROUP GROUP g c STREAMS s >", "*-1\r\n").await;
        client.send(b"XREADGROUP GROUP g c STREAMS s >\r\nPING\r\n").await;
        client.expect("*-1\r\n+PONG\r\n").await;
    });
}

#[test]
fn timeouts_and_their_errors_are_those_of_redis() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("XGROUP CREATE s g $ MKSTREAM", OK).await;
        for start in ["XREAD", "XREADGROUP GROUP g c"] {
            let id = if start == "XREAD" { "$" } else { ">" };
            let mut line = async |timeout: &str, reply: &str| {
                let line = format!("{start} BLOCK {timeout} STREAMS s {id}");
                client.line(&line, reply).await;
            };
            line("x", "-ERR timeout is not an integer or out of range\r\n").await;
            line("1.5", "-ERR timeout is not an integer or out of range\r\n").await;
            line("-1", "-ERR timeout is negative\r\n").await;
            line("1", "*-1\r\n").await;
            line("20", "*-1\r\n").await;
        }
        client
            .line(
                "XREAD BLOCK 0 STREAMS t s 0 x",
                "-ERR Invalid stream ID specified as stream command argument\r\n",
            )
            .await;
        client
            .line("XREADGROUP GROUP none c BLOCK 0 STREAMS s >", &NO_GROUP.replace("'g'", "'none'"))
            .await;
        client.send(b"HELLO 3\r\n").await;
        while client.some_line().await != "*0" {}
        client.line("XREAD BLOCK 1 STREAMS s $", "_\r\n").await;
        client.line("XREADGROUP GROUP g c BLOCK 1 STREAMS s >", "_\r\n").await;
        assert!(!shared.interests.get().touched, "nobody waits any more");
    });
}

#[test]
fn one_entry_serves_all_who_read_and_one_consumer_of_each_group() {
    with_node(&[], async |shared| {
        let mut adder = Client::connect(&shared).await;
        adder.send(b"XADD s 1-0 f old\r\nXGROUP CREATE s g $\r\nXGROUP CREATE s h $\r\n").await;
        adder.expect("$3\r\n1-0\r\n+OK\r\n+OK\r\n").await;
        let mut one =
            waiter(&shared, "XREADGROUP GROUP g one BLOCK 0 STREAMS s >\r\nPING", 1).await;
        let mut reader = waiter(&shared, "XREAD BLOCK 0 STREAMS s $\r\nPING", 2).await;
        let mut two = waiter(&shared, "XREADGROUP GROUP g two BLOCK 0 STREAMS s >", 3).await;
        let mut other = waiter(&shared, "XREADGROUP GROUP h one BLOCK 0 STREAMS s >", 4).await;
        let mut late = waiter(&shared, "XREAD BLOCK 0 STREAMS s 7-0", 5).await;
        let before = shared.stats.entries_proposed.get();
        adder.line("XADD s 2-0 f new", "$3\r\n2-0\r\n").await;
        let new = entries("s", &[("2-0", "new")]);
        for client in [&mut one, &mut reader] {
            client.expect(&format!("{new}+PONG\r\n")).await;
        }
        other.expect(&new).await;
        assert_eq!(shared.stats.entries_proposed.get() - before, 1, "they are served with it");
        until_blocked(&shared, 2).await;
        adder.line("XADD s 9-0 f last", "$3\r\n9-0\r\n").await;
        let last = entries("s", &[("9-0", "last")]);
        two.expect(&last).await;
        late.expect(&last).await;
        let pending = "*4\r\n:2\r\n$3\r\n2-0\r\n$3\r\n9-0\r\n*2\r\n*2\r\n$3\r\none\r\n$1\r\n1\r\n*2\r\n$3\r\ntwo\r\n$1\r\n1\r\n";
        adder.line("XPENDING s g", pending).await;
    });
}

#[test]
fn several_entries_at_once_serve_several_consumers_in_their_order() {
    with_node(&[], async |shared| {
        let mut adder = Client::connect(&shared).await;
        adder.line("XGROUP CREATE s g $ MKSTREAM", OK).await;
        let mut clients = Vec::new();
        for at in 1..=4 {
            let line = format!("XREADGROUP GROUP g c{at} COUNT 1 BLOCK 0 STREAMS s >");
            clients.push(waiter(&shared, &line, at).await);
        }
        let mut greedy = waiter(&shared, "XREAD BLOCK 0 STREAMS s 0", 5).await;
        adder
            .send(b"MULTI\r\nXADD s 1-0 f a\r\nXADD s 2-0 f b\r\nXADD s 3-0 f c\r\nEXEC\r\n")
            .await;
        adder.expect("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n$3\r\n1-0\r\n$3\r\n2-0\r\n$3\r\n3-0\r\n").await;
        for (client, id, value) in [(0, "1-0", "a"), (1, "2-0", "b"), (2, "3-0", "c")] {
            clients[client].expect(&entries("s", &[(id, value)])).await;
        }
        greedy.expect(&entries("s", &[("1-0", "a"), ("2-0", "b"), ("3-0", "c")])).await;
        until_blocked(&shared, 1).await;
        // The entry is read where it stands in the pipeline, though it is gone behind it.
        let mut reader = waiter(&shared, "XREAD BLOCK 0 STREAMS s $", 2).await;
        adder.send(b"XADD s 4-0 f d\r\nDEL s\r\n").await;
        reader.expect(&entries("s", &[("4-0", "d")])).await;
        clients[3].expect(&entries("s", &[("4-0", "d")])).await;
    });
}

#[test]
fn the_last_id_is_that_of_the_moment() {
    with_node(&[], async |shared| {
        let mut adder = Client::connect(&shared).await;
        let mut client = Client::connect(&shared).await;
        client.send(b"XADD s 5-0 f own\r\nXREAD BLOCK 0 STREAMS s $\r\nPING\r\n").await;
        client.expect("$3\r\n5-0\r\n").await;
        until_blocked(&shared, 1).await;
        // A stream that begins again does not have what the client waits for.
        adder.send(b"DEL s\r\nXADD s 3-0 f x\r\nXADD s 5-1 f y\r\n").await;
        client.expect(&format!("{}+PONG\r\n", entries("s", &[("5-1", "y")]))).await;
        client.send(b"XREAD COUNT 1 BLOCK 0 STREAMS none s + $\r\n").await;
        until_blocked(&shared, 1).await;
        adder.send(b"XADD none 1-0 f z\r\n").await;
        client.expect(&entries("none", &[("1-0", "z")])).await;
    });
}

#[test]
fn of_several_streams_all_that_is_new_is_read() {
    with_node(&[], async |shared| {
        let mut client = waiter(&shared, "HELLO 3\r\nXREAD BLOCK 0 STREAMS a b c 0 0 0", 1).await;
        while client.some_line().await != "*0" {}
        let mut adder = Client::connect(&shared).await;
        adder.send(b"MULTI\r\nXADD c 1-0 f v\r\nXADD a 2-0 f v\r\nEXEC\r\n").await;
        let list = |id: &str| format!("*1\r\n*2\r\n$3\r\n{id}\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n");
        client.expect(&format!("%2\r\n$1\r\na\r\n{}$1\r\nc\r\n{}", list("2-0"), list("1-0"))).await;
    });
}

#[test]
fn whatever_makes_a_stream_appear_serves_those_who_wait_for_it() {
    let there = entries("s", &[("1-0", "v")]);
    let table = [
        "XADD o 1-0 f v\r\nRENAME o s",
        "XADD o 1-0 f v\r\nCOPY o s",
        "SELECT 1\r\nXADD s 1-0 f v\r\nMOVE s 0",
        "SELECT 1\r\nXADD s 1-0 f v\r\nSWAPDB 0 1",
        "EVAL \"return redis.call('XADD', KEYS[1], '1-0', 'f', 'v')\" 1 s",
        "MULTI\r\nXADD s 1-0 f v\r\nEXEC",
        "SET s x\r\nDEL s\r\nXADD s 1-0 f v",
    ];
    with_node(&["--databases", "4"], async |shared| {
        for lines in table {
            let mut other = Client::connect(&shared).await;
            other.line("FLUSHALL", OK).await;
            let mut client = waiter(&shared, "XREAD BLOCK 0 STREAMS s 0", 1).await;
            let mut second = waiter(&shared, "XREAD BLOCK 0 STREAMS s 0", 2).await;
            other.send(format!("{lines}\r\n").as_bytes()).await;
            client.expect(&there).await;
            second.expect(&there).await;
        }
    });
}

#[test]
fn consumers_are_told_that_their_group_is_gone() {
    let table = [
        ("XGROUP DESTROY s g", NO_GROUP),
        ("DEL s", NO_GROUP),
        ("UNLINK s", NO_GROUP),
        ("FLUSHALL", NO_GROUP),
        ("SWAPDB 0 1", NO_GROUP),
        ("RENAME s t", NO_GROUP),
        ("XADD t 1-0 f v\r\nRENAME t s", NO_GROUP),
        ("PEXPIRE s 1", NO_GROUP),
        ("SET s x", WRONG_TYPE),
        ("MULTI\r\nDEL s\r\nLPUSH s x\r\nEXEC", WRONG_TYPE),
    ];
    with_node(&["--databases", "4"], async |shared| {
        for (lines, expected) in table {
            let mut other = Client::connect(&shared).await;
            other.send(b"FLUSHALL\r\nXGROUP CREATE s g $ MKSTREAM\r\n").await;
            other.expect("+OK\r\n+OK\r\n").await;
            let line = "XREADGROUP GROUP g c BLOCK 0 STREAMS s >";
            let mut one = waiter(&shared, line, 1).await;
            let mut two = waiter(&shared, line, 2).await;
            other.send(format!("{lines}\r\n").as_bytes()).await;
            one.expect(expected).await;
            two.expect(expected).await;
        }
        // Those who only read go on waiting.
        let mut other = Client::connect(&shared).await;
        other.send(b"FLUSHALL\r\nXADD s 1-0 f v\r\n").await;
        let mut reader = waiter(&shared, "XREAD BLOCK 0 STREAMS s $", 1).await;
        other.send(b"DEL s\r\nSET s x\r\nXADD s * f v\r\nDEL s\r\nXADD s 2-0 f v\r\n").await;
        reader.expect(&entries("s", &[("2-0", "v")])).await;
    });
}

#[test]
fn what_does_not_concern_them_makes_no_entries() {
    with_node(&[], async |shared| {
        let mut popper = waiter(&shared, "BLPOP s 0", 1).await;
        let mut other = Client::connect(&shared).await;
        other.send(b"XADD s 1-0 f v\r\nXGROUP CREATE s g 0\r\nXGROUP CREATE s h 0\r\n").await;
        other.send(b"XREADGROUP GROUP g c COUNT 9 STREAMS s >\r\nECHO ready\r\n").await;
        while other.some_line().await != "ready" {}
        let consumer = waiter(&shared, "XREADGROUP GROUP g c BLOCK 0 STREAMS s >", 2).await;
        let reader = waiter(&shared, "XREAD BLOCK 0 STREAMS s $", 3).await;
        let before = shared.stats.entries_proposed.get();
        other.line("XACK s g 1-0", ":1\r\n").await;
        other.line("XREADGROUP GROUP h c STREAMS s >", &entries("s", &[("1-0", "v")])).await;
        other.line("XGROUP DESTROY s h", ":1\r\n").await;
        other.line("XADD s 0-1 f v", "-ERR The ID specified in XADD is equal or smaller than the target stream top item\r\n").await;
        other.line("PING", "+PONG\r\n").await;
        assert_eq!(shared.stats.entries_proposed.get() - before, 4);
        until_blocked(&shared, 3).await;
        other.send(b"DEL s\r\nRPUSH s v\r\n").await;
        popper.expect("*2\r\n$1\r\ns\r\n$1\r\nv\r\n").await;
        drop((consumer, reader));
    });
}

#[test]
fn nothing_is_delivered_to_a_client_that_is_gone() {
    with_node(&[], async |shared| {
        let mut adder = Client::connect(&shared).await;
        adder.line("XGROUP CREATE s g $ MKSTREAM", OK).await;
        let line = "XREADGROUP GROUP g gone BLOCK 0 STREAMS s >";
        drop(waiter(&shared, line, 1).await);
        until_blocked(&shared, 0).await;
        let killed = waiter(&shared, line, 1).await;
        let unblocked = waiter(&shared, line, 2).await;
        let read = waiter(&shared, "XREAD BLOCK 0 STREAMS s $", 3).await;
        adder.send(b"CLIENT KILL ID 3\r\nCLIENT UNBLOCK 4 ERROR\r\nCLIENT UNBLOCK 5\r\n").await;
        adder.send(b"XADD s 1-0 f v\r\nXPENDING s g\r\n").await;
        adder.expect(":1\r\n:1\r\n:1\r\n$3\r\n1-0\r\n*4\r\n:0\r\n$-1\r\n$-1\r\n*-1\r\n").await;
        assert_eq!(killed.end().await, "");
        for (mut client, reply) in
            [(unblocked, "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"), (read, "*-1\r\n")]
        {
            client.expect(reply).await;
            client.line("PING", "+PONG\r\n").await;
        }
    });
}

#[test]
fn neither_in_a_transaction_nor_in_a_script_does_anybody_wait() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("XGROUP CREATE s g $ MKSTREAM", OK).await;
        let transactions: [(&[u8], usize); 2] = [
            (b"MULTI\r\nXREAD BLOCK 0 STREAMS s $\r\nEXEC\r\n", 1),
            (b"MULTI\r\nXREAD BLOCK 0 STREAMS s $\r\nXREADGROUP GROUP g c BLOCK 0 STREAMS s >\r\nEXEC\r\n", 2),
        ];
        for (lines, count) in transactions {
            client.send(lines).await;
            let (queued, nothing) = ("+QUEUED\r\n".repeat(count), "*-1\r\n".repeat(count));
            client.expect(&format!("+OK\r\n{queued}*{count}\r\n{nothing}")).await;
        }
        for (name, words) in
            [("xread", "'STREAMS','s','$'"), ("xreadgroup", "'GROUP','g','c','STREAMS','s','>'")]
        {
            let (first, rest) = words.split_once("'STREAMS'").expect("it is there");
            client
                .send(format!("EVAL \"return redis.call('{name}',{first}'BLOCK','1','STREAMS'{rest})\" 1 s\r\n").as_bytes())
                .await;
            let error = client.some_line().await;
            let expected =
                format!("-ERR {name} command is not allowed with BLOCK option from scripts");
            assert!(error.starts_with(&expected), "{error}");
            client
                .line(&format!("EVAL \"return redis.call('{name}',{words})\" 1 s"), "$-1\r\n")
                .await;
        }
    });
}

#[test]
fn those_whose_slot_moves_are_told_where_it_went() {
    with_node(&[], async |shared| {
        // foo is in slot 12182, bar in 5061.
        let mut other = Client::connect(&shared).await;
        other.line("XGROUP CREATE foo g $ MKSTREAM", OK).await;
        let mut reader = waiter(&shared, "XREAD BLOCK 0 STREAMS foo $", 1).await;
        let mut consumer = waiter(&shared, "XREADGROUP GROUP g c BLOCK 0 STREAMS foo >", 2).await;
        let mut stays = waiter(&shared, "XREAD BLOCK 0 STREAMS bar $", 3).await;
        shared.set_routes(Rc::new(Border(8192)));
        reader.expect("-MOVED 12182 10.0.0.9:7009\r\n").await;
        consumer.expect("-MOVED 12182 10.0.0.9:7009\r\n").await;
        let crossed = "-CROSSSLOT Keys in request don't hash to the same slot\r\n";
        consumer.line("XREAD BLOCK 0 STREAMS foo bar $ $", crossed).await;
        consumer.line("XADD bar 1-0 f v", "$3\r\n1-0\r\n").await;
        stays.expect(&entries("bar", &[("1-0", "v")])).await;
    });
}

#[test]
fn consumers_share_a_stream_and_nothing_is_lost_or_doubled() {
    const CONSUMERS: usize = 10;
    const ENTRIES: usize = 300;
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("XGROUP CREATE s g $ MKSTREAM", OK).await;
        let mut tasks = Vec::new();
        for consumer in 0..CONSUMERS {
            let shared = Rc::clone(&shared);
            tasks.push(tokio::task::spawn_local(async move {
                let (mut client, mut seen) = (Client::connect(&shared).await, Vec::new());
                let line =
                    format!("XREADGROUP GROUP g c{consumer} COUNT 1 BLOCK 0 STREAMS s >\r\n");
                loop {
                    client.send(line.as_bytes()).await;
                    client.expect("*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n").await;
                    client.bulk().await;
                    client.expect("*2\r\n$1\r\nf\r\n").await;
                    match client.bulk().await.as_str() {
                        "end" => return seen,
                        number => seen.push(number.parse::<usize>().expect("a number")),
                    }
                }
            }));
        }
        let mut adders = Vec::new();
        for adder in 0..3 {
            let shared = Rc::clone(&shared);
            adders.push(tokio::task::spawn_local(async move {
                let mut client = Client::connect(&shared).await;
                for number in (adder..ENTRIES).step_by(3) {
                    client.send(format!("XADD s * f {number}\r\n").as_bytes()).await;
                    client.bulk().await;
                }
            }));
        }
        for adder in adders {
            adder.await.expect("no panic");
        }
        client.send("XADD s * f end\r\n".repeat(CONSUMERS).as_bytes()).await;
        let mut seen = Vec::new();
        for task in tasks {
            seen.extend(task.await.expect("no panic"));
        }
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..ENTRIES), "an entry was lost or came twice");
    });
}

#[test]
fn a_replay_of_the_log_delivers_what_was_delivered() {
    run(async {
        let world = world();
        let running = start(&world, &[]).await;
        let mut client = Client::connect(&running.shared).await;
        client.line("XGROUP CREATE s g $ MKSTREAM", OK).await;
        let line = "XREADGROUP GROUP g c BLOCK 0 STREAMS s >";
        let mut waiting = waiter(&running.shared, line, 1).await;
        client.line("XADD s 1-0 f v", "$3\r\n1-0\r\n").await;
        waiting.expect(&entries("s", &[("1-0", "v")])).await;
        let _left_alone = waiter(&running.shared, line, 1).await;
        running.shared.stop(Exit::Restart);
        running.task.await.expect("no panic");
        assert_eq!(Rc::strong_count(&running.shared), 1, "a stopped node lets go of everything");

        let running = start(&world, &[]).await;
        let mut client = Client::connect(&running.shared).await;
        let pending = "*4\r\n:1\r\n$3\r\n1-0\r\n$3\r\n1-0\r\n*1\r\n*2\r\n$1\r\nc\r\n$1\r\n1\r\n";
        client.line("XPENDING s g", pending).await;
        running.shared.stop(Exit::Shutdown);
        running.task.await.expect("no panic");
    });
}
