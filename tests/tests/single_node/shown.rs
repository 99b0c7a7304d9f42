//! What operators are shown of clients that wait: `MONITOR` when they begin to, `SLOWLOG` when they
//! have been served, and the counters of `INFO` one call; as by redis-server.

use std::net::SocketAddr;

use quoris_resp::Reply;
use quoris_tests::node::Node;
use quoris_tests::oracle::Redis;
use quoris_tests::wait;
use quoris_tests::wire::{Wire, text};

/// Who waits for what, and how somebody else serves it.
const SERVED: &[(&str, &str)] = &[
    ("BLPOP l m 0", "RPUSH m a"),
    ("BRPOP l 0", "LPUSH l a"),
    ("BLMOVE l m LEFT RIGHT 0", "RPUSH l a"),
    ("BRPOPLPUSH l m 0", "RPUSH l b"),
    ("BLMPOP 0 2 l n LEFT", "RPUSH n a"),
    ("BZPOPMIN z 0", "ZADD z 1 a"),
    ("BZPOPMAX y z 0", "ZADD z 2 a"),
    ("BZMPOP 0 1 z MIN", "ZADD z 3 a"),
    ("XREAD BLOCK 0 STREAMS s t $ 0", "XADD s 1-1 f v"),
    ("XREAD BLOCK 0 STREAMS s $", "RENAME ready s"),
    ("XREADGROUP GROUP g c BLOCK 0 STREAMS t >", "XADD t 2-1 f v"),
];

/// A request that waits for nothing, and one whose wait is ended.
const IN_BETWEEN: &str = "XREAD BLOCK 0 STREAMS s 0";
const UNSERVED: &str = "BLPOP nothing 0";

/// What the test itself says beside that.
const OPERATOR: [&str; 5] = ["CLIENT", "CONFIG", "INFO", "MONITOR", "SLOWLOG"];

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

fn blocked(control: &mut Wire) -> String {
    let info = text(&control.call(&["INFO", "clients"]).expect("it answers"));
    let (_, behind) = info.split_once("blocked_clients:").expect("it is counted");
    behind.lines().next().expect("it is a number").to_owned()
}

/// Lets one wait and another end that.
fn play(client: &mut Wire, control: &mut Wire, line: &str, end: &[&str]) {
    client.send(format!("{line}\r\n").as_bytes()).expect("it is open");
    wait::until("it waits", || (blocked(control) == "1").then_some(()));
    control.call(end).expect("it answers");
    client.reply().expect("it is served");
}

/// Everything that a monitor is shown, without times and addresses.
fn monitored(monitor: &mut Wire) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let line = text(&monitor.reply().expect("it is shown"));
        let (head, said) = line.split_once("] ").expect("it has a head");
        let db = head.split_once('[').expect("it has a head").1.split(' ').next();
        if said == "\"PING\" \"end\"" {
            return lines;
        }
        if !said.starts_with("\"INFO\"") {
            lines.push(format!("{} {said}", db.expect("it has a database")));
        }
    }
}

/// The words of the slow log, the oldest first.
fn slow(control: &mut Wire) -> Vec<Vec<String>> {
    let reply = control.call(&["SLOWLOG", "GET", "-1"]).expect("it answers");
    let entries = reply.as_slice().expect("a list").iter().rev();
    let words = entries.map(|entry| match entry.as_slice() {
        Some([_, _, _, Reply::Array(words), ..]) => words.iter().map(text).collect::<Vec<_>>(),
        _ => panic!("no entry: {entry:?}"),
    });
    // 7.0 logs one who was told to wait no longer, having forgotten the words.
    let is_told =
        |words: &Vec<String>| words.first().is_some_and(|name| !OPERATOR.contains(&name.as_str()));
    words.filter(is_told).collect()
}

/// How often each command that may wait was called.
fn calls(control: &mut Wire) -> Vec<String> {
    let info = text(&control.call(&["INFO", "commandstats"]).expect("it answers"));
    let waits = |line: &&str| line.starts_with("cmdstat_b") || line.starts_with("cmdstat_xread");
    let lines = info.lines().filter(waits);
    let calls = lines.map(|line| line.split(',').next().expect("split gives one").to_owned());
    let mut calls: Vec<_> = calls.collect();
    calls.sort();
    calls
}

type Shown = (Vec<String>, Vec<Vec<String>>, Vec<String>);

fn shown(address: SocketAddr) -> Shown {
    let connect = || Wire::connect(address).expect("it listens");
    let (mut control, mut client, mut monitor) = (connect(), connect(), connect());
    let own = client.call(&["CLIENT", "ID"]).expect("it answers").as_integer().expect("an id");
    control.call(&words("CONFIG SET slowlog-log-slower-than 0")).expect("it answers");
    control.call(&words("CONFIG SET slowlog-max-len 10000")).expect("it answers");
    control.call(&words("XGROUP CREATE t g $ MKSTREAM")).expect("it answers");
    control.call(&words("XADD ready 5-1 f v")).expect("it answers");
    control.call(&words("CONFIG RESETSTAT")).expect("it answers");
    control.call(&words("SLOWLOG RESET")).expect("it answers");
    monitor.call(&["MONITOR"]).expect("it answers");
    for (line, serve) in SERVED {
        play(&mut client, &mut control, line, &words(serve));
    }
    client.call(&words(IN_BETWEEN)).expect("it answers");
    play(&mut client, &mut control, UNSERVED, &["CLIENT", "UNBLOCK", &own.to_string()]);
    control.call(&["PING", "end"]).expect("it answers");
    (monitored(&mut monitor), slow(&mut control), calls(&mut control))
}

#[test]
fn those_who_wait_are_shown_as_by_redis() {
    let (node, redis) = (Node::start(&[]), Redis::start(&[]));
    let (ours, theirs) = (shown(node.address()), shown(redis.address()));
    assert_eq!(ours.0, theirs.0, "MONITOR");
    assert_eq!(ours.1, theirs.1, "SLOWLOG");
    assert_eq!(ours.2, theirs.2, "INFO commandstats");
}
