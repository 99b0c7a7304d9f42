//! `MIGRATE` between two nodes, and from redis-server.

#![allow(
    clippy::disallowed_methods,
    reason = "it looks at real processes from outside, where there is no simulated time"
)]

use std::net::SocketAddr;

use quoris_resp::Reply;
use quoris_tests::node::Node;
use quoris_tests::oracle::Redis;
use quoris_tests::wire::{Wire, text};

fn connect(address: SocketAddr) -> Wire {
    Wire::connect(address).expect("the server listens")
}

/// The reply to a line, in which `''` stands for the empty word.
fn say(wire: &mut Wire, line: &str) -> String {
    let words: Vec<&str> =
        line.split(' ').map(|word| if word == "''" { "" } else { word }).collect();
    match wire.call(&words).expect("the server answers") {
        Reply::Integer(number) => number.to_string(),
        Reply::Array(elements) => elements.iter().map(text).collect::<Vec<_>>().join(", "),
        other => text(&other),
    }
}

/// A port of this machine on which nobody listens.
fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

const VALUES: &[&str] = &[
    "SET string 17",
    "RPUSH list a b c",
    "SADD set 1 2 3",
    "SADD names x y z",
    "ZADD sorted 1 a 2.5 b",
    "HSET hash f v g w",
    "XADD stream 5-1 field value",
    "PFADD count a b c",
];

#[test]
fn values_move_with_their_lifetimes() {
    let (source, target) = (Node::start(&[]), Node::start(&["--requirepass", "secret"]));
    let (mut here, mut there) = (connect(source.address()), connect(target.address()));
    let port = target.address().port();
    say(&mut there, "AUTH secret");
    say(&mut there, "SELECT 3");
    let mut names = Vec::new();
    for line in VALUES {
        say(&mut here, line);
        let name = line.split(' ').nth(1).expect("it names a key");
        let dumped = here.call(&["DUMP", name]).expect("a reply");
        names.push((name, dumped));
    }
    say(&mut here, "PEXPIREAT list 4000000000000");
    let keys: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
    let line =
        format!("MIGRATE 127.0.0.1 {port} '' 3 5000 AUTH secret KEYS none {}", keys.join(" "));
    assert_eq!(say(&mut here, &line), "OK");
    for (name, dumped) in &names {
        assert_eq!(say(&mut here, &format!("EXISTS {name}")), "0", "{name}");
        assert_eq!(there.call(&["DUMP", name]).expect("a reply"), *dumped, "{name}");
    }
    let left: i64 = say(&mut there, "PEXPIRETIME list").parse().expect("a number");
    // The lifetime travels as what is left of it.
    assert!((3_999_999_000_000..4_000_000_100_000).contains(&left), "{left}");
    assert_eq!(say(&mut there, "PTTL string"), "-1");
}

#[test]
fn a_copy_stays_and_what_is_in_the_way_is_replaced_on_demand() {
    let (source, target) = (Node::start(&[]), Node::start(&[]));
    let (mut here, mut there) = (connect(source.address()), connect(target.address()));
    let port = target.address().port();
    say(&mut here, "MSET a 1 b 2");
    say(&mut there, "SET a old");
    let busy = "ERR Target instance replied with error: BUSYKEY Target key name already exists.";
    // What could be moved has been; the rest stays.
    assert_eq!(say(&mut here, &format!("MIGRATE 127.0.0.1 {port} '' 0 5000 KEYS a b")), busy);
    assert_eq!(say(&mut here, "EXISTS a"), "1");
    assert_eq!(say(&mut here, "EXISTS b"), "0");
    assert_eq!(say(&mut there, "GET b"), "2");
    assert_eq!(say(&mut here, &format!("MIGRATE 127.0.0.1 {port} a 0 5000 COPY REPLACE")), "OK");
    assert_eq!(say(&mut here, "GET a"), "1");
    assert_eq!(say(&mut there, "GET a"), "1");
}

