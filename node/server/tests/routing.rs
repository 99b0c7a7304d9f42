//! Where a client is sent whose slot is elsewhere, and what waits for a leader.

mod support;

use std::rc::Rc;

use quoris_engine::Slot;
use quoris_server::{Route, Routes};
use support::{Client, with_node};

/// Slots below the border are here, if there is a leader; the others are at another node.
struct Border {
    slot: u16,
    led: bool,
}

impl Routes for Border {
    fn is_single_shard(&self) -> bool {
        false
    }

    fn owns(&self, slot: Slot) -> bool {
        self.led && slot.number() < self.slot
    }

    fn decide(&self, slot: Slot, leads: bool, _: bool) -> Route {
        match (slot.number() < self.slot, self.led && leads) {
            (true, true) => Route::Local,
            (true, false) => Route::LeaderUnknown,
            (false, _) => Route::Moved { host: "10.0.0.9".to_owned(), port: 7009 },
        }
    }

    fn client_address(&self, _: u64) -> Option<(String, u16)> {
        None
    }
}

#[test]
fn keys_of_other_shards_are_redirected_and_slots_may_not_be_mixed() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("MSET foo 1 bar 2", "+OK\r\n").await;
        // foo is in slot 12182, bar in 5061.
        shared.set_routes(Rc::new(Border { slot: 6000, led: true }));
        client.line("GET bar", "$1\r\n2\r\n").await;
        client.line("GET foo", "-MOVED 12182 10.0.0.9:7009\r\n").await;
        client.line("SET foo 1", "-MOVED 12182 10.0.0.9:7009\r\n").await;
        client.line("MGET {foo}a {foo}b", "-MOVED 12182 10.0.0.9:7009\r\n").await;
        client.line("MGET {bar}a bar", "*2\r\n$-1\r\n$1\r\n2\r\n").await;
        let crossing = "-CROSSSLOT Keys in request don't hash to the same slot\r\n";
        client.line("MGET bar foo", crossing).await;
        client.line("MSET bar 1 foo 2", crossing).await;
        client.line("PING", "+PONG\r\n").await;
        client.line("DBSIZE", ":2\r\n").await;
        // A refusal in a pipeline stands where its reply belongs.
        client.send(b"SET bar 3\r\nGET foo\r\nGET bar\r\n").await;
        client.expect("+OK\r\n-MOVED 12182 10.0.0.9:7009\r\n$1\r\n3\r\n").await;
    });
}

#[test]
fn keys_are_given_away_where_they_are() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("EXISTS bar foo", ":0\r\n").await;
        shared.set_routes(Rc::new(Border { slot: 6000, led: true }));
        let crossing = "-CROSSSLOT Keys in request don't hash to the same slot\r\n";
        client.line("MIGRATE h 1 foo 0 9", "-MOVED 12182 10.0.0.9:7009\r\n").await;
        client.line("MIGRATE h 1 \"\" 0 9 KEYS foo", "-MOVED 12182 10.0.0.9:7009\r\n").await;
        client.line("MIGRATE h 1 \"\" 0 9 KEYS bar foo", crossing).await;
        client.line("MIGRATE h 1 \"\" 0 9 KEYS bar {bar}2", "+NOKEY\r\n").await;
    });
}

#[test]
fn sort_stays_in_the_slot_of_its_key() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("SORT missing BY w_* GET *", "*0\r\n").await;
        shared.set_routes(Rc::new(Border { slot: 6000, led: true }));
        client.line("RPUSH bar 2 1", ":2\r\n").await;
        client.line("SORT bar", "*2\r\n$1\r\n1\r\n$1\r\n2\r\n").await;
        client.line("SORT bar BY {bar}w_* GET # STORE {bar}d", ":2\r\n").await;
        let denied = |option: &str| {
            format!(
                "-ERR {option} option of SORT denied in cluster mode when keys formed by the \
                 pattern may be in different slots.\r\n"
            )
        };
        client.line("SORT bar BY w_*", &denied("BY")).await;
        client.line("SORT_RO bar GET # GET {foo}*", &denied("GET")).await;
        let crossing = "-CROSSSLOT Keys in request don't hash to the same slot\r\n";
        client.line("SORT bar STORE foo", crossing).await;
        client.line("SORT foo BY {foo}w_*", "-MOVED 12182 10.0.0.9:7009\r\n").await;
    });
}

#[test]
fn a_request_waits_for_a_leader_and_then_runs() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("SET bar 1", "+OK\r\n").await;
        shared.set_routes(Rc::new(Border { slot: 6000, led: false }));
        client.send(b"INCR bar\r\nGET bar\r\n").await;
        let mut other = Client::connect(&shared).await;
        other.line("GET foo", "-MOVED 12182 10.0.0.9:7009\r\n").await;
        shared.set_routes(Rc::new(Border { slot: 6000, led: true }));
        client.expect(":2\r\n$1\r\n2\r\n").await;
    });
}

#[test]
fn a_request_that_waits_too_long_for_a_leader_is_told_to_retry() {
    with_node(&[], async |shared| {
        let mut client = Client::connect(&shared).await;
        client.line("PING", "+PONG\r\n").await;
        shared.set_routes(Rc::new(Border { slot: 6000, led: false }));
        client.line("GET bar", "-CLUSTERDOWN The cluster is down\r\n").await;
    });
}
