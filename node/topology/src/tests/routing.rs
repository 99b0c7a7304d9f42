//! Where commands are sent, above all while leaders change.

use alloc::string::{String, ToString};

use proptest::prelude::*;

use super::{address, nine_node_topology, node, range, shard};
use crate::{Change, EndpointType, LeaderHints, Route, Routing, Slot, Term, Topology};

fn slot(number: u16) -> Slot {
    Slot::new(number).expect("a slot")
}

fn show(route: Route<'_>) -> String {
    match route {
        Route::Local => "local".into(),
        Route::Moved(moved) => moved.to_string(),
        Route::LeaderUnknown(_) => "unknown".into(),
        Route::Down(down) => down.to_string(),
    }
}

/// The nine nodes with the leaders 1, 2 and 3.
fn led() -> Topology {
    let mut topology = nine_node_topology();
    for number in 1..=3 {
        let (shard, node) = (shard(number), node(number));
        topology.apply(Change::SetLeader { shard, node, term: Term(5) });
    }
    topology
}

fn decide(
    topology: &Topology,
    hints: &LeaderHints,
    myself: u8,
    number: u16,
    leads: bool,
    readonly: bool,
) -> String {
    let routing = Routing::new(topology, hints, node(myself), EndpointType::Ip, false);
    show(routing.decide(slot(number), leads, readonly))
}

#[test]
fn every_kind_of_node_and_connection() {
    let (topology, none) = (led(), LeaderHints::default());
    let table = [
        ("leader, own slot", 1, 0, true, false, "local"),
        ("leader, other slot", 1, 12182, true, false, "MOVED 12182 10.0.0.1:7003"),
        ("leader, other slot, READONLY", 1, 12182, true, true, "MOVED 12182 10.0.0.1:7003"),
        ("follower, own slot", 4, 0, false, false, "MOVED 0 10.0.0.1:7001"),
        ("follower, own slot, READONLY", 4, 0, false, true, "local"),
        ("leader of old, own slot", 1, 0, false, false, "unknown"),
        ("stranger", 200, 0, true, true, "MOVED 0 10.0.0.1:7001"),
    ];
    for (name, myself, number, leads, readonly, expected) in table {
        assert_eq!(decide(&topology, &none, myself, number, leads, readonly), expected, "{name}");
    }
}

#[test]
fn a_slot_without_an_owner_is_not_served_and_may_close_the_cluster() {
    let mut topology = led();
    topology.apply(Change::ReleaseSlots { shard: shard(1), slots: [range(7, 7)].into() });
    let none = LeaderHints::default();
    assert_eq!(decide(&topology, &none, 1, 7, true, false), "CLUSTERDOWN Hash slot not served");
    assert_eq!(decide(&topology, &none, 1, 8, true, false), "local");
    let routing = Routing::new(&topology, &none, node(1), EndpointType::Ip, false).down_if(true);
    assert_eq!(show(routing.decide(slot(8), true, false)), "CLUSTERDOWN The cluster is down");
    assert_eq!(show(routing.decide(slot(7), true, false)), "CLUSTERDOWN Hash slot not served");
}

#[test]
fn the_newest_account_of_the_leader_counts() {
    let mut topology = led();
    let mut hints = LeaderHints::default();
    let ask = |topology: &Topology, hints: &LeaderHints| decide(topology, hints, 2, 0, true, false);
    assert!(hints.note(shard(1), node(4), Term(4)), "it is the first that is heard");
    assert_eq!(ask(&topology, &hints), "MOVED 0 10.0.0.1:7001", "the record is newer");
    assert!(hints.note(shard(1), node(4), Term(6)));
    assert_eq!(ask(&topology, &hints), "MOVED 0 10.0.0.1:7004");
    assert!(!hints.note(shard(1), node(7), Term(5)), "old news");
    assert!(hints.lost(shard(1), Term(6)));
    assert_eq!(ask(&topology, &hints), "unknown");
    topology.apply(Change::SetLeader { shard: shard(1), node: node(7), term: Term(7) });
    assert_eq!(ask(&topology, &hints), "MOVED 0 10.0.0.1:7007");
    hints.note(shard(1), node(3), Term(8));
    assert_eq!(ask(&topology, &hints), "unknown", "node 3 is no member");
    topology.apply(Change::AddShard { shard: shard(9) });
    hints.note(shard(9), node(1), Term(1));
    topology.apply(Change::RemoveShard { shard: shard(9) });
    hints.retain_known(&topology);
    assert!(hints.note(shard(9), node(1), Term(0)), "the gone shard is forgotten");
}

#[test]
fn a_peer_recorded_at_my_address_is_not_redirected_to() {
    let mut topology = led();
    topology.apply(Change::SetAddress { node: node(4), address: address("10.0.0.1", 7001) });
    let none = LeaderHints::default();
    assert_eq!(decide(&topology, &none, 4, 0, false, false), "unknown");
}

#[test]
fn redirections_name_the_preferred_endpoint() {
    let mut topology = led();
    let named = crate::Address {
        hostname: Some("h1.example".into()),
        tls_port: 7101,
        ..address("10.0.0.1", 7001)
    };
    topology.apply(Change::SetAddress { node: node(1), address: named });
    let none = LeaderHints::default();
    let table = [
        (EndpointType::Ip, false, "MOVED 0 10.0.0.1:7001"),
        (EndpointType::Ip, true, "MOVED 0 10.0.0.1:7101"),
        (EndpointType::Hostname, false, "MOVED 0 h1.example:7001"),
        (EndpointType::UnknownEndpoint, false, "MOVED 0 :7001"),
    ];
    for (preferred, tls, expected) in table {
        let routing = Routing::new(&topology, &none, node(2), preferred, tls);
        assert_eq!(show(routing.decide(slot(0), true, false)), expected);
    }
    let routing = Routing::new(&topology, &none, node(1), EndpointType::Hostname, false);
    assert_eq!(show(routing.decide(slot(12182), true, false)), "MOVED 12182 ?:7003");
}

proptest! {
    /// Whatever is recorded and heard, a node never points at itself.
    #[test]
    fn nobody_redirects_to_itself(
        recorded in prop::collection::vec((1_u8..=3, 1_u8..=9, 0_u64..9), 0..12),
        heard in prop::collection::vec((1_u8..=3, prop::option::of(1_u8..=9), 0_u64..9), 0..12),
        myself in 1_u8..=9,
        number in 0_u16..16384,
        leads: bool,
        readonly: bool,
    ) {
        let mut topology = nine_node_topology();
        for (number, leader, term) in recorded {
            topology.apply(Change::SetLeader { shard: shard(number), node: node(leader), term: Term(term) });
        }
        let mut hints = LeaderHints::default();
        for (number, leader, term) in heard {
            match leader {
                Some(leader) => hints.note(shard(number), node(leader), Term(term)),
                None => hints.lost(shard(number), Term(term)),
            };
        }
        let routing = Routing::new(&topology, &hints, node(myself), EndpointType::Ip, false);
        if let Route::Moved(moved) = routing.decide(slot(number), leads, readonly) {
            prop_assert_ne!(moved.port, 7000 + u16::from(myself));
        }
    }
}
