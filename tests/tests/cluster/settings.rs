//! Directives that decide what a command does are the shard's, whatever its nodes' files say.

use std::net::SocketAddr;

use quoris_resp::Reply;
use quoris_tests::cluster::Cluster;
use quoris_tests::node::Node;
use quoris_tests::wait;
use quoris_tests::wire::{Wire, ask, text};

const NAME: &str = "hash-max-listpack-entries";

fn setting(node: SocketAddr) -> Option<String> {
    let reply = ask(node, &format!("CONFIG GET {NAME}")).ok()?;
    Some(text(&reply.as_slice()?[1]))
}

/// What a follower says of a key.
fn encoding(node: SocketAddr, key: &str) -> Option<String> {
    let mut wire = Wire::connect(node).ok()?;
    wire.call(&["READONLY"]).ok()?;
    Some(text(&wire.call(&["OBJECT", "ENCODING", key]).ok()?))
}

fn agree_on(cluster: &Cluster, key: &str, expected: &str) {
    for address in cluster.addresses() {
        wait::until("the replica has applied it", || {
            encoding(address, key).filter(|found| found == expected)
        });
    }
}

#[test]
fn replicas_with_different_files_are_one_shard() {
    let common = ["--cluster-node-timeout", "2000", "--hash-max-listpack-entries"];
    let start = |entries: &&str| Node::start(&[&common[..], &[*entries]].concat());
    let nodes = ["1", "2", "3"].iter().map(start).collect();
    let cluster = Cluster::form(1, nodes);
    let leader = cluster.leaders()[0];
    // Each had its own wish granted while it was alone; the cluster's shard is a new one, and its
    // first leader's file decides.
    let entries = leader + 1;
    for address in cluster.addresses() {
        wait::until("the node says what holds for the shard", || {
            (setting(address)? == entries.to_string()).then_some(())
        });
    }
    let address = cluster.addresses()[leader];
    for fields in 1..=4 {
        let field = |field: usize| format!(" f{field} v");
        let words: String = (0..fields).map(field).collect();
        let reply = ask(address, &format!("HSET hash:{fields}{words}")).expect("it answers");
        assert_eq!(reply, Reply::Integer(fields as i64));
        let expected = if fields <= entries { "listpack" } else { "hashtable" };
        agree_on(&cluster, &format!("hash:{fields}"), expected);
    }

    let follower = cluster.addresses()[(leader + 1) % 3];
    let refused = ask(follower, &format!("CONFIG SET {NAME} 9")).expect("it answers");
    let refusal = refused.as_error().expect("it is refused").to_owned();
    assert!(refusal.ends_with(&format!("set it on its leader, {address}")), "{refusal}");
    assert_eq!(text(&ask(address, &format!("CONFIG SET {NAME} 9")).expect("it answers")), "OK");
    for address in cluster.addresses() {
        wait::until("the node has heard of it", || (setting(address)? == "9").then_some(()));
    }
    ask(address, "HSET later a 1 b 2 c 3 d 4 e 5").expect("it answers");
    agree_on(&cluster, "later", "listpack");
}
