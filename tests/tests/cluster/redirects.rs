//! Which node answers for which key, byte for byte.

use quoris_resp::Reply;
use quoris_tests::cluster::Cluster;
use quoris_tests::wait;
use quoris_tests::wire::{Wire, ask, text};

use super::CLUSTER;

/// Keys whose slots everybody knows.
const FOO: (&str, u16) = ("foo", 12182);
const BAR: (&str, u16) = ("bar", 5061);
const HELLO: (&str, u16) = ("hello", 866);

fn wire(cluster: &Cluster, node: usize) -> Wire {
    Wire::connect(cluster.nodes[node].address()).expect("it listens")
}

/// The bytes that a node answers to an inline request.
fn raw(cluster: &Cluster, node: usize, request: &str) -> String {
    let mut wire = wire(cluster, node);
    wire.send(format!("{request}\r\nQUIT\r\n").as_bytes()).expect("it reads");
    let received = wire.read_to_end().expect("it answers");
    let received = String::from_utf8(received).expect("it is text");
    received.strip_suffix("+OK\r\n").expect("it says goodbye").to_owned()
}

fn moved(cluster: &Cluster, slot: u16, leader: usize) -> String {
    format!("-MOVED {slot} {}\r\n", cluster.nodes[leader].address())
}

#[test]
fn every_other_node_sends_a_client_to_the_leader() {
    CLUSTER.lend(|cluster| {
        for (key, slot) in [FOO, BAR, HELLO] {
            let leader = cluster.leader_of(key);
            assert_eq!(raw(cluster, leader, &format!("SET {key} 1")), "+OK\r\n");
            for node in (0..9).filter(|node| *node != leader) {
                for request in [format!("GET {key}"), format!("SET {key} 2")] {
                    assert_eq!(raw(cluster, node, &request), moved(cluster, slot, leader));
                }
            }
            assert_eq!(raw(cluster, leader, &format!("GET {key}")), "$1\r\n1\r\n");
        }
    });
}

#[test]
fn keys_of_one_command_are_of_one_slot() {
    CLUSTER.lend(|cluster| {
        let crossed = "-CROSSSLOT Keys in request don't hash to the same slot\r\n";
        for node in 0..9 {
            assert_eq!(raw(cluster, node, "MGET foo bar"), crossed);
            assert_eq!(raw(cluster, node, "MSET {a}1 x {b}1 y"), crossed);
        }
        let leader = cluster.leader_of("{tag}");
        assert_eq!(raw(cluster, leader, "MSET {tag}a 1 {tag}b 2"), "+OK\r\n");
        assert_eq!(raw(cluster, leader, "MGET {tag}b {tag}a"), "*2\r\n$1\r\n2\r\n$1\r\n1\r\n");
        assert_eq!(raw(cluster, leader, "DEL {tag}a {tag}b"), ":2\r\n");
    });
}

#[test]
fn a_follower_answers_reads_when_it_is_told_that_they_may_lag() {
    CLUSTER.lend(|cluster| {
        let (key, slot) = FOO;
        let leader = cluster.leader_of(key);
        let reply = ask(cluster.nodes[leader].address(), &format!("SET {key} read")).expect("OK");
        assert_eq!(text(&reply), "OK");
        let followers = cluster.followers_of(key);
        assert_eq!(followers.len(), 2);
        for follower in followers {
            let mut wire = wire(cluster, follower);
            assert_eq!(text(&wire.call(&["READONLY"]).expect("it answers")), "OK");
            wait::until("the follower has the write", || {
                (text(&wire.call(&["GET", key]).expect("it answers")) == "read").then_some(())
            });
            let to_leader = moved(cluster, slot, leader);
            let error = |reply: Reply| format!("-{}\r\n", text(&reply));
            assert_eq!(error(wire.call(&["SET", key, "x"]).expect("it answers")), to_leader);
            assert_eq!(text(&wire.call(&["READWRITE"]).expect("it answers")), "OK");
            assert_eq!(error(wire.call(&["GET", key]).expect("it answers")), to_leader);
        }
        for stranger in (0..9).filter(|node| !cluster.members_of(key).contains(node)) {
            let mut wire = wire(cluster, stranger);
            wire.call(&["READONLY"]).expect("it answers");
            let reply = wire.call(&["GET", key]).expect("it answers");
            assert!(text(&reply).starts_with(&format!("MOVED {slot} ")), "{reply:?}");
        }
    });
}

#[test]
fn a_follower_cannot_be_emptied() {
    CLUSTER.lend(|cluster| {
        let follower = cluster.followers_of("foo")[0];
        let refused = "-READONLY You can't write against a read only replica.\r\n";
        assert_eq!(raw(cluster, follower, "FLUSHALL"), refused);
        assert_eq!(raw(cluster, follower, "FLUSHDB"), refused);
    });
}
