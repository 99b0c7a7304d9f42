//! Clients that wait for entries of a stream when their leader goes.

use std::net::SocketAddr;

use quoris_resp::Reply;
use quoris_tests::cluster::Cluster;
use quoris_tests::tool::cli;
use quoris_tests::wait;
use quoris_tests::wire::{Wire, ask, text};

use super::CLUSTER;

const ROUNDS: usize = 3;

/// Sends a request and waits until one more client of the node is blocked.
pub fn block(address: SocketAddr, before: &[&str], line: &str) -> Wire {
    let mut wire = Wire::connect(address).expect("the node listens");
    for line in before {
        assert_eq!(text(&call(&mut wire, line)), "OK");
    }
    let blocked = blocked_clients(address).expect("it answers") + 1;
    wire.send(format!("{line}\r\n").as_bytes()).expect("the node reads");
    wait::until("the client is blocked", || {
        (blocked_clients(address) == Some(blocked)).then_some(())
    });
    wire
}

fn blocked_clients(address: SocketAddr) -> Option<usize> {
    let info = text(&ask(address, "INFO clients").ok()?);
    info.split_once("blocked_clients:")?.1.lines().next()?.parse().ok()
}

pub fn call(wire: &mut Wire, line: &str) -> Reply {
    let words: Vec<&str> = line.split(' ').collect();
    wire.call(&words).expect("the node answers")
}

/// The ids in the reply to a read of one stream.
pub fn ids(reply: &Reply) -> Vec<String> {
    let streams = reply.as_slice().unwrap_or_else(|| panic!("there is something: {reply:?}"));
    let entries = streams[0].as_slice().and_then(|pair| pair[1].as_slice());
    let id = |entry: &Reply| text(&entry.as_slice().expect("an id and fields")[0]);
    entries.expect("a list of entries").iter().map(id).collect()
}

fn leader(cluster: &Cluster, key: &str) -> SocketAddr {
    cluster.nodes[cluster.leader_of(&format!("none:{{{key}}}"))].address()
}

#[test]
fn those_who_wait_are_told_when_leadership_moves() {
    CLUSTER.lend(|cluster| {
        let key = "waiting:moves";
        let address = leader(cluster, key);
        ask(address, &format!("XGROUP CREATE {key} g $ MKSTREAM")).expect("it is made");
        let lines = [
            format!("XREAD BLOCK 0 STREAMS {key} $"),
            format!("XREADGROUP GROUP g c BLOCK 0 STREAMS {key} >"),
            format!("BLPOP {{{key}}}:list 0"),
        ];
        let waiting: Vec<Wire> = lines.iter().map(|line| block(address, &[], line)).collect();
        let new = cluster.followers_of(&format!("none:{{{key}}}"))[0];
        cli(&["failover", "--yes", &cluster.nodes[new].address().to_string()]).success();
        for mut wire in waiting {
            let told = text(&wire.reply().expect("it is told"));
            assert!(told.starts_with("UNBLOCKED ") || told.starts_with("MOVED "), "{told}");
        }
        let address = leader(cluster, key);
        let mut consumer = block(address, &[], &lines[1]);
        ask(address, &format!("XADD {key} 1-1 f v")).expect("it is added");
        assert_eq!(ids(&consumer.reply().expect("it is served")), ["1-1"]);
    });
}

#[test]
fn an_entry_is_delivered_once_though_leaders_die() {
    CLUSTER.lend(|cluster| {
        let key = "waiting:dies";
        let address = leader(cluster, key);
        ask(address, &format!("XGROUP CREATE {key} g $ MKSTREAM")).expect("it is made");
        let line = format!("XREADGROUP GROUP g c BLOCK 0 STREAMS {key} >");
        for round in 1..=ROUNDS {
            let key_of_shard = format!("none:{{{key}}}");
            let dying = cluster.leader_of(&key_of_shard);
            let mut gone = block(cluster.nodes[dying].address(), &[], &line);
            // Whoever reads from a follower goes on waiting, even if that comes to lead.
            let follower = cluster.nodes[cluster.followers_of(&key_of_shard)[0]].address();
            let read = format!("XREAD BLOCK 0 STREAMS {key} $");
            let mut reader = block(follower, &["READONLY"], &read);
            cluster.nodes[dying].kill();
            gone.reply().expect_err("its node is gone");
            cluster.wait_until_whole();
            let address = leader(cluster, key);
            let mut consumer = block(address, &[], &line);
            let id = format!("{round}-1");
            ask(address, &format!("XADD {key} {id} f v")).expect("it is added");
            assert_eq!(ids(&consumer.reply().expect("it is served")), [&*id]);
            assert_eq!(ids(&reader.reply().expect("it is served")), [&*id]);
            let pending = ask(address, &format!("XPENDING {key} g")).expect("it is counted");
            let count = pending.as_slice().and_then(|parts| parts[0].as_integer());
            assert_eq!(count, Some(round as i64), "{pending:?}");
            cluster.nodes[dying].restart();
            cluster.wait_until_whole();
        }
    });
}
