//! A file that is edited between two runs of a node changes what comes, never what was.

use quoris_resp::Reply;
use quoris_tests::node::Node;
use quoris_tests::wait;
use quoris_tests::wire::{Wire, ask, text};

fn call(node: &Node, line: &str) -> String {
    match ask(node.address(), line).expect("it answers") {
        Reply::Integer(number) => number.to_string(),
        other => text(&other),
    }
}

/// Replies to a few lines on one connection, the last of which counts.
fn last(node: &Node, lines: &[&[&str]]) -> String {
    let mut wire = Wire::connect(node.address()).expect("it listens");
    let replies = lines.iter().map(|line| text(&wire.call(line).expect("it answers")));
    replies.last().expect("there are lines")
}

#[test]
fn thresholds_take_effect_for_what_is_made_later() {
    let mut node = Node::start(&[]);
    assert_eq!(call(&node, "HSET old a 1 b 2"), "2");
    node.terminate().expect("it stops");
    node.set_arguments(&["--hash-max-listpack-entries", "1"]);
    node.restart();
    assert_eq!(call(&node, "HSET new a 1 b 2"), "2");
    assert_eq!(call(&node, "OBJECT ENCODING new"), "hashtable");
    assert_eq!(call(&node, "OBJECT ENCODING old"), "listpack");
    // What was set at run time is older than the file that it was started with.
    assert_eq!(call(&node, "CONFIG SET hash-max-listpack-entries 7"), "OK");
    node.kill();
    node.restart();
    assert_eq!(call(&node, "HSET last a 1 b 2"), "2");
    assert_eq!(call(&node, "OBJECT ENCODING last"), "hashtable");
    // The file no longer speaks of it.
    node.kill();
    node.set_arguments(&[]);
    node.restart();
    assert_eq!(call(&node, "HSET silent a 1 b 2"), "2");
    assert_eq!(call(&node, "OBJECT ENCODING silent"), "hashtable");
}

#[test]
fn fewer_databases_never_hide_keys_or_stop_a_replay() {
    let mut node = Node::start(&["--databases", "20"]);
    assert_eq!(last(&node, &[&["SELECT", "18"], &["SET", "key", "here"]]), "OK");
    node.kill();
    node.set_arguments(&["--databases", "4"]);
    node.restart();
    wait::until("it has been told that it cannot be", || {
        node.log().contains("databases").then_some(())
    });
    assert_eq!(last(&node, &[&["SELECT", "18"], &["GET", "key"]]), "here");
    assert_eq!(last(&node, &[&["SELECT", "18"], &["FLUSHDB"]]), "OK");
    node.kill();
    node.restart();
    assert_eq!(call(&node, "SET first 1"), "OK");
    assert_eq!(last(&node, &[&["SELECT", "18"]]), "ERR DB index is out of range");
    assert_eq!(call(&node, "SWAPDB 0 4"), "ERR DB index is out of range");
    node.kill();
    node.restart();
    assert_eq!(call(&node, "GET first"), "1");
}
