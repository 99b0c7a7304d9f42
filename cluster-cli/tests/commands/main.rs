//! The tool as a process, against nodes that are only their answers: what it
//! prints, what it exits with, and what it does when forming goes wrong.

mod fake;

use fake::{Fakes, Manner, cluster_cli, text};
use serde_json::Value;

fn json(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(output)))
}

#[tokio::test]
async fn empty_nodes_become_one_cluster() {
    let nodes = Fakes::start(&[Manner::Good; 6]).await;
    let output = nodes.create(&["--replicas", "2"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(nodes.formed_count(), 6);
    let status = json(&cluster_cli(&["status", "--json", &nodes.address(3)]).await);
    assert_eq!(status["state"], "ok");
    assert_eq!(status["shards"].as_array().map(Vec::len), Some(2));
    assert_eq!(status["shards"][0]["nodes"][0]["memory_bytes"], 1_048_576);
}

#[tokio::test]
async fn a_second_create_changes_nothing_and_succeeds() {
    let nodes = Fakes::start(&[Manner::Good; 3]).await;
    let first = json(&nodes.create(&["--json"]).await);
    assert_eq!(first["formed"], true);
    let second = nodes.create(&["--json"]).await;
    assert_eq!(second.status.code(), Some(0));
    assert_eq!(json(&second)["formed"], false);
    let other_shape = nodes.create(&["--replicas", "0"]).await;
    assert_eq!(other_shape.status.code(), Some(4), "{}", text(&other_shape));
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_plan_was_taken_is_no_failure() {
    let nodes = Fakes::start(&[Manner::Good, Manner::Abrupt, Manner::Abrupt]).await;
    let output = nodes.create(&[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(nodes.formed_count(), 3);
}

#[tokio::test]
async fn a_node_that_refuses_the_plan_is_named() {
    let nodes = Fakes::start(&[Manner::Good, Manner::Stubborn, Manner::Good]).await;
    let output = nodes.create(&[]).await;
    assert_eq!(output.status.code(), Some(5), "{}", text(&output));
    let printed = text(&output);
    assert!(
        printed.contains(&nodes.address(1)) && printed.contains("I would rather not"),
        "{printed}"
    );
    let again = nodes.create(&[]).await;
    assert_eq!(again.status.code(), Some(4), "{}", text(&again));
    assert!(text(&again).contains("but not all of them were"), "{}", text(&again));
}

#[tokio::test]
async fn nothing_happens_without_a_yes_or_in_a_dry_run() {
    let nodes = Fakes::start(&[Manner::Good; 3]).await;
    let addresses = [nodes.address(0), nodes.address(1), nodes.address(2)];
    let [a, b, c] = addresses.each_ref().map(String::as_str);
    let unasked = cluster_cli(&["create", a, b, c]).await;
    assert_eq!(unasked.status.code(), Some(4), "{}", text(&unasked));
    assert!(text(&unasked).contains("add --yes"), "{}", text(&unasked));
    let dry = cluster_cli(&["create", a, b, c, "--dry-run", "--json"]).await;
    assert_eq!(dry.status.code(), Some(0), "{}", text(&dry));
    assert!(json(&dry)["secret"].is_null(), "a secret is nothing to look at: {}", text(&dry));
    assert_eq!(nodes.formed_count(), 0);
}

#[tokio::test]
async fn check_tells_degraded_from_broken() {
    let mut nodes = Fakes::start(&[Manner::Good; 3]).await;
    nodes.create(&[]).await;
    let check = async |seed: &str| cluster_cli(&["check", seed]).await;
    assert_eq!(check(&nodes.address(0)).await.status.code(), Some(0));
    nodes.kill(2).await;
    let degraded = check(&nodes.address(0)).await;
    assert_eq!(degraded.status.code(), Some(6), "{}", text(&degraded));
    assert!(text(&degraded).contains(&nodes.address(2)), "{}", text(&degraded));
    nodes.kill(1).await;
    let broken = check(&nodes.address(0)).await;
    assert_eq!(broken.status.code(), Some(1), "{}", text(&broken));
    let gone = check(&nodes.address(1)).await;
    assert_eq!(gone.status.code(), Some(3), "{}", text(&gone));
}

#[tokio::test]
async fn a_follower_takes_over_and_a_leader_has_nothing_to_take() {
    let nodes = Fakes::start(&[Manner::Good; 3]).await;
    nodes.create(&[]).await;
    let moved = cluster_cli(&["failover", "--yes", "--json", &nodes.address(1)]).await;
    assert_eq!(moved.status.code(), Some(0), "{}", text(&moved));
    assert_eq!(json(&moved)["was"], nodes.address(0));
    let again = cluster_cli(&["failover", "--yes", &nodes.address(1)]).await;
    assert_eq!(again.status.code(), Some(4), "{}", text(&again));
}

#[tokio::test]
async fn a_reader_that_goes_away_is_no_failure() {
    let script = "\"$0\" completions bash | head -n 1; exit \"${PIPESTATUS[0]}\"";
    let tool = env!("CARGO_BIN_EXE_cluster-cli");
    let mut command = tokio::process::Command::new("bash");
    let output = command.args(["-c", script, tool]).output().await.expect("there is bash");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(text(&output).lines().count(), 1, "{}", text(&output));
}

#[tokio::test]
async fn errors_are_one_line() {
    let output = cluster_cli(&["ping", "127.0.0.1:1"]).await;
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(text(&output).lines().count(), 1, "{}", text(&output));
}
