//! `kill -9`: of a leader, of a follower, of everybody.

use quoris_tests::cluster::Cluster;
use quoris_tests::wait;
use quoris_tests::wire::{Wire, ask, text};

use super::CLUSTER;
use super::writer::Writer;

/// Waits until a node has applied what its shard's leader has, as far as a key shows it.
fn catches_up(cluster: &Cluster, node: usize, key: &str) {
    let leader = cluster.nodes[cluster.leader_of(key)].address();
    let mut wire = Wire::connect(cluster.nodes[node].address()).expect("it listens");
    wire.call(&["READONLY"]).expect("it answers");
    wait::until("the node has caught up", || {
        let mine = wire.call(&["GET", key]).expect("it answers");
        let theirs = ask(leader, &format!("GET {key}")).ok()?;
        (!mine.is_null() && mine == theirs).then_some(())
    });
}

#[test]
fn writes_survive_the_death_of_leaders() {
    CLUSTER.lend(|cluster| {
        let writer = Writer::start(cluster, "leaders die");
        for key in ["first", "second"] {
            let dead = cluster.leader_of(key);
            cluster.nodes[dead].kill();
            writer.wait_for_rounds(2);
            let heir = cluster.leader_of(key);
            assert_ne!(heir, dead);
            let reply = ask(cluster.nodes[heir].address(), &format!("SET {key} while:it:was:away"));
            assert_eq!(text(&reply.expect("it answers")), "OK");
            cluster.nodes[dead].restart();
            catches_up(cluster, dead, key);
        }
        writer.finish().is_all_there(cluster);
    });
}

#[test]
fn writes_survive_the_death_of_all_nodes() {
    CLUSTER.lend(|cluster| {
        let writer = Writer::start(cluster, "everybody dies");
        writer.wait_for_rounds(2);
        let written = writer.finish();
        cluster.nodes.iter_mut().for_each(quoris_tests::node::Node::kill);
        cluster.nodes.iter_mut().for_each(quoris_tests::node::Node::restart);
        cluster.wait_until_whole();
        written.is_all_there(cluster);
        Writer::start(cluster, "everybody lives").finish().is_all_there(cluster);
    });
}

#[test]
fn a_shard_without_a_majority_acknowledges_nothing() {
    CLUSTER.lend(|cluster| {
        let key = "minority";
        let leader = cluster.leader_of(key);
        for follower in cluster.followers_of(key) {
            cluster.nodes[follower].kill();
        }
        let reply = ask(cluster.nodes[leader].address(), &format!("SET {key} lost"));
        let acknowledged = matches!(&reply, Ok(reply) if text(reply) == "OK");
        assert!(!acknowledged, "{reply:?}");
        let reply = ask(cluster.nodes[leader].address(), &format!("GET {key}"));
        assert!(!matches!(&reply, Ok(reply) if reply.as_error().is_none()), "{reply:?}");
    });
}
