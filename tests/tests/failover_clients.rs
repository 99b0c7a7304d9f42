//! What people build on streams, while leaders die again and again.
//!
//! The programs are in `clients/`; each opens with what it checks. The test and the program take
//! turns: the program says that work is going on, then the leader of the shard that it works on is
//! killed, another takes over, and the killed node comes back.

#![allow(
    clippy::disallowed_methods,
    reason = "it looks at real processes from outside, where there is no simulated time"
)]

use std::process::Command;

use quoris_tests::cluster::Cluster;
use quoris_tests::program::{Program, python};
use quoris_tests::shared::Shared;

const ROUNDS: usize = 5;

/// Elections are not what is tested here: a machine that is busy with nine debug builds need not
/// hold one for every hiccup.
static CLUSTER: Shared = Shared::new(|| {
    Cluster::start(3, 3, &["--cluster-node-timeout", "2000", "--appendfsync", "no"])
});

/// Runs a program that works on the slot of `key`, and takes its last word.
fn outlives_leaders(key: &str, mut command: Command) -> String {
    let mut verdict = String::new();
    CLUSTER.lend(|cluster| {
        let address = cluster.nodes[0].address();
        command.arg(address.ip().to_string()).arg(address.port().to_string());
        let mut program = Program::start(command);
        assert_eq!(program.line(), "ready");
        for _ in 0..ROUNDS {
            program.tell("round");
            assert_eq!(program.line(), "busy");
            let leader = cluster.leader_of(key);
            cluster.nodes[leader].kill();
            cluster.wait_until_whole();
            cluster.nodes[leader].restart();
            cluster.wait_until_whole();
        }
        program.tell("enough");
        verdict = program.line();
        program.succeeds();
    });
    println!("{verdict}");
    verdict
}

#[test]
fn consumer_groups_lose_nothing() {
    let program = python("tests/clients/failover_groups.py");
    let verdict = outlives_leaders("nothing:in:{failover:groups}", program);
    assert!(verdict.contains("none lost"), "{verdict}");
}
