//! The programs in `examples/`, run as a user runs them: against three shards of three nodes.
//!
//! Each checks by itself what it shows, says so in one line, and succeeds.

#![allow(
    clippy::disallowed_methods,
    reason = "it looks at real processes from outside, where there is no simulated time"
)]

use std::collections::BTreeSet;
use std::path::Path;

use quoris_tests::binaries::root;
use quoris_tests::cluster::Cluster;
use quoris_tests::program::{javascript, python};
use quoris_tests::shared::Shared;
use quoris_tests::tool::run_command;

/// Elections are not what is tested here: a machine that is busy with nine debug builds need not
/// hold one for every hiccup.
static CLUSTER: Shared = Shared::new(|| {
    Cluster::start(3, 3, &["--cluster-node-timeout", "2000", "--appendfsync", "no"])
});

/// Declares one test for each of the programs, by the name of its file.
macro_rules! examples {
    ($($name:ident: $file:literal,)*) => {
        $(#[test]
        fn $name() {
            succeeds($file);
        })*

        const FILES: &[&str] = &[$($file),*];
    };
}

examples! {
    cache_aside: "cache_aside.py",
    chat: "chat.mjs",
    geo_search: "geo_search.py",
    job_queue: "job_queue.mjs",
    leaderboard: "leaderboard.py",
    list_queue: "list_queue.mjs",
    lock: "lock.py",
    rate_limit_fixed: "rate_limit_fixed.mjs",
    rate_limit_sliding: "rate_limit_sliding.mjs",
    session_store: "session_store.mjs",
    stream_pipeline: "stream_pipeline.py",
    unique_visitors: "unique_visitors.mjs",
}

/// Runs it twice: what the first run leaves behind must not disturb the second.
fn succeeds(file: &str) {
    CLUSTER.lend(|cluster| {
        for node in &cluster.nodes[..2] {
            let path = format!("examples/{file}");
            let is_python = has_extension(file, &["py"]);
            let mut command = if is_python { python(&path) } else { javascript(&path) };
            command.env("REDIS_URL", format!("redis://{}", node.address()));
            let said = run_command(command, "").success();
            assert_eq!(said.lines().count(), 1, "{said}");
        }
    });
}

#[test]
fn every_example_is_run_and_listed() {
    let readme = std::fs::read_to_string(root().join("examples/README.md")).expect("it is there");
    let entries = std::fs::read_dir(root().join("examples")).expect("it is there");
    let found: BTreeSet<String> = entries
        .map(|entry| entry.expect("it can be listed").file_name().to_string_lossy().into_owned())
        .filter(|name| has_extension(name, &["py", "mjs"]) && !name.starts_with("connect."))
        .collect();
    let run: BTreeSet<String> = FILES.iter().map(ToString::to_string).collect();
    assert_eq!(found, run);
    let unlisted: Vec<&String> =
        found.iter().filter(|name| !readme.contains(&format!("]({name})"))).collect();
    assert!(unlisted.is_empty(), "examples/README.md does not list {unlisted:?}");
}

fn has_extension(name: &str, extensions: &[&str]) -> bool {
    let extension = Path::new(name).extension();
    extensions.iter().any(|wanted| extension.is_some_and(|it| it == *wanted))
}
