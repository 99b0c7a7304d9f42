//! What nodes tell about the cluster, as clients and operators read it.

use std::collections::BTreeSet;

use quoris_resp::Reply;
use quoris_tests::cluster::Cluster;
use quoris_tests::tool::cli;
use quoris_tests::wire::{ask, text};
use serde_json::Value;

use super::CLUSTER;

fn answer(cluster: &Cluster, node: usize, command: &str) -> Reply {
    ask(cluster.nodes[node].address(), command).expect("it answers")
}

fn elements(reply: &Reply) -> &[Reply] {
    reply.as_slice().unwrap_or_else(|| panic!("{reply:?} is no array"))
}

fn number(reply: &Reply) -> i64 {
    reply.as_integer().unwrap_or_else(|| panic!("{reply:?} is no number"))
}

/// `CLUSTER SLOTS`: first and last slot, then the ports, the leader's first.
fn slots(cluster: &Cluster, node: usize) -> Vec<(i64, i64, Vec<i64>)> {
    let reply = answer(cluster, node, "CLUSTER SLOTS");
    let range = |entry: &Reply| {
        let fields = elements(entry);
        for member in &fields[2..] {
            let member = elements(member);
            assert_eq!((text(&member[0]).as_str(), text(&member[2]).len()), ("127.0.0.1", 40));
        }
        let ports = fields[2..].iter().map(|member| number(&elements(member)[1])).collect();
        (number(&fields[0]), number(&fields[1]), ports)
    };
    let mut ranges: Vec<_> = elements(&reply).iter().map(range).collect();
    ranges.sort();
    ranges
}

#[test]
fn cluster_slots_covers_every_slot_with_three_nodes() {
    CLUSTER.lend(|cluster| {
        let leaders = cluster.leaders();
        for node in 0..9 {
            let ranges = slots(cluster, node);
            let mut next = 0;
            for (first, last, ports) in &ranges {
                assert_eq!(*first, next, "{ranges:?}");
                next = last + 1;
                assert_eq!(ports.len(), 3, "{ranges:?}");
                let leads =
                    |at: &&usize| i64::from(cluster.nodes[**at].address().port()) == ports[0];
                assert!(leaders.iter().any(|at| leads(&at)), "{ranges:?}");
            }
            assert_eq!(next, 16384, "{ranges:?}");
        }
    });
}

#[test]
fn cluster_nodes_has_a_line_per_node() {
    CLUSTER.lend(|cluster| {
        for node in 0..9 {
            let nodes = text(&answer(cluster, node, "CLUSTER NODES"));
            let lines: Vec<Vec<&str>> = nodes.lines().map(|it| it.split(' ').collect()).collect();
            assert_eq!(lines.len(), 9, "{nodes}");
            let my_id = text(&answer(cluster, node, "CLUSTER MYID"));
            let (leaders, others): (Vec<_>, Vec<_>) =
                lines.iter().partition(|line| line[2].contains("master"));
            assert_eq!((leaders.len(), others.len()), (3, 6), "{nodes}");
            for line in &leaders {
                assert_eq!((line[3], line.len()), ("-", 9), "{nodes}");
            }
            for line in &others {
                assert!(line[2].contains("slave") && line.len() == 8, "{nodes}");
                assert!(leaders.iter().any(|leader| leader[0] == line[3]), "{nodes}");
            }
            for line in &lines {
                assert_eq!((line[0].len(), line[7]), (40, "connected"), "{nodes}");
                assert_eq!(line[2].starts_with("myself,"), line[0] == my_id, "{nodes}");
            }
            let ports = lines.iter().map(|line| line[1].split(['@', ',']).next().expect("a part"));
            let known: BTreeSet<String> =
                cluster.addresses().iter().map(ToString::to_string).collect();
            assert_eq!(ports.map(str::to_owned).collect::<BTreeSet<_>>(), known, "{nodes}");
        }
    });
}

/// The value of a field in a flat list of names and values.
fn field<'a>(reply: &'a Reply, name: &str) -> &'a Reply {
    let pair = elements(reply).chunks(2).find(|pair| text(&pair[0]) == name);
    &pair.unwrap_or_else(|| panic!("no {name} in {reply:?}"))[1]
}

#[test]
fn cluster_shards_tells_roles_and_health() {
    CLUSTER.lend(|cluster| {
        let reply = answer(cluster, 5, "CLUSTER SHARDS");
        let shards = elements(&reply);
        assert_eq!(shards.len(), 3);
        let mut slot_count = 0;
        for shard in shards {
            let bounds: Vec<i64> = elements(field(shard, "slots")).iter().map(number).collect();
            slot_count += bounds.chunks(2).map(|range| range[1] - range[0] + 1).sum::<i64>();
            let nodes = elements(field(shard, "nodes"));
            let roles: Vec<String> = nodes.iter().map(|node| text(field(node, "role"))).collect();
            assert_eq!(roles.iter().filter(|role| *role == "master").count(), 1, "{shard:?}");
            assert_eq!(roles.iter().filter(|role| *role == "replica").count(), 2, "{shard:?}");
            for node in nodes {
                assert_eq!(text(field(node, "health")), "online", "{shard:?}");
                assert_eq!(text(field(node, "ip")), "127.0.0.1", "{shard:?}");
                assert!(number(field(node, "port")) > 0, "{shard:?}");
            }
        }
        assert_eq!(slot_count, 16384);
    });
}

#[test]
fn cluster_info_counts() {
    CLUSTER.lend(|cluster| {
        let info = text(&answer(cluster, 3, "CLUSTER INFO"));
        for line in [
            "cluster_state:ok",
            "cluster_slots_assigned:16384",
            "cluster_slots_ok:16384",
            "cluster_slots_fail:0",
            "cluster_known_nodes:9",
            "cluster_size:3",
        ] {
            assert!(info.lines().any(|it| it == line), "{line} is not in {info}");
        }
    });
}

#[test]
fn the_command_line_sees_a_node_go_and_come_back() {
    CLUSTER.lend(|cluster| {
        let follower = cluster.followers_of("some:key")[0];
        let asked = cluster.nodes[(follower + 1) % 9].address().to_string();
        let status: Value =
            serde_json::from_str(&cli(&["status", "--json", &asked]).success()).expect("JSON");
        assert_eq!(status["state"], "ok", "{status:#}");
        let shards = status["shards"].as_array().expect("a list");
        assert_eq!(shards.len(), 3, "{status:#}");
        for shard in shards {
            let nodes = shard["nodes"].as_array().expect("a list");
            assert_eq!(nodes.len(), 3, "{status:#}");
            assert_eq!(nodes.iter().filter(|node| node["role"] == "leader").count(), 1);
            assert!(nodes.iter().all(|node| node["answers"] == true), "{status:#}");
        }
        let slots = shards.iter().map(|shard| shard["slot_count"].as_u64().expect("a number"));
        assert_eq!(slots.sum::<u64>(), 16384);
        let table = cli(&["status", &asked]).success();
        assert!(table.starts_with("healthy: 3 shards, 9 nodes, "), "{table}");
        cli(&["check", &asked]).success();

        cluster.nodes[follower].kill();
        let ended = cli(&["check", &asked]);
        assert_eq!(ended.code, Some(6), "{ended:#?}");
        let dead = cluster.nodes[follower].address().to_string();
        assert!(ended.stdout.contains(&dead), "{ended:#?}");
        cluster.nodes[follower].restart();
        cluster.wait_until_whole();
        cli(&["check", &asked]).success();
    });
}
