//! One test for each rule that keeps replicas equal: it fails when the rule is broken.

mod support;

use std::collections::BTreeSet;

use quoris_engine::{Engine, Interests, Settings};
use support::reply::Reply;
use support::session::{START_MS, Session};

fn say(session: &mut Session, line: &str) -> String {
    session.line(line, false).trim_end().to_string()
}

#[test]
fn expiry_is_decided_by_the_stamp_to_the_millisecond() {
    let mut session = Session::new(1);
    say(&mut session, "SET a 1 PX 100");
    session.now_ms = START_MS + 99;
    assert_eq!(say(&mut session, "GET a"), "\"1\"");
    session.now_ms = START_MS + 100;
    assert_eq!(say(&mut session, "GET a"), "(nil)");
    assert_eq!(say(&mut session, "SETNX a 2"), "(integer) 1");
}

#[test]
fn a_clock_that_falls_back_counts_as_the_last_stamp() {
    let mut session = Session::new(1);
    say(&mut session, "SET a 1 PX 100");
    session.now_ms = START_MS + 200;
    say(&mut session, "SET b 1 PX 100");
    session.now_ms = START_MS;
    assert_eq!(say(&mut session, "GET a"), "(nil)", "a read");
    assert_eq!(say(&mut session, "PTTL b"), "(integer) 100", "a read");
    assert_eq!(say(&mut session, "APPEND a x"), "(integer) 1", "an entry");
}

#[test]
fn reads_change_nothing_even_where_keys_have_expired() {
    let mut session = Session::new(1);
    say(&mut session, "SET a 1 PX 100");
    say(&mut session, "SET b 2");
    say(&mut session, "HSET h f v");
    let (digest, snapshot) = (session.engine.digest(), session.engine.snapshot());
    session.now_ms += 1000;
    for line in ["GET a", "GET b", "KEYS *", "SCAN 0", "RANDOMKEY", "TTL a", "TOUCH b", "HGETALL h"]
    {
        say(&mut session, line);
    }
    assert_eq!(session.engine.digest(), digest);
    assert_eq!(session.engine.snapshot(), snapshot);
}

#[test]
fn random_choices_are_a_function_of_the_seed() {
    let popped = |seed: u64| {
        let mut session = Session::new(1);
        for member in 0..50 {
            say(&mut session, &format!("SADD s m{member}"));
        }
        session.seed = seed;
        (say(&mut session, "SPOP s 3"), say(&mut session, "SPOP s"))
    };
    assert_eq!(popped(5), popped(5));
    let different: BTreeSet<_> = (0..20).map(popped).collect();
    assert!(different.len() > 15, "the seed decides, but {} choices came out", different.len());
}

#[test]
fn order_does_not_depend_on_capacity() {
    let fill = |session: &mut Session, keys: std::ops::Range<u32>, command: &str| {
        for n in keys {
            say(session, &format!("{command} {{t}}key:{n} 1"));
        }
    };
    let mut small = Session::new(1);
    fill(&mut small, 0..500, "SET");
    let mut large = Session::new(1);
    fill(&mut large, 0..3000, "SET");
    for n in 500..3000 {
        say(&mut large, &format!("DEL {{t}}key:{n}"));
    }
    large.seed = small.seed;
    for line in ["KEYS *", "SCAN 0 COUNT 100", "RANDOMKEY", "RANDOMKEY"] {
        assert_eq!(say(&mut small, line), say(&mut large, line), "{line}");
    }
}

#[test]
fn a_scan_returns_what_is_there_throughout_while_tables_grow_and_shrink() {
    let mut session = Session::new(1);
    for n in 0..2000 {
        say(&mut session, &format!("SET {{t}}stays:{n} 1"));
        say(&mut session, &format!("SET stays:{n} 1"));
    }
    let (mut found, mut cursor, mut round) = (BTreeSet::new(), b"0".to_vec(), 0);
    loop {
        let Reply::Array(parts) = session.words(&[b"SCAN", &cursor, b"COUNT", b"50"]) else {
            panic!("a scan answers an array");
        };
        let [Reply::Bulk(next), Reply::Array(keys)] = &parts[..] else { panic!("cursor and keys") };
        for key in keys {
            let Reply::Bulk(key) = key else { panic!("keys are bulk strings") };
            found.insert(String::from_utf8(key.clone()).expect("a readable key"));
        }
        cursor.clone_from(next);
        if cursor == b"0" {
            break;
        }
        round += 1;
        for n in 0..200 {
            let key = format!("{{t}}comes:{}", n + 200 * (round % 20));
            let command = if round % 40 < 20 { "SET" } else { "DEL" };
            let value = if command == "SET" { " 1" } else { "" };
            say(&mut session, &format!("{command} {key}{value}"));
        }
    }
    found.retain(|key| key.contains("stays:"));
    assert_eq!(found.len(), 4000, "every key that was there throughout");
}

