//! Only who knows the cluster's secret is let in.

use std::fs;

use quoris_tests::cluster::Cluster;
use quoris_tests::wait;
use quoris_tests::wire::{Wire, ask, text};

#[test]
fn a_node_with_a_wrong_secret_is_refused_and_says_so() {
    let mut cluster = Cluster::start(1, 3, &["--cluster-node-timeout", "2000"]);
    let stranger = (cluster.leaders()[0] + 1) % 3;
    let file = cluster.nodes[stranger].dir().join("secret");
    fs::write(&file, "not-the-secret-of-this-cluster\n").expect("it can be written");
    let arguments = ["--cluster-node-timeout", "2000", "--cluster-secret-file"];
    let path = file.to_str().expect("its path is text");
    cluster.nodes[stranger].kill();
    cluster.nodes[stranger].set_arguments(&[&arguments[..], &[path]].concat());
    cluster.nodes[stranger].restart();
    wait::until("it says that it was refused", || {
        let log = cluster.nodes[stranger].log();
        log.contains("the cluster secret is wrong").then_some(())
    });

    // The others go on, and nothing of it reaches the stranger.
    let leader = cluster.nodes[cluster.leaders()[0]].address();
    assert_eq!(text(&ask(leader, "SET hidden 1").expect("it answers")), "OK");
    let mut wire = Wire::connect(cluster.nodes[stranger].address()).expect("it listens");
    wire.call(&["READONLY"]).expect("it answers");
    assert_ne!(text(&wire.call(&["GET", "hidden"]).expect("it answers")), "1");

    // With what it was given when the cluster was formed, it is at home again.
    cluster.nodes[stranger].kill();
    cluster.nodes[stranger].set_arguments(&arguments[..2]);
    cluster.nodes[stranger].restart();
    let mut wire = Wire::connect(cluster.nodes[stranger].address()).expect("it listens");
    wire.call(&["READONLY"]).expect("it answers");
    wait::until("it has caught up", || {
        (text(&wire.call(&["GET", "hidden"]).ok()?) == "1").then_some(())
    });
}
