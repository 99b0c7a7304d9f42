//! Keys that leave for another server: what is removed is what was given, and nothing newer.

mod support;

use support::session::Session;

fn departs(session: &mut Session, key: &str, digest: u128) -> String {
    session.line(&format!("quoris.departed {key} {digest:032x}"), false)
}

fn digest(session: &Session, key: &str) -> u128 {
    let departing = session.engine.departing(session.db, key.as_bytes(), session.now_ms);
    departing.expect("the key is there").digest
}

#[test]
fn a_key_goes_unless_it_has_changed() {
    let mut session = Session::new(1);
    for change in ["RPUSH key d", "LPUSH key d", "PEXPIRE key 100", "COPY other key REPLACE"] {
        session.line("DEL key", false);
        session.line("RPUSH key a b c", false);
        session.line("RPUSH other a b d", false);
        let before = digest(&session, "key");
        session.line(change, false);
        assert_eq!(departs(&mut session, "key", before), "(integer) 0\n", "{change}");
        assert_eq!(session.line("EXISTS key", false), "(integer) 1\n", "{change}");
        let now = digest(&session, "key");
        assert_eq!(departs(&mut session, "key", now), "(integer) 1\n", "{change}");
        assert_eq!(session.line("EXISTS key", false), "(integer) 0\n", "{change}");
    }
    assert_eq!(departs(&mut session, "key", 0), "(integer) 0\n");
}

#[test]
fn a_replica_restored_from_a_snapshot_finds_the_same() {
    let mut session = Session::new(1);
    for line in ["HSET hash f 1 g 2", "HDEL hash f", "SADD set 1 2 x", "ZADD zset 2 b 1 a"] {
        session.line(line, false);
    }
    for key in ["hash", "set", "zset"] {
        let before = digest(&session, key);
        session.restart();
        assert_eq!(departs(&mut session, key, before), "(integer) 1\n", "{key}");
    }
}

#[test]
fn what_has_expired_does_not_leave() {
    let mut session = Session::new(1);
    session.line("SET key v PX 10", false);
    session.now_ms += 10;
    assert_eq!(session.engine.departing(0, b"key", session.now_ms), None);
    assert!(!session.engine.can_depart(0, b"key", session.now_ms));
}

#[test]
fn nothing_leaves_a_database_that_is_not_there() {
    let session = Session::new(1);
    let db = session.engine.keyspace().database_count();
    assert_eq!(session.engine.departing(db, b"key", session.now_ms), None);
    assert!(!session.engine.can_depart(db, b"key", session.now_ms));
}
