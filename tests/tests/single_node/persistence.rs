//! What a node remembers when its process ends, however it ends.

use quoris_resp::Reply;
use quoris_tests::node::Node;
use quoris_tests::wait;
use quoris_tests::wire::{Wire, ask, text};

/// Writes a bit of everything, and kills the process as soon as the last write is acknowledged.
fn survives_a_crash(appendfsync: &str) {
    let mut node = Node::start(&["--appendfsync", appendfsync]);
    let mut wire = Wire::connect(node.address()).expect("it listens");
    for number in 0..200 {
        let words = ["SET", &format!("key:{number}"), &format!("value {number}")];
        assert_eq!(text(&wire.call(&words).expect("it answers")), "OK");
    }
    let commands: [&[&str]; 7] = [
        &["RPUSH", "list", "a", "b", "c"],
        &["HSET", "hash", "field", "value"],
        &["SADD", "set", "x", "y"],
        &["ZADD", "sorted", "2", "b", "1", "a"],
        &["SELECT", "3"],
        &["SET", "elsewhere", "1"],
        &["INCRBY", "elsewhere", "41"],
    ];
    for command in commands {
        let reply = wire.call(command).expect("it answers");
        assert!(reply.as_error().is_none(), "{command:?}: {reply:?}");
    }
    node.kill();
    node.restart();

    let mut wire = Wire::connect(node.address()).expect("it listens");
    assert_eq!(wire.call(&["DBSIZE"]).expect("it answers"), Reply::Integer(204));
    for number in 0..200 {
        let reply = wire.call(&["GET", &format!("key:{number}")]).expect("it answers");
        assert_eq!(text(&reply), format!("value {number}"));
    }
    wire.send(b"LRANGE list 0 -1\r\nHGET hash field\r\nSCARD set\r\nZRANGE sorted 0 -1\r\n")
        .expect("it reads");
    wire.send(b"SELECT 3\r\nGET elsewhere\r\n").expect("it reads");
    let expected: &[u8] = b"*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$5\r\nvalue\r\n:2\r\n\
          *2\r\n$1\r\na\r\n$1\r\nb\r\n+OK\r\n$2\r\n42\r\n";
    let received = wire.read_through(b"$2\r\n42\r\n").expect("it answers");
    assert_eq!(received.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

#[test]
fn a_crash_costs_nothing_with_a_sync_per_write() {
    survives_a_crash("always");
}

#[test]
fn a_crash_of_the_process_costs_nothing_with_a_sync_per_second() {
    survives_a_crash("everysec");
}

#[test]
fn a_crash_of_the_process_costs_nothing_without_syncs() {
    survives_a_crash("no");
}

#[test]
fn expiry_goes_on_while_a_node_is_down() {
    let mut node = Node::start(&[]);
    let address = node.address();
    for command in ["SET brief 1 PX 1", "SET long 1 EX 10000", "SET forever 1"] {
        assert_eq!(text(&ask(address, command).expect("it answers")), "OK");
    }
    node.kill();
    node.restart();
    wait::until("the brief key has gone", || {
        ask(address, "GET brief").ok()?.is_null().then_some(())
    });
    wait::until("it is not counted either", || {
        (ask(address, "DBSIZE").ok()? == Reply::Integer(2)).then_some(())
    });
    let left = ask(address, "TTL long").expect("it answers").as_integer().expect("a number");
    assert!((1..=10_000).contains(&left), "{left}");
    assert_eq!(ask(address, "TTL forever").expect("it answers"), Reply::Integer(-1));
}

#[test]
fn a_node_that_is_told_to_stop_says_that_all_is_well() {
    let mut node = Node::start(&[]);
    assert_eq!(text(&ask(node.address(), "SET a 1").expect("it answers")), "OK");
    let status = node.terminate().expect("the signal is sent");
    assert_eq!(status.code(), Some(0), "{}", node.log());
    node.restart();
    assert_eq!(text(&ask(node.address(), "GET a").expect("it answers")), "1");
}

#[test]
fn a_log_that_is_long_is_cut_behind_a_snapshot_and_still_complete() {
    let mut node = Node::start(&["--snapshot-log-bytes", "1mb", "--aof-segment-size", "1mb"]);
    let mut wire = Wire::connect(node.address()).expect("it listens");
    let aof = node.data().join("aof");
    let oldest = || {
        let names = std::fs::read_dir(&aof).expect("it has a log");
        let names = names.map(|entry| entry.expect("it can be read").path());
        names.filter(|path| path.extension().is_some_and(|it| it == "aof")).min()
    };
    let first = oldest();
    let value = "v".repeat(10_000);
    let mut written = 0;
    wait::until("the beginning of the log is gone", || {
        for _ in 0..50 {
            let reply = wire.call(&["SET", &format!("key:{written}"), &value]).expect("it answers");
            assert_eq!(text(&reply), "OK");
            written += 1;
        }
        (oldest() != first).then_some(())
    });
    node.kill();
    node.restart();
    assert_eq!(ask(node.address(), "DBSIZE").expect("it answers"), Reply::Integer(written));
    let last = format!("GET key:{}", written - 1);
    assert_eq!(text(&ask(node.address(), &last).expect("it answers")), value);
}
