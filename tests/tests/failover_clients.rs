//! What people build on scripts, streams, blocking commands and channels, while leaders die again
//! and again.
//!
//! The programs are in `clients/`; each opens with what it checks. The test and the program take
//! turns: the program says that work is going on, then the leader of the shard that it works on is
//! killed, another takes over, and the killed node comes back. `FAILOVER_ROUNDS=50` has that many
//! leaders killed under each program.

#![allow(
    clippy::disallowed_methods,
    reason = "it looks at real processes from outside, where there is no simulated time"
)]

use std::process::Command;
use std::time::Instant;

use quoris_tests::cluster::Cluster;
use quoris_tests::program::{Program, javascript, python};
use quoris_tests::shared::Shared;

/// How many leaders die under a program, unless more or less is asked for.
fn rounds(usual: usize) -> usize {
    let wanted = std::env::var("FAILOVER_ROUNDS").ok();
    wanted.map_or(usual, |rounds| rounds.parse().expect("FAILOVER_ROUNDS is a number"))
}

/// Elections are not what is tested here: a machine that is busy with nine debug builds need not
/// hold one for every hiccup.
static CLUSTER: Shared = Shared::new(|| {
    Cluster::start(3, 3, &["--cluster-node-timeout", "2000", "--appendfsync", "no"])
});

/// Runs a program that works on the slot of `key`, and takes its last word.
fn outlives_leaders(key: &str, mut command: Command, rounds: usize) -> String {
    let mut verdict = String::new();
    CLUSTER.lend(|cluster| {
        let begun = Instant::now();
        let address = cluster.nodes[0].address();
        command.arg(address.ip().to_string()).arg(address.port().to_string());
        let mut program = Program::start(command);
        assert_eq!(program.line(), "ready");
        for _ in 0..rounds {
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
        println!("{rounds} leaders killed in {:.0?}: {verdict}", begun.elapsed());
    });
    verdict
}

#[test]
fn bullmq_completes_every_job_once() {
    let (program, rounds) = (javascript("tests/clients/failover_bullmq.js"), rounds(5));
    let verdict = outlives_leaders("nothing:in:{failover:bullmq}", program, rounds);
    let jobs = 200 * rounds;
    assert!(verdict.starts_with(&format!("{jobs} jobs completed, each once")), "{verdict}");
}

#[test]
fn a_queue_with_hidden_messages_loses_none() {
    let program = javascript("tests/clients/failover_queue.js");
    let verdict = outlives_leaders("nothing:in:{failover:queue}", program, rounds(2));
    assert!(verdict.ends_with("never while hidden"), "{verdict}");
}

#[test]
fn redlock_excludes() {
    let program = javascript("tests/clients/failover_redlock.js");
    let verdict = outlives_leaders("nothing:in:{failover:redlock}", program, rounds(2));
    assert!(verdict.ends_with("never two at once"), "{verdict}");
}

#[test]
fn a_lock_released_by_a_script_excludes() {
    let program = javascript("tests/clients/failover_lock.js");
    let verdict = outlives_leaders("nothing:in:{failover:lock}", program, rounds(2));
    assert!(verdict.ends_with("never two at once"), "{verdict}");
}

#[test]
fn a_sliding_window_is_never_overrun() {
    let program = javascript("tests/clients/failover_limiter.js");
    let verdict = outlives_leaders("nothing:in:{failover:limiter}", program, rounds(2));
    assert!(verdict.ends_with("no window overrun"), "{verdict}");
}

#[test]
fn a_chat_is_heard_in_order() {
    let program = javascript("tests/clients/failover_chat.js");
    let verdict = outlives_leaders("nothing:in:{failover:chat}", program, rounds(2));
    assert!(verdict.contains("all heard and in order"), "{verdict}");
}

#[test]
fn consumer_groups_lose_nothing() {
    let program = python("tests/clients/failover_groups.py");
    let verdict = outlives_leaders("nothing:in:{failover:groups}", program, rounds(2));
    assert!(verdict.contains("none lost"), "{verdict}");
}
