//! What happens to a cluster in its life.

use std::time::Duration;

use crate::{Fleet, plan, until};

#[test]
fn lonely_nodes_become_a_cluster_that_serves_through_any_of_them() {
    let fleet = Fleet::formed(6, 2);
    // Slots of `a` and `b` lie in different shards of two.
    for at in 0..6 {
        let value = format!("by {at}");
        for key in ["a", "b"] {
            assert_eq!(fleet.insist(at, &["SET", key, &value]), "OK");
            assert_eq!(fleet.insist(5 - at, &["GET", key]), value);
        }
    }
    let across = "-CROSSSLOT Keys in request don't hash to the same slot";
    for machine in &fleet.machines {
        assert_eq!(machine.ask(&["MGET", "a", "b"]), across);
    }
}

#[test]
fn a_leader_that_dies_is_replaced_and_no_acknowledged_write_is_missing() {
    let mut fleet = Fleet::formed(3, 2);
    let written = |fleet: &Fleet, from: u32, to: u32, via: usize| {
        for n in from..to {
            assert_eq!(fleet.insist(via, &["SET", &format!("k{n}"), &n.to_string()]), "OK");
        }
    };
    written(&fleet, 0, 20, 0);
    let dead = fleet.wait_for_leader(0);
    fleet.machines[dead].crash();
    let other = (dead + 1) % 3;
    written(&fleet, 20, 40, other);
    for n in 0..40 {
        assert_eq!(fleet.insist(other, &["GET", &format!("k{n}")]), n.to_string());
    }
    // It is back, follows, and has caught up with what it missed.
    fleet.machines[dead].power_on();
    fleet.wait_until_whole(&[0, 1, 2]);
    let mut reader = fleet.machines[dead].connect();
    assert_eq!(reader.ask(&["READONLY"]), "OK");
    until("the node has caught up", || (reader.ask(&["GET", "k39"]) == "39").then_some(()));
    // Without READONLY it sends clients on.
    let reply = fleet.machines[dead].ask(&["GET", "k39"]);
    assert!(reply.starts_with("-MOVED ") || fleet.leader(0) == Some(dead), "{reply}");
}

#[test]
fn scripts_keep_to_the_slot_of_their_keys_where_there_are_several_shards() {
    let fleet = Fleet::formed(2, 0);
    let declared = ["EVAL", "return redis.call('SET', KEYS[1], 'v')", "1", "a"];
    assert_eq!(fleet.insist(0, &declared), "OK");
    // Slots of `a` and `b` lie in different shards of two.
    let foreign = ["EVAL", "return redis.call('SET', 'b', 'v')", "1", "a"];
    let replies = [0, 1].map(|at| fleet.machines[at].ask(&foreign));
    let refused = |reply: &String| reply.contains("keys that do not hash to the same slot");
    assert_eq!(replies.iter().filter(|reply| refused(reply)).count(), 1, "{replies:?}");
    assert!(fleet.insist(0, &["EXISTS", "b"]).ends_with('0'));
}

#[test]
fn a_leader_without_a_majority_answers_but_claims_nothing() {
    let mut fleet = Fleet::formed(3, 2);
    let leader = fleet.wait_for_leader(0);
    for at in (0..3).filter(|at| *at != leader) {
        fleet.machines[at].crash();
    }
    let reply = fleet.machines[leader].ask(&["SET", "a", "1"]);
    assert!(reply.starts_with("-ERR outcome unknown"), "{reply}");
    let reply = fleet.machines[leader].ask(&["GET", "a"]);
    assert!(reply.starts_with("-CLUSTERDOWN"), "{reply}");
    for at in (0..3).filter(|at| *at != leader) {
        fleet.machines[at].power_on();
    }
    assert_eq!(fleet.insist(leader, &["SET", "a", "2"]), "OK");
    assert_eq!(fleet.insist(leader, &["GET", "a"]), "2");
}

#[test]
fn a_cluster_survives_that_all_of_it_loses_power() {
    let mut fleet = Fleet::formed(3, 2);
    assert_eq!(fleet.insist(0, &["SET", "a", "1"]), "OK");
    for machine in &mut fleet.machines {
        machine.crash();
    }
    for machine in &mut fleet.machines {
        machine.power_on();
    }
    fleet.wait_until_whole(&[0, 1, 2]);
    assert_eq!(fleet.insist(1, &["GET", "a"]), "1");
}

#[test]
fn a_power_cut_right_after_the_plan_was_taken_only_delays_the_cluster() {
    for crashed in [0b001, 0b110, 0b111] {
        let mut fleet = Fleet::lonely(3, 2);
        let plan = fleet.plan.to_json();
        for (at, machine) in fleet.machines.iter_mut().enumerate() {
            assert_eq!(machine.ask(&["CLUSTER", "FORM", &plan]), "OK");
            if crashed & (1 << at) != 0 {
                machine.crash();
                machine.power_on();
            }
        }
        fleet.wait_until_whole(&[0, 1, 2]);
        assert_eq!(fleet.insist(2, &["SET", "a", "1"]), "OK");
    }
}

