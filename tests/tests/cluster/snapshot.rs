//! A follower that was away for longer than the log reaches back.
//!
//! Those who read from it go on where the snapshot has brought it.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use quoris_resp::Reply;
use quoris_tests::cluster::Cluster;
use quoris_tests::node::Node;
use quoris_tests::shared::Shared;
use quoris_tests::wait;
use quoris_tests::wire::{Wire, ask, text};
use redis::cluster::ClusterConnection;
use redis::{Commands as _, RedisResult};

use super::waiting::{block, call, ids};
use super::writer::connect;

/// Its nodes soon forget what they have logged.
static FORGETFUL: Shared = Shared::new(|| {
    let limits = ["--snapshot-log-bytes", "1mb", "--aof-segment-size", "1mb"];
    Cluster::start(1, 3, &[&limits[..], &["--cluster-node-timeout", "2000"]].concat())
});

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

/// Writes keys until the log of a node begins behind what was seen. How many there are then.
fn write_past(connection: &mut ClusterConnection, node: &Node, last_seen: u64) -> u64 {
    let mut written = 0;
    wait::until("the log no longer reaches back to what the follower has", || {
        write(connection, written..written + 50);
        written += 50;
        (oldest_record(node) > last_seen + 100).then_some(())
    });
    written
}

fn write(connection: &mut ClusterConnection, numbers: Range<u64>) {
    let value = value();
    for number in numbers {
        // On a busy machine, leadership may change hands meanwhile.
        wait::until("the write is acknowledged", || {
            let reply: RedisResult<()> = connection.set(format!("key:{number}"), &value);
            reply.ok()
        });
    }
}

fn value() -> String {
    "v".repeat(20_000)
}

/// Stops a node in the middle of whatever it does, or lets it go on.
fn signal(node: &Node, name: &str) {
    let id = node.pid().expect("it runs").to_string();
    let status = Command::new("kill").args([name, &id]).status().expect("there is a kill");
    assert!(status.success(), "{status}");
}

/// Waits for a reply, and tells what keeps it.
fn told(wire: &mut Wire) -> Vec<String> {
    ids(&wire.reply().expect("who waits on a follower is served"))
}

#[test]
fn those_who_read_from_a_follower_are_served_by_a_snapshot() {
    FORGETFUL.lend(|cluster| {
        let leader = cluster.leaders()[0];
        let follower = &cluster.nodes[(leader + 1) % 3];
        let (mut connection, leader) = (connect(cluster), &cluster.nodes[leader]);
        for line in ["DEL s t r", "XADD s 1-1 f v", "XADD t 1-1 f v", "XADD r 1-1 f v"] {
            ask(leader.address(), line).expect("it is written");
        }
        let mut plain = Wire::connect(follower.address()).expect("it listens");
        call(&mut plain, "READONLY");
        wait::until("the follower has them", || {
            (call(&mut plain, "XLEN r") == Reply::Integer(1)).then_some(())
        });
        let waits = |line: &str| block(follower.address(), &["READONLY"], line);
        let mut by_snapshot = waits("XREAD BLOCK 0 STREAMS s none $ 0");
        let mut by_all = waits("XREAD BLOCK 0 STREAMS s t $ $");
        let mut later = waits("XREAD BLOCK 0 STREAMS t $");
        let mut replaced = waits("XREAD BLOCK 0 STREAMS r $");

        signal(follower, "-STOP");
        let last_seen = newest_record(follower);
        // The first entries that it misses lie in its socket already.
        write(&mut connection, 0..100);
        for line in ["XADD s 2-1 f v", "DEL r"] {
            ask(leader.address(), line).expect("it is written");
        }
        write_past(&mut connection, leader, last_seen);
        signal(follower, "-CONT");

        assert_eq!(told(&mut by_snapshot), ["2-1"]);
        assert_eq!(told(&mut by_all), ["2-1"]);
        let read = call(&mut plain, "XREAD COUNT 2 STREAMS s 1");
        assert_eq!(ids(&read), ["1-1", "2-1"]);
        let snapshots = indexes(&follower.data().join("snapshots"));
        assert!(snapshots.iter().any(|index| *index > last_seen), "{snapshots:?}, {last_seen}");
        // Those whom it had nothing for go on waiting, and are served by what comes next.
        for line in ["XADD t 2-1 f v", "XADD r 9-1 f v"] {
            ask(leader.address(), line).expect("it is written");
        }
        assert_eq!(told(&mut later), ["2-1"]);
        assert_eq!(told(&mut replaced), ["9-1"]);
    });
}

#[test]
fn a_follower_that_was_away_for_too_long_gets_a_snapshot() {
    FORGETFUL.lend(away_for_too_long);
}

fn away_for_too_long(cluster: &mut Cluster) {
    let leader = cluster.leaders()[0];
    let away = (leader + 1) % 3;
    let mut connection = connect(cluster);
    let _: () = connection.set("before", 1).expect("it is written");
    cluster.nodes[away].kill();
    let last_seen = newest_record(&cluster.nodes[away]);
    let written = write_past(&mut connection, &cluster.nodes[leader], last_seen);
    let value = value();

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
