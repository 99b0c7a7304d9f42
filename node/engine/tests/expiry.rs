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