#[test]
fn refusals_are_those_of_redis() {
    let (ours, target) = (Node::start(&[]), Node::start(&[]));
    let redis = Redis::start(&[]);
    let (port, closed) = (target.address().port(), closed_port());
    let lines = [
        format!("MIGRATE 127.0.0.1 {port} none 0 1000"),
        format!("MIGRATE 127.0.0.1 {port} '' 0 1000"),
        format!("MIGRATE 127.0.0.1 {port} '' 0 1000 KEYS none other"),
        format!("MIGRATE 127.0.0.1 {port} a 0 1000 KEYS a"),
        format!("MIGRATE 127.0.0.1 {port} a 0 1000 MOVE"),
        format!("MIGRATE 127.0.0.1 {port} a 0 1000 AUTH"),
        format!("MIGRATE 127.0.0.1 {port} a zero 1000"),
        format!("MIGRATE 127.0.0.1 {port} a 0 soon"),
        format!("MIGRATE 127.0.0.1 {port} a 0"),
        format!("MIGRATE 127.0.0.1 {port} a 99 1000"),
        format!("MIGRATE 127.0.0.1 {port} a 0 1000 AUTH wrong"),
        format!("MIGRATE 127.0.0.1 {port} taken 0 1000"),
        format!("MIGRATE 127.0.0.1 {closed} a 0 1000"),
        "GET a".to_owned(),
    ];
    say(&mut connect(target.address()), "SET taken 1");
    let answers = |address: SocketAddr| {
        let mut wire = connect(address);
        say(&mut wire, "MSET a 1 taken 2");
        lines.iter().map(|line| format!("{line}: {}", say(&mut wire, line))).collect::<Vec<_>>()
    };
    assert_eq!(answers(ours.address()), answers(redis.address()));
}

#[test]
fn redis_gives_us_its_keys() {
    let (node, redis) = (Node::start(&[]), Redis::start(&[]));
    let (mut here, mut there) = (connect(redis.address()), connect(node.address()));
    VALUES.iter().for_each(|line| drop(say(&mut here, line)));
    let keys: Vec<&str> = VALUES.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    let port = node.address().port();
    let line = format!("MIGRATE 127.0.0.1 {port} '' 0 5000 KEYS {}", keys.join(" "));
    assert_eq!(say(&mut here, &line), "OK");
    assert_eq!(say(&mut here, "DBSIZE"), "0");
    assert_eq!(say(&mut there, "DBSIZE"), VALUES.len().to_string());
    assert_eq!(say(&mut there, "ZSCORE sorted b"), "2.5");
}

#[test]
fn a_write_meanwhile_is_neither_lost_nor_done_twice() {
    const WRITES: u64 = 2000;
    let (source, target) = (Node::start(&[]), Node::start(&[]));
    let address = source.address();
    let writer = std::thread::spawn(move || {
        let mut wire = connect(address);
        for _ in 0..WRITES {
            assert!(matches!(wire.call(&["INCR", "counter"]), Ok(Reply::Integer(_))));
        }
    });
    let (mut here, mut there) = (connect(address), connect(target.address()));
    let port = target.address().port();
    for db in 0..16 {
        let said = say(&mut here, &format!("MIGRATE 127.0.0.1 {port} counter {db} 5000"));
        assert!(said == "OK" || said == "NOKEY", "{said}");
    }
    writer.join().expect("the writer was served");
    let mut found: u64 = say(&mut here, "GET counter").parse().unwrap_or(0);
    for db in 0..16 {
        say(&mut there, &format!("SELECT {db}"));
        found += say(&mut there, "GET counter").parse::<u64>().unwrap_or(0);
    }
    assert_eq!(found, WRITES);
}

#[test]
fn it_is_no_part_of_transactions_and_scripts() {
    let node = Node::start(&[]);
    let mut wire = connect(node.address());
    say(&mut wire, "SET a 1");
    say(&mut wire, "MULTI");
    assert_eq!(say(&mut wire, "MIGRATE 127.0.0.1 1 a 0 1000"), "QUEUED");
    assert_eq!(say(&mut wire, "EXEC"), "ERR This command cannot be part of a transaction");
    let script = "return redis.pcall('migrate','127.0.0.1','1',KEYS[1],0,9).err";
    let said = text(&wire.call(&["EVAL", script, "1", "a"]).expect("a reply"));
    assert!(said.starts_with("ERR This Redis command is not allowed from script"), "{said}");
    assert_eq!(say(&mut wire, "GET a"), "1");
}