#[test]
fn a_plan_may_reach_the_nodes_late_and_more_than_once() {
    let fleet = Fleet::lonely(3, 2);
    let form = |at: usize| fleet.machines[at].ask(&["CLUSTER", "FORM", &fleet.plan.to_json()]);
    // The one that founds the groups is the last to hear of it.
    for at in [2, 2, 1, 2, 0, 1] {
        assert_eq!(until_taken(|| form(at)), "OK");
    }
    fleet.wait_until_whole(&[0, 1, 2]);
    assert_eq!(form(1), "OK");
    let other = plan(&fleet.machines, 2, 9).to_json();
    let refused = fleet.machines[1].ask(&["CLUSTER", "FORM", &other]);
    let cluster = fleet.plan.cluster_id;
    assert!(
        refused.starts_with(&format!("-ERR this node belongs to cluster {cluster} already")),
        "{refused}"
    );
}

/// A node that restarts may close the connection; the sender of a plan then tries again.
fn until_taken(mut form: impl FnMut() -> String) -> String {
    let mut attempt = || std::panic::catch_unwind(std::panic::AssertUnwindSafe(&mut form)).ok();
    until("the node answers", &mut attempt)
}

#[test]
fn nodes_that_moved_are_found_again_even_after_all_were_down() {
    let mut fleet = Fleet::formed(3, 2);
    assert_eq!(fleet.insist(0, &["SET", "a", "1"]), "OK");
    for at in 0..3 {
        fleet.machines[at].crash();
        fleet.machines[at].relocate();
        fleet.machines[at].power_on();
        let own = fleet.machines[at].port;
        for seen_by in 0..3 {
            until("everybody knows where the node is now", || {
                let nodes = fleet.try_ask(seen_by, &["CLUSTER", "NODES"])?;
                nodes.contains(&format!("127.0.0.1:{own}@")).then_some(())
            });
        }
    }
    // Nobody is where the plan says any more.
    for machine in &mut fleet.machines {
        machine.crash();
    }
    for machine in &mut fleet.machines {
        machine.power_on();
    }
    fleet.wait_until_whole(&[0, 1, 2]);
    assert_eq!(fleet.insist(2, &["GET", "a"]), "1");
}

#[test]
fn a_follower_leads_when_it_is_asked_to() {
    let fleet = Fleet::formed(3, 2);
    for option in [&[][..], &["FORCE"], &["takeover"]] {
        let leader = fleet.wait_for_leader(0);
        let failover = [&["CLUSTER", "FAILOVER"], option].concat();
        let refused = "-ERR You should send CLUSTER FAILOVER to a replica";
        assert_eq!(fleet.machines[leader].ask(&failover), refused);
        let follower = (leader + 1) % 3;
        assert_eq!(fleet.machines[follower].ask(&failover), "OK");
        until("the follower leads", || (fleet.leader(0) == Some(follower)).then_some(()));
        for seen_by in 0..3 {
            until("everybody sends clients there", || {
                let slots = fleet.try_ask(seen_by, &["CLUSTER", "SLOTS"])?;
                let port = fleet.machines[follower].port;
                slots.starts_with(&format!("[[0 16383 [127.0.0.1 {port} ")).then_some(())
            });
        }
    }
}

#[test]
fn a_minority_acknowledges_nothing_and_stops_answering() {
    let mut fleet = Fleet::formed(3, 2);
    assert_eq!(fleet.insist(0, &["SET", "a", "1"]), "OK");
    let leader = fleet.wait_for_leader(0);
    let others = [(leader + 1) % 3, (leader + 2) % 3];
    for at in others {
        fleet.machines[at].crash();
    }
    let mut writer = fleet.machines[leader].connect();
    writer.be_patient_for(Duration::from_millis(500));
    // It may wait for the others to come back, but it must not say that it is done.
    let written = writer.try_ask(&["SET", "a", "2"]);
    assert!(!matches!(written.as_deref(), Ok("OK")), "a write was acknowledged by one of three");
    until("the lease has run out", || {
        let reply = fleet.machines[leader].ask(&["GET", "a"]);
        assert!(reply == "1" || reply.starts_with('-'), "{reply}");
        reply.starts_with('-').then_some(())
    });
    for at in others {
        fleet.machines[at].power_on();
    }
    fleet.wait_until_whole(&[0, 1, 2]);
    assert!(["1", "2"].contains(&fleet.insist(0, &["GET", "a"]).as_str()));
}
