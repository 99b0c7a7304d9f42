//! Transactions and waiting clients when the leader changes.

use crate::{Fleet, until};

/// Makes another member of the first shard its leader; returns which.
fn change_leader(fleet: &Fleet, from: usize) -> usize {
    let to = (from + 1) % fleet.machines.len();
    until("another node leads", || {
        if fleet.leader(0) == Some(to) {
            return Some(to);
        }
        // It may be refused while the follower lags: then again.
        let _ = fleet.try_ask(to, &["CLUSTER", "FAILOVER"]);
        None
    })
}

fn wait_until_blocked(fleet: &Fleet, at: usize) {
    until("the client waits", || {
        let info = fleet.try_ask(at, &["INFO", "clients"])?;
        info.contains("blocked_clients:1\r\n").then_some(())
    });
}

#[test]
fn what_a_waiting_client_got_is_gone_on_every_replica() {
    let fleet = Fleet::formed(3, 2);
    let leader = fleet.wait_for_leader(0);
    let mut waiting = fleet.machines[leader].connect();
    waiting.send(&["BLPOP", "l", "0"]);
    wait_until_blocked(&fleet, leader);
    assert_eq!(fleet.insist(leader, &["RPUSH", "l", "a", "b"]), "2");
    assert_eq!(waiting.next(), "[l a]");
    change_leader(&fleet, leader);
    assert_eq!(fleet.insist(leader, &["LRANGE", "l", "0", "-1"]), "[b]");
}

#[test]
fn those_who_wait_are_told_when_their_node_leads_no_more() {
    let fleet = Fleet::formed(3, 2);
    let leader = fleet.wait_for_leader(0);
    let mut waiting = fleet.machines[leader].connect();
    waiting.send(&["BLPOP", "l", "0"]);
    wait_until_blocked(&fleet, leader);
    change_leader(&fleet, leader);
    let told = "-UNBLOCKED force unblock from blocking operation, \
        instance state changed (master -> replica?)";
    assert_eq!(waiting.next(), told);
    assert!(waiting.try_next().is_err(), "the client is to look for the leader");
    assert_eq!(fleet.insist(leader, &["RPUSH", "l", "a"]), "1");
    assert_eq!(fleet.insist(leader, &["LRANGE", "l", "0", "-1"]), "[a]");
}

#[test]
fn exec_on_a_node_that_leads_no_more_never_succeeds() {
    let fleet = Fleet::formed(3, 2);
    let leader = fleet.wait_for_leader(0);
    let mut client = fleet.machines[leader].connect();
    for (words, reply) in
        [(&["WATCH", "a"][..], "OK"), (&["MULTI"], "OK"), (&["SET", "a", "1"], "QUEUED")]
    {
        assert_eq!(client.ask(words), reply);
    }
    change_leader(&fleet, leader);
    let said = client.ask(&["EXEC"]);
    assert!(said == "nil" || said.starts_with('-'), "{said}");
    assert_eq!(fleet.insist(leader, &["EXISTS", "a"]), "0");
    assert_eq!(client.ask(&["EXEC"]), "-ERR EXEC without MULTI");
}

#[test]
fn a_script_that_reads_costs_its_node_no_leadership_and_ends_with_it() {
    let fleet = Fleet::formed(3, 2);
    let leader = fleet.wait_for_leader(0);
    let follower = (leader + 1) % fleet.machines.len();
    let patience = ["CONFIG", "SET", "busy-reply-threshold", "1"];
    assert_eq!(fleet.insist(leader, &patience), "OK");
    let mut client = fleet.machines[leader].connect();
    client.send(&["EVAL_RO", "while true do end", "0"]);
    until("the script counts as busy", || {
        fleet.try_ask(leader, &["PING"])?.starts_with("-BUSY").then_some(())
    });
    // Each look takes so long that without heartbeats there would be several elections.
    let mut looks = 0;
    until("the followers have looked for a leader often", || {
        let role = fleet.try_ask(follower, &["ROLE"])?;
        assert!(role.starts_with("[slave ") && role.contains(" connected "), "{role}");
        looks += 1;
        (looks == 200).then_some(())
    });
    change_leader(&fleet, leader);
    let told = client.next();
    assert!(told.starts_with("-TRYAGAIN"), "{told}");
    assert_eq!(fleet.insist(leader, &["SET", "a", "1"]), "OK");
}
