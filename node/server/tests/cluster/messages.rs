//! What clients of different nodes say to each other.

use quoris_engine::Slot;

use crate::wire::Wire;
use crate::{Fleet, until};

/// A client of a node that has subscribed to something.
fn subscriber(fleet: &Fleet, at: usize, words: &[&str]) -> Wire {
    let mut wire = fleet.machines[at].connect();
    let confirmed = wire.ask(words);
    let expected = format!("[{} {} 1]", words[0].to_lowercase(), words[1]);
    assert_eq!(confirmed, expected, "on node {at}");
    wire
}

#[test]
fn what_is_published_anywhere_reaches_subscribers_everywhere() {
    let fleet = Fleet::formed(6, 1);
    let mut listeners: Vec<_> =
        (0..6).map(|at| subscriber(&fleet, at, &["SUBSCRIBE", "news"])).collect();
    let mut patterns = subscriber(&fleet, 4, &["PSUBSCRIBE", "n*"]);
    let mut deaf = subscriber(&fleet, 2, &["SUBSCRIBE", "other"]);
    for at in 0..6 {
        let mut publisher = fleet.machines[at].connect();
        // Only those on the publisher's node are counted, as in Redis Cluster.
        let here = if at == 4 { "2" } else { "1" };
        for n in 0..20 {
            assert_eq!(publisher.ask(&["PUBLISH", "news", &format!("{at}.{n}")]), here);
        }
        for n in 0..20 {
            for listener in &mut listeners {
                assert_eq!(listener.next(), format!("[message news {at}.{n}]"));
            }
            assert_eq!(patterns.next(), format!("[pmessage n* news {at}.{n}]"));
        }
    }
    assert_eq!(fleet.machines[3].ask(&["PUBLISH", "other", "x"]), "0");
    assert_eq!(deaf.next(), "[message other x]");
}

#[test]
fn a_subscription_counts_everywhere_from_its_confirmation_on() {
    let fleet = Fleet::formed(3, 2);
    // By then, every node has a stream to every other.
    let mut first = subscriber(&fleet, 0, &["SUBSCRIBE", "ready"]);
    for at in 1..3 {
        until("the nodes have met", || {
            fleet.machines[at].ask(&["PUBLISH", "ready", "x"]);
            first.be_patient_for(std::time::Duration::from_millis(100));
            first.try_next().ok()
        });
    }
    let mut publishers: Vec<_> = (1..3).map(|at| fleet.machines[at].connect()).collect();
    for n in 0..50 {
        let channel = format!("c{n}");
        let mut wire = subscriber(&fleet, 0, &["SUBSCRIBE", &channel]);
        for (at, publisher) in publishers.iter_mut().enumerate() {
            assert_eq!(publisher.ask(&["PUBLISH", &channel, &at.to_string()]), "0");
            assert_eq!(wire.next(), format!("[message {channel} {at}]"));
        }
    }
}

#[test]
fn channels_of_a_shard_stay_in_it() {
    let fleet = Fleet::formed(6, 2);
    let shard_of = |channel: &str| {
        let slot = Slot::of_key(channel.as_bytes()).number();
        let slots = fleet.insist(0, &["CLUSTER", "SLOTS"]);
        let ends = slots.trim_matches(['[', ']']).split("] [").next().map(str::to_owned);
        let end: u16 = ends.and_then(|it| it.split(' ').nth(1)?.parse().ok()).expect("a range");
        usize::from(slot > end)
    };
    let (here, there): (Vec<_>, Vec<_>) =
        (0..6).partition(|at| fleet.members(shard_of("a")).any(|member| member == *at));
    let leader = fleet.wait_for_leader(shard_of("a"));
    // Any node of the shard takes subscribers and messages, whoever leads it.
    let mut listeners: Vec<_> =
        here.iter().map(|at| subscriber(&fleet, *at, &["SSUBSCRIBE", "a"])).collect();
    for at in &here {
        let publisher = &fleet.machines[*at];
        assert_eq!(publisher.ask(&["SPUBLISH", "a", &at.to_string()]), "1");
        for listener in &mut listeners {
            assert_eq!(listener.next(), format!("[smessage a {at}]"));
        }
    }
    let moved = format!("-MOVED 15495 127.0.0.1:{}", fleet.machines[leader].port);
    for at in there {
        assert_eq!(fleet.machines[at].ask(&["SSUBSCRIBE", "a"]), moved);
        assert_eq!(fleet.machines[at].ask(&["SPUBLISH", "a", "x"]), moved);
    }
}

