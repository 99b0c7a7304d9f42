//! A follower that was away for longer than the log reaches back.

use std::fs;
use std::path::Path;

use quoris_tests::cluster::Cluster;
use quoris_tests::node::Node;
use quoris_tests::wait;
use quoris_tests::wire::{Wire, text};
use redis::{Commands as _, RedisResult};

use super::writer::connect;

/// The number in front of a file's name: the index of a segment's first record, or a snapshot's.
/// Files of purged segments that wait to be used again do not count.
fn indexes(directory: &Path) -> Vec<u64> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let names = entries.map(|entry| entry.expect("it can be read").file_name());
    let digits = |name: String| {
        let (stem, extension) = name.split_once('.')?;
        (extension != "spare").then(|| stem.split('-').next()?.parse().ok())?
    };
    names.filter_map(|name| digits(name.into_string().ok()?)).collect()
}

fn newest_record(node: &Node) -> u64 {
    indexes(&node.data().join("aof")).into_iter().max().unwrap_or_default()
}

fn oldest_record(node: &Node) -> u64 {
    indexes(&node.data().join("aof")).into_iter().min().unwrap_or_default()
}

fn get(wire: &mut Wire, key: &str) -> String {
    text(&wire.call(&["GET", key]).expect("it answers"))
}

#[test]
fn a_follower_that_was_away_for_too_long_gets_a_snapshot() {
    let limits = ["--snapshot-log-bytes", "1mb", "--aof-segment-size", "1mb"];
    let arguments = [&limits[..], &["--cluster-node-timeout", "2000"]].concat();
    let mut cluster = Cluster::start(1, 3, &arguments);
    let leader = cluster.leaders()[0];
    let away = (leader + 1) % 3;
    let mut connection = connect(&cluster);
    let _: () = connection.set("before", 1).expect("it is written");
    cluster.nodes[away].kill();
    let last_seen = newest_record(&cluster.nodes[away]);

    let value = "v".repeat(20_000);
    let mut written = 0;
    wait::until("the log no longer reaches back to what the follower has", || {
        for _ in 0..50 {
            // On a busy machine, leadership may change hands meanwhile.
            wait::until("the write is acknowledged", || {
                let reply: RedisResult<()> = connection.set(format!("key:{written}"), &value);
                reply.ok()
            });
            written += 1;
        }
        (oldest_record(&cluster.nodes[leader]) > last_seen + 100).then_some(())
    });

    cluster.nodes[away].restart();
    let mut wire = Wire::connect(cluster.nodes[away].address()).expect("it listens");
    wire.call(&["READONLY"]).expect("it answers");
    let last = format!("key:{}", written - 1);
    wait::until("the follower has everything", || (get(&mut wire, &last) == value).then_some(()));
    assert_eq!(get(&mut wire, "before"), "1");
    for number in 0..written {
        assert_eq!(get(&mut wire, &format!("key:{number}")), value, "key:{number}");
    }
    let snapshots = indexes(&cluster.nodes[away].data().join("snapshots"));
    assert!(snapshots.iter().any(|index| *index > last_seen), "{snapshots:?}, {last_seen}");

    // What it received is also what it starts from.
    cluster.nodes[away].kill();
    cluster.nodes[away].restart();
    let mut wire = Wire::connect(cluster.nodes[away].address()).expect("it listens");
    wire.call(&["READONLY"]).expect("it answers");
    wait::until("it still has everything", || (get(&mut wire, &last) == value).then_some(()));
    assert_eq!(get(&mut wire, "key:0"), value);
}
