//! The literal answers, next to those of `redis-server` 7.0.15 with the same
//! nodes in the same state.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;
use crate::change::Change;
use crate::id::{ShardId, Term};
use crate::plan::Plan;
use crate::slot::SlotRange;

const A: &str = "77fa4b83c0ece5b2d262f7dff96db5b5a7d82535";
const A2: &str = "4cee7a3954f9f630f58189dfd21a46556c358879";
const B: &str = "1f3c00835284f9524e77034cf9d63ab78ea6afa8";
const C: &str = "e83b2519cabfab7f416d579c4b85d58e76c3faa0";

fn id(text: &str) -> NodeId {
    text.parse().expect("40 digits")
}

fn shard(number: u8) -> ShardId {
    ShardId::new([number; 20])
}

/// Three shards led by A, B and C; A has the replica A2; A and B announce
/// hostnames.
fn cluster() -> Topology {
    let node = |id: &str, port: u16, hostname: &str, number: u8| {
        let hostname = match hostname {
            "" => String::new(),
            name => format!(r#""hostname":"{name}","#),
        };
        let (bus, shard) = (port + 10000, shard(number));
        format!(
            r#"{{"id":"{id}","host":"127.0.0.1",{hostname}"port":{port},"bus_port":{bus},"shard":"{shard}"}}"#
        )
    };
    let planned = |number: u8, slots: &str, members: &str| {
        format!(r#"{{"id":"{}","slots":[[{slots}]],"members":[{members}]}}"#, shard(number))
    };
    let nodes = [
        node(A, 27431, "h1.example", 1),
        node(B, 27432, "h2.example", 2),
        node(C, 27433, "", 3),
        node(A2, 27434, "", 1),
    ];
    let shards = [
        planned(1, "0,5460", &format!(r#""{A}","{A2}""#)),
        planned(2, "5461,10922", &format!(r#""{B}""#)),
        planned(3, "10923,16383", &format!(r#""{C}""#)),
    ];
    let json = format!(
        r#"{{"cluster_id":"{A}","nodes":[{}],"shards":[{}],"topology_voters":["{A}"]}}"#,
        nodes.join(","),
        shards.join(",")
    );
    let plan = Plan::from_json(json.as_bytes()).expect("a valid plan");
    let mut topology = Topology::of_plan(&plan);
    for shard in &mut topology.shards {
        shard.leader = shard.nominal_leader();
        shard.term = Term(1);
    }
    topology
}

fn healthy(_: NodeId) -> Health {
    let pong_received_ms = 1_795_241_843_394;
    Health { is_connected: true, pong_received_ms, offset: 56, ..Health::default() }
}

/// Applies `ask` to the cluster as A sees it.
fn seen<T>(
    topology: &Topology,
    preferred: EndpointType,
    health: &dyn Fn(NodeId) -> Health,
    ask: impl FnOnce(&View<'_>) -> T,
) -> T {
    let hints = LeaderHints::default();
    ask(&View { topology, hints: &hints, myself: id(A), preferred, tls: false, health })
}

fn show_nodes(view: &View<'_>) -> String {
    view.nodes()
}

#[test]
fn nodes_of_a_healthy_cluster() {
    let text = seen(&cluster(), EndpointType::Ip, &healthy, show_nodes);
    assert_eq!(
        text,
        "1f3c00835284f9524e77034cf9d63ab78ea6afa8 127.0.0.1:27432@37432,h2.example master - 0 1795241843394 2 connected 5461-10922\n\
         4cee7a3954f9f630f58189dfd21a46556c358879 127.0.0.1:27434@37434 slave 77fa4b83c0ece5b2d262f7dff96db5b5a7d82535 0 1795241843394 1 connected\n\
         77fa4b83c0ece5b2d262f7dff96db5b5a7d82535 127.0.0.1:27431@37431,h1.example myself,master - 0 1795241843394 1 connected 0-5460\n\
         e83b2519cabfab7f416d579c4b85d58e76c3faa0 127.0.0.1:27433@37433 master - 0 1795241843394 3 connected 10923-16383\n"
    );
}

#[test]
fn nodes_after_a_failure_and_with_gaps() {
    let mut topology = cluster();
    let slots = [7, 9, 10].map(|number| SlotRange::new(number, number).expect("a slot"));
    topology.apply(Change::ReleaseSlots { shard: shard(1), slots: slots.into() });
    let health = |node| match node {
        node if node == id(B) => Health {
            liveness: Liveness::Failed,
            ping_sent_ms: 1_795_242_120_375,
            pong_received_ms: 1_795_242_118_000,
            ..Health::default()
        },
        node if node == id(C) => Health { liveness: Liveness::Suspected, ..healthy(node) },
        node => healthy(node),
    };
    let text = seen(&topology, EndpointType::Ip, &health, show_nodes);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "1f3c00835284f9524e77034cf9d63ab78ea6afa8 127.0.0.1:27432@37432,h2.example master,fail - 1795242120375 1795242118000 2 disconnected 5461-10922"
    );
    assert!(lines[2].ends_with(" myself,master - 0 1795241843394 4 connected 0-6 8 11-5460"));
    assert!(lines[3].contains(" master,fail? - "));
}

/// What Redis shows on a node that was never told its own address.
#[test]
fn nodes_of_a_node_alone() {
    let address = crate::Address {
        host: String::new(),
        hostname: None,
        port: 27440,
        bus_port: 37440,
        tls_port: 0,
    };
    let plan = Plan::alone(crate::ClusterId::new([1; 20]), id(A), shard(1), address);
    let topology = Topology::of_plan(&plan.expect("a valid plan"));
    let health = |_| Health::default();
    let text = seen(&topology, EndpointType::Ip, &health, show_nodes);
    assert_eq!(
        text,
        "77fa4b83c0ece5b2d262f7dff96db5b5a7d82535 :27440@37440 myself,master - 0 0 1 connected 0-16383\n"
    );
    let slots = seen(&topology, EndpointType::Ip, &health, show_slots);
    assert_eq!(slots, ["0-16383 [ 27440 77fa]"]);
}

#[test]
fn replicas_are_lines_of_nodes() {
    let topology = cluster();
    let ask = |argument| {
        seen(&topology, EndpointType::Ip, &healthy, |view| view.replicas(argument))
            .map_err(|error| error.to_string())
    };
    let line = "4cee7a3954f9f630f58189dfd21a46556c358879 127.0.0.1:27434@37434 slave 77fa4b83c0ece5b2d262f7dff96db5b5a7d82535 0 1795241843394 1 connected";
    assert_eq!(ask(A), Ok([line.into()].into()));
    assert_eq!(ask(B), Ok(Vec::new()));
    assert_eq!(ask(A2), Err("The specified node is not a master".into()));
    assert_eq!(ask("deadbeef"), Err("Unknown node deadbeef".into()));
    let nobody = "0000000000000000000000000000000000000000";
    assert_eq!(ask(nobody), Err(format!("Unknown node {nobody}")));
}

/// An entry on one line: `start-end [endpoint port id key=value…]…`, with the
/// first digits of the id and `nil` for null.
fn show_slots(view: &View<'_>) -> Vec<String> {
    let node = |node: &SlotsNode<'_>| {
        let pairs: String =
            node.metadata.iter().map(|(name, value)| [" ", name, "=", value].concat()).collect();
        let id = &node.id.to_string()[..4];
        format!(" [{} {} {id}{pairs}]", node.endpoint.unwrap_or("nil"), node.port)
    };
    let show = |entry: &SlotsEntry<'_>| {
        entry.range.to_string() + &entry.nodes.iter().map(node).collect::<String>()
    };
    view.slots().iter().map(show).collect()
}

#[test]
fn slots_name_the_preferred_endpoint_and_add_the_others() {
    let table = [
        (
            EndpointType::Ip,
            [
                "0-5460 [127.0.0.1 27431 77fa hostname=h1.example] [127.0.0.1 27434 4cee]",
                "5461-10922 [127.0.0.1 27432 1f3c hostname=h2.example]",
                "10923-16383 [127.0.0.1 27433 e83b]",
            ],
        ),
        (
            EndpointType::Hostname,
            [
                "0-5460 [h1.example 27431 77fa ip=127.0.0.1] [? 27434 4cee ip=127.0.0.1]",
                "5461-10922 [h2.example 27432 1f3c ip=127.0.0.1]",
                "10923-16383 [? 27433 e83b ip=127.0.0.1]",
            ],
        ),
        (
            EndpointType::UnknownEndpoint,
            [
                "0-5460 [nil 27431 77fa ip=127.0.0.1 hostname=h1.example] [nil 27434 4cee ip=127.0.0.1]",
                "5461-10922 [nil 27432 1f3c ip=127.0.0.1 hostname=h2.example]",
                "10923-16383 [nil 27433 e83b ip=127.0.0.1]",
            ],
        ),
    ];
    for (preferred, expected) in table {
        let shown = seen(&cluster(), preferred, &healthy, show_slots);
        assert_eq!(shown, expected, "{preferred:?}");
    }
}

#[test]
fn slots_leave_out_replicas_that_cannot_serve() {
    let failed = |node| Health { liveness: Liveness::Failed, ..healthy(node) };
    let empty = |node| Health { offset: 0, ..healthy(node) };
    let health: [&dyn Fn(NodeId) -> Health; 2] = [&failed, &empty];
    for health in health {
        let shown = seen(&cluster(), EndpointType::Ip, health, show_slots);
        assert_eq!(shown[0], "0-5460 [127.0.0.1 27431 77fa hostname=h1.example]");
    }
}

fn show_fields(fields: &[(&'static str, Field)]) -> String {
    let show = |(name, value): &(&str, Field)| match value {
        Field::Text(text) => format!("{name}={text}"),
        Field::Integer(number) => format!("{name}:{number}"),
    };
    fields.iter().map(show).collect::<Vec<_>>().join(" ")
}

fn show_shards(view: &View<'_>) -> Vec<(String, Vec<String>)> {
    let nodes =
        |entry: &ShardEntry<'_>| entry.nodes.iter().map(|n| show_fields(&n.fields())).collect();
    let slots =
        |entry: &ShardEntry<'_>| entry.slots.iter().map(ToString::to_string).collect::<Vec<_>>();
    view.shards().iter().map(|entry| (slots(entry).join(" "), nodes(entry))).collect()
}

#[test]
fn shards_list_every_node_with_its_health() {
    let mut topology = cluster();
    topology.nodes.get_mut(&id(C)).expect("it is there").tls_port = 17433;
    topology.apply(Change::AddShard { shard: shard(4) });
    let health = |node| match node {
        node if node == id(A2) => Health { offset: 0, ..healthy(node) },
        node if node == id(B) => Health { liveness: Liveness::Failed, ..healthy(node) },
        node => healthy(node),
    };
    let shown = seen(&topology, EndpointType::Hostname, &health, show_shards);
    let expected: [(&str, &[&str]); 4] = [
        (
            "0-5460",
            &[
                "id=77fa4b83c0ece5b2d262f7dff96db5b5a7d82535 port:27431 ip=127.0.0.1 endpoint=h1.example hostname=h1.example role=master replication-offset:56 health=online",
                "id=4cee7a3954f9f630f58189dfd21a46556c358879 port:27434 ip=127.0.0.1 endpoint=? role=replica replication-offset:0 health=loading",
            ],
        ),
        (
            "5461-10922",
            &[
                "id=1f3c00835284f9524e77034cf9d63ab78ea6afa8 port:27432 ip=127.0.0.1 endpoint=h2.example hostname=h2.example role=master replication-offset:56 health=fail",
            ],
        ),
        (
            "10923-16383",
            &[
                "id=e83b2519cabfab7f416d579c4b85d58e76c3faa0 port:27433 tls-port:17433 ip=127.0.0.1 endpoint=? role=master replication-offset:56 health=online",
            ],
        ),
        ("", &[]),
    ];
    for ((slots, nodes), (expected_slots, expected_nodes)) in shown.iter().zip(expected) {
        assert_eq!(slots, expected_slots);
        assert_eq!(nodes, expected_nodes);
    }
    assert_eq!(shown.len(), 4);
    let unknown = seen(&topology, EndpointType::UnknownEndpoint, &health, show_shards);
    assert!(unknown[0].1[0].contains(" endpoint= hostname=h1.example "));
}

#[test]
fn info_has_the_lines_of_redis() {
    let messages = [
        MessageCount { kind: "ping", sent: 11, received: 13 },
        MessageCount { kind: "pong", sent: 16, received: 11 },
        MessageCount { kind: "meet", sent: 0, received: 3 },
    ];
    let facts = InfoFacts { require_full_coverage: true, messages: &messages, links_over_limit: 0 };
    let text = seen(&cluster(), EndpointType::Ip, &healthy, |view| view.info(&facts));
    let expected = "cluster_state:ok\r\n\
         cluster_slots_assigned:16384\r\n\
         cluster_slots_ok:16384\r\n\
         cluster_slots_pfail:0\r\n\
         cluster_slots_fail:0\r\n\
         cluster_known_nodes:4\r\n\
         cluster_size:3\r\n\
         cluster_current_epoch:3\r\n\
         cluster_my_epoch:1\r\n\
         cluster_stats_messages_ping_sent:11\r\n\
         cluster_stats_messages_pong_sent:16\r\n\
         cluster_stats_messages_sent:27\r\n\
         cluster_stats_messages_ping_received:13\r\n\
         cluster_stats_messages_pong_received:11\r\n\
         cluster_stats_messages_meet_received:3\r\n\
         cluster_stats_messages_received:27\r\n\
         total_cluster_links_buffer_limit_exceeded:0\r\n";
    assert_eq!(text, expected);
}

/// A cluster with the health of its nodes, and the first five values of
/// `CLUSTER INFO`.
type InfoCase<'a> = (&'a str, Topology, &'a dyn Fn(NodeId) -> Health, [&'a str; 5]);

#[test]
fn the_state_follows_the_slots_that_are_served() {
    let one = Vec::from([SlotRange::new(0, 0).expect("a slot")]);
    let release = Change::ReleaseSlots { shard: shard(1), slots: one };
    let mut gap = cluster();
    gap.apply(release);
    let mut leaderless = cluster();
    leaderless.shards[1].leader = None;
    let failed = |node| match node {
        node if node == id(B) => Health { liveness: Liveness::Failed, ..healthy(node) },
        node => Health { liveness: Liveness::Suspected, ..healthy(node) },
    };
    let table: [InfoCase<'_>; 4] = [
        ("healthy", cluster(), &healthy, ["ok", "16384", "16384", "0", "0"]),
        ("a gap", gap, &healthy, ["fail", "16383", "16383", "0", "0"]),
        ("no leader", leaderless, &healthy, ["fail", "16384", "10922", "0", "5462"]),
        ("dead leader", cluster(), &failed, ["fail", "16384", "5461", "5461", "5462"]),
    ];
    for (name, topology, health, expected) in table {
        let facts = InfoFacts { require_full_coverage: true, ..InfoFacts::default() };
        let text = seen(&topology, EndpointType::Ip, health, |view| view.info(&facts));
        let values: Vec<&str> =
            text.lines().take(5).filter_map(|line| Some(line.split_once(':')?.1)).collect();
        assert_eq!(values, expected, "{name}");
        assert!(seen(&topology, EndpointType::Ip, health, |view| view.is_ok(false)), "{name}");
    }
}

#[test]
fn clients_with_tls_are_told_of_tls_ports() {
    let mut topology = cluster();
    topology.nodes.get_mut(&id(C)).expect("it is there").tls_port = 17433;
    let hints = LeaderHints::default();
    let preferred = EndpointType::Ip;
    let view = View {
        topology: &topology,
        hints: &hints,
        myself: id(A),
        preferred,
        tls: true,
        health: &healthy,
    };
    assert_eq!(show_slots(&view)[2], "10923-16383 [127.0.0.1 17433 e83b]");
    assert!(view.nodes().contains(" 127.0.0.1:17433@37433 master "));
    assert!(show_slots(&view)[1].contains(" 27432 "), "a node without TLS keeps its port");
}

#[test]
fn what_is_heard_of_a_new_leader_is_shown_at_once() {
    let topology = cluster();
    let mut hints = LeaderHints::default();
    hints.note(shard(1), id(A2), Term(2));
    let preferred = EndpointType::Ip;
    let view = View {
        topology: &topology,
        hints: &hints,
        myself: id(A),
        preferred,
        tls: false,
        health: &healthy,
    };
    let text = view.nodes();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].ends_with(" master - 0 1795241843394 1 connected 0-5460"), "{text}");
    assert!(lines[2].contains(" myself,slave 4cee7a3954f9f630f58189dfd21a46556c358879 "), "{text}");
    assert!(
        show_slots(&view)[0].starts_with("0-5460 [127.0.0.1 27434 4cee] [127.0.0.1 27431 77fa")
    );
}

#[test]
fn links_are_maps_of_six() {
    let link = |direction, send_buffer_used| Link {
        direction,
        node: id(C),
        created_ms: 1_795_241_836_467,
        send_buffer_allocated: 5114,
        send_buffer_used,
    };
    assert_eq!(
        show_fields(&link(Direction::To, 0).fields()),
        "direction=to node=e83b2519cabfab7f416d579c4b85d58e76c3faa0 create-time:1795241836467 events=r send-buffer-allocated:5114 send-buffer-used:0"
    );
    let busy = show_fields(&link(Direction::From, 9).fields());
    assert!(busy.starts_with("direction=from ") && busy.contains(" events=rw "), "{busy}");
}