#[test]
fn nodes_that_come_back_are_told_and_tell_again_who_listens() {
    let mut fleet = Fleet::formed(3, 2);
    let mut listener = subscriber(&fleet, 0, &["SUBSCRIBE", "news"]);
    let leader = fleet.wait_for_leader(0);
    let dead = if leader == 0 { 1 } else { leader };
    fleet.machines[dead].crash();
    let alive = 3 - dead;
    assert_eq!(fleet.machines[alive].ask(&["PUBLISH", "news", "without it"]), "0");
    assert_eq!(listener.next(), "[message news without it]");
    fleet.machines[dead].power_on();
    fleet.wait_until_whole(&[0, 1, 2]);
    listener.be_patient_for(std::time::Duration::from_millis(200));
    let mut count = 0;
    until("a message of the node that was away arrives", || {
        count += 1;
        fleet.machines[dead].ask(&["PUBLISH", "news", &count.to_string()]);
        listener.try_next().ok()
    });
    let mut other = subscriber(&fleet, dead, &["SUBSCRIBE", "back"]);
    other.be_patient_for(std::time::Duration::from_millis(200));
    until("a message to the node that was away arrives", || {
        fleet.machines[0].ask(&["PUBLISH", "back", "x"]);
        other.try_next().ok()
    });
}

#[test]
fn followers_tell_their_own_clients_what_happens_to_keys() {
    let fleet = Fleet::formed(3, 2);
    assert_eq!(fleet.insist(0, &["SET", "a", "1"]), "OK");
    let leader = fleet.wait_for_leader(0);
    let follower = &fleet.machines[(leader + 1) % 3];
    assert_eq!(follower.ask(&["CONFIG", "SET", "notify-keyspace-events", "EA"]), "OK");
    let mut listener = follower.connect();
    let channel = "__keyevent@0__:*";
    assert_eq!(listener.ask(&["PSUBSCRIBE", channel]), format!("[psubscribe {channel} 1]"));
    let mut reader = follower.connect();
    reader.ask(&["HELLO", "3"]);
    assert_eq!(reader.ask(&["READONLY"]), "OK");
    assert_eq!(reader.ask(&["CLIENT", "TRACKING", "ON"]), "OK");
    until("the follower has the key", || (reader.ask(&["GET", "a"]) == "1").then_some(()));
    assert_eq!(fleet.insist(leader, &["DEL", "a"]), "1");
    assert_eq!(listener.next(), format!("[pmessage {channel} __keyevent@0__:del a]"));
    assert_eq!(reader.next(), "[invalidate [a]]");
}

#[test]
fn clients_of_a_node_that_ceases_to_lead_forget_what_they_cache() {
    let fleet = Fleet::formed(3, 2);
    assert_eq!(fleet.insist(0, &["SET", "a", "1"]), "OK");
    let leader = fleet.wait_for_leader(0);
    let mut reader = fleet.machines[leader].connect();
    reader.ask(&["HELLO", "3"]);
    assert_eq!(reader.ask(&["CLIENT", "TRACKING", "ON"]), "OK");
    assert_eq!(reader.ask(&["GET", "a"]), "1");
    assert_eq!(fleet.machines[(leader + 1) % 3].ask(&["CLUSTER", "FAILOVER"]), "OK");
    assert_eq!(reader.next(), "[invalidate nil]");
}