#[test]
fn settings_are_part_of_the_state() {
    let settings = Settings { hash_compact_entries: 2, ..Settings::default() };
    let mut session = Session::new(1);
    session.engine = Engine::new(settings.clone(), quoris_engine::Seeds { hash: [4; 16] });
    session.restart();
    assert_eq!(session.engine.settings(), &settings);
    say(&mut session, "HSET h a 1 b 2 c 3");
    assert_eq!(say(&mut session, "OBJECT ENCODING h"), "\"hashtable\"");
}

#[test]
fn the_last_stamp_survives_a_snapshot() {
    let mut session = Session::new(1);
    say(&mut session, "SET a 1 PX 100");
    session.restart();
    session.now_ms = 0;
    assert_eq!(say(&mut session, "PTTL a"), "(integer) 100", "time never runs backwards");
}

#[test]
fn effects_are_the_same_whoever_asks_for_them() {
    let run = |interests: Interests| {
        let mut session = Session::new(1);
        session.interests = interests;
        for line in ["SET a 1 PX 1", "RPUSH l 1 2", "RENAME l m", "LPOP m 2", "FLUSHDB"] {
            say(&mut session, line);
        }
        session.engine.digest()
    };
    let all = Interests { touched: true, notifications: true, ..Interests::default() };
    assert_eq!(run(all), run(Interests::default()));
}

#[test]
fn a_digest_tells_order_expiry_database_and_encoding_apart() {
    let digest = |lines: &[&str]| {
        let mut session = Session::new(1);
        lines.iter().for_each(|line| {
            say(&mut session, line);
        });
        session.engine.digest()
    };
    let all = [
        digest(&["RPUSH l 1 2"]),
        digest(&["RPUSH l 2 1"]),
        digest(&["SADD l 1 2"]),
        digest(&["SADD l 2 1"]),
        digest(&["SET l 1"]),
        digest(&["SET l 1 PX 5"]),
        digest(&["SET l 1 PX 6"]),
        digest(&["SELECT 1", "SET l 1"]),
        digest(&["APPEND l 1", "SETRANGE l 0 1"]),
        digest(&["HSET l 1 2"]),
        digest(&["ZADD l 1 2"]),
        digest(&["XADD l 1 1 2"]),
        digest(&["XADD l 1 1 2", "XSETID l 2"]),
        digest(&["XADD l 1 1 2", "XGROUP CREATE l g 0"]),
        digest(&["XADD l 1 1 2", "XGROUP CREATE l g 0", "XGROUP CREATECONSUMER l g c"]),
        digest(&[]),
    ];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

/// Which databases exist is a setting like any other, and a replica that never had the ones that
/// went away applies what was proposed while they were there.
#[test]
fn a_write_to_a_database_that_went_away_is_the_same_everywhere() {
    let mut straight = Session::new(1);
    assert_eq!(say(&mut straight, "SET a 1"), "OK");
    assert_eq!(say(&mut straight, "quoris.setting databases 4"), "OK");
    let mut restored = Session::new(1);
    restored.engine = Engine::restore(&straight.engine.snapshot()).expect("its own");
    for session in [&mut straight, &mut restored] {
        session.db = 9;
        assert_eq!(say(session, "SET b 2"), "OK");
        let refusal = say(session, "quoris.setting databases 3");
        assert!(refusal.contains("holds keys"), "{refusal}");
        assert_eq!(session.engine.settings().databases, 4);
    }
    assert_eq!(straight.engine.digest(), restored.engine.digest());
    // A reader that had selected it before is told, not answered from nowhere.
    restored.engine = Engine::restore(&Session::new(1).engine.snapshot()).expect("its own");
    restored.db = 40;
    assert!(say(&mut restored, "GET b").contains("out of range"));
}
