//! Clients that people use, against three shards of three nodes of which one leader dies.
//!
//! The programs on libraries of other languages are in `clients/`; each prints as its last line how
//! many writes were acknowledged, after it has found every one of them again.

#![allow(
    clippy::disallowed_methods,
    reason = "it looks at real processes from outside, where there is no simulated time"
)]

use std::process::Command;

use quoris_tests::cluster::Cluster;
use quoris_tests::node::Node;
use quoris_tests::program::{self, Program};
use quoris_tests::shared::Shared;
use quoris_tests::tool::run;

/// Elections are not what is tested here: a machine that is busy with nine debug builds need not
/// hold one for every hiccup.
static CLUSTER: Shared = Shared::new(|| {
    Cluster::start(3, 3, &["--cluster-node-timeout", "2000", "--appendfsync", "no"])
});

/// Tells a program that it has written enough, and takes its last word.
fn finish(mut program: Program) {
    program.tell("enough");
    let line = program.line();
    let count = line
        .strip_prefix("all ")
        .and_then(|rest| rest.strip_suffix(" acknowledged writes are there")?.parse::<u64>().ok());
    assert!(count.is_some_and(|count| count >= 128), "{line}");
    program.succeeds();
}

/// A program on redis-py; `kind` is `cluster` or `plain`.
fn python(kind: &str, node: &Node) -> Command {
    let mut command = program::python("tests/clients/redis_py.py");
    command.arg(kind);
    at(node, command)
}

/// A program on a library for Node.
fn javascript(program: &str, node: &Node) -> Command {
    at(node, program::javascript(&format!("tests/clients/{program}")))
}

fn at(node: &Node, mut command: Command) -> Command {
    command.arg("127.0.0.1").arg(node.address().port().to_string());
    command
}

/// Kills a leader and waits until its shard has another.
fn kill_a_leader(cluster: &mut Cluster) -> usize {
    let leader = cluster.leader_of("whose:leader:dies");
    cluster.nodes[leader].kill();
    cluster.wait_until_whole();
    leader
}

fn outlives_a_leader(make: impl FnOnce(&Node) -> Command) {
    CLUSTER.lend(|cluster| {
        let program = Program::start(make(&cluster.nodes[0]));
        assert_eq!(program.line(), "ready");
        kill_a_leader(cluster);
        finish(program);
    });
}

#[test]
fn redis_py_on_a_cluster() {
    outlives_a_leader(|node| python("cluster", node));
}

#[test]
fn ioredis_on_a_cluster() {
    outlives_a_leader(|node| javascript("ioredis.js", node));
}

#[test]
fn node_redis_on_a_cluster() {
    CLUSTER.lend(|cluster| {
        let program = Program::start(javascript("node_redis.js", &cluster.nodes[0]));
        assert_eq!(program.line(), "ready");
        let dead = kill_a_leader(cluster);
        // It asks who leads only when a node redirects it, so the dead one has to come back.
        cluster.nodes[dead].restart();
        finish(program);
    });
}

/// Lets a program have its rounds, which end with nobody's leader dead.
fn has_its_rounds(make: impl FnOnce(&Node) -> Command) {
    CLUSTER.lend(|cluster| {
        let program = Program::start(make(&cluster.nodes[0]));
        assert_eq!(program.line(), "2 rounds");
        program.succeeds();
    });
}

#[test]
fn redis_py_gives_functions_and_scripts_to_all_shards() {
    has_its_rounds(|node| at(node, program::python("tests/clients/fan_out.py")));
}

#[test]
fn ioredis_gives_functions_and_scripts_to_all_shards() {
    has_its_rounds(|node| javascript("fan_out.js", node));
}

#[test]
fn redis_py_on_one_node() {
    let mut node = Node::start(&[]);
    let program = Program::start(python("plain", &node));
    assert_eq!(program.line(), "ready");
    node.kill();
    node.restart();
    finish(program);
}

#[test]
fn redis_cli_follows_redirections() {
    CLUSTER.lend(|cluster| {
        let keys = 0..200;
        let session = |cluster: &Cluster, node: usize, line: fn(u32) -> String| {
            let port = cluster.nodes[node].address().port().to_string();
            let input: String = keys.clone().map(line).collect();
            run("redis-cli", &["-c", "-p", &port], &input).success()
        };
        let said = session(cluster, 0, |key| format!("SET cli:{key} {key}\n"));
        assert_eq!(said.lines().filter(|line| *line == "OK").count(), 200, "{said}");
        let dead = kill_a_leader(cluster);
        let said = session(cluster, (dead + 1) % 9, |key| format!("GET cli:{key}\n"));
        let values: Vec<&str> = said.lines().filter(|line| !line.starts_with("->")).collect();
        let expected: Vec<String> = keys.map(|key| key.to_string()).collect();
        assert_eq!(values, expected, "{said}");
    });
}

#[test]
fn redis_cli_finds_nothing_to_complain_about() {
    CLUSTER.lend(|cluster| {
        let address = cluster.nodes[4].address().to_string();
        let said = run("redis-cli", &["--cluster", "check", &address], "").success();
        assert!(said.contains("[OK] All nodes agree about slots configuration."), "{said}");
        assert!(said.contains("[OK] All 16384 slots covered."), "{said}");
        assert_eq!(said.matches("additional replica(s)").count(), 3, "{said}");
    });
}

#[test]
fn redis_benchmark_finds_all_leaders() {
    CLUSTER.lend(|cluster| {
        let dead = kill_a_leader(cluster);
        let port = cluster.nodes[(dead + 1) % 9].address().port().to_string();
        let arguments = ["--cluster", "-p", &port, "-t", "set,get", "-P", "16", "-q"];
        let ended = run("redis-benchmark", &[&arguments, &["-n", "20000"][..]].concat(), "");
        assert!(!ended.stderr.contains("rror"), "{ended:#?}");
        let said = ended.success();
        assert!(said.contains("Cluster has 3 master nodes"), "{said}");
        assert_eq!(said.matches("requests per second").count(), 2, "{said}");
    });
}
