//! The leader's sample of expired keys.

mod support;

use std::collections::BTreeSet;

use quoris_engine::ExpiryPlace;
use support::session::Session;

#[test]
fn the_sample_finds_every_expired_key_of_every_database_and_no_other() {
    let mut session = Session::new(1);
    let mut expected = BTreeSet::new();
    for n in 0..300_u64 {
        session.db = (n % 3) as u16;
        let (key, at_ms) = (format!("key:{n}"), session.now_ms + 1 + n % 100);
        session.words(&[b"SET", key.as_bytes(), b"v", b"PXAT", at_ms.to_string().as_bytes()]);
        session.words(&[b"SET", format!("live:{n}").as_bytes(), b"v"]);
        if n % 100 < 50 {
            expected.insert((session.db, key.into_bytes()));
        }
    }
    let now_ms = session.now_ms + 50;
    let (mut found, mut place) = (BTreeSet::new(), ExpiryPlace::default());
    for _ in 0..1000 {
        let sample = session.engine.expired_sample(now_ms, 7, &mut place);
        assert!(sample.len() <= 7);
        // What was sampled is proposed and removed, so that the next sample finds others.
        for (db, key) in sample {
            session.db = db;
            session.now_ms = now_ms;
            session.words(&[b"quoris.expire", &key]);
            found.insert((db, key));
        }
    }
    assert_eq!(found, expected);
    assert!(session.engine.expired_sample(now_ms, 7, &mut place).is_empty());
    assert_eq!(session.engine.keyspace().database(0).expiring_len(), 50);
}

#[test]
fn the_sample_finds_hashes_with_expired_fields_until_they_are_removed() {
    let mut session = Session::new(1);
    let start_ms = session.now_ms;
    for n in 0..50_u64 {
        session.db = (n % 2) as u16;
        let (key, at_ms) = (format!("hash:{n}"), (start_ms + 1 + n).to_string());
        let fields = [b"HSETEX", key.as_bytes(), b"PXAT", at_ms.as_bytes(), b"FIELDS", b"1"];
        session.words(&[&fields[..], &[b"gone", b"v"]].concat());
        session.words(&[b"HSET", key.as_bytes(), b"stays", b"v"]);
    }
    // One field of a key that moves, one of a big hash, and one deadline that is taken back.
    session.line("SELECT 0", false);
    session.line("HPERSIST hash:0 FIELDS 1 gone", false);
    session.line("RENAME hash:2 moved", false);
    for n in 0..5000 {
        session.line(&format!("HSETEX big PX 10 FIELDS 1 field:{n} v"), false);
    }
    session.restart();
    session.now_ms = start_ms + 20;
    let (mut found, mut place) = (BTreeSet::new(), ExpiryPlace::default());
    loop {
        let sample = session.engine.expired_sample(session.now_ms, 7, &mut place);
        if sample.is_empty() {
            break;
        }
        for (db, key) in sample {
            session.db = db;
            session.words(&[b"quoris.expire", &key]);
            found.insert((db, String::from_utf8(key).expect("a readable key")));
        }
    }
    let mut expected: BTreeSet<_> =
        (1..20).filter(|n| *n != 2).map(|n| ((n % 2) as u16, format!("hash:{n}"))).collect();
    expected.extend([(0, "moved".to_string()), (0, "big".to_string())]);
    assert_eq!(found, expected);
    session.db = 0;
    assert_eq!(session.line("EXISTS big", false), "(integer) 0\n");
    assert_eq!(session.line("HKEYS moved", false), "1) \"stays\"\n");
    assert_eq!(session.line("HLEN hash:20", false), "(integer) 2\n");
}
