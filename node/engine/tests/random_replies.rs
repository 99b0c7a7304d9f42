//! Commands that may return an element many times must not let a small request fill the memory.

mod support;

use quoris_engine::{Engine, Seeds, Settings};
use support::reply::Reply;
use support::session::Session;

/// An engine whose longest string, and so the longest reply of repetitions, is 1000 bytes.
fn session() -> Session {
    let mut session = Session::new(1);
    let settings = Settings { string_bytes_max: 1000, ..Settings::default() };
    session.engine = Engine::new(settings, Seeds { hash: [1; 16] });
    session
}

#[test]
fn repetitions_are_limited_in_number_and_in_bytes() {
    let mut session = session();
    let long = [b'x'; 100];
    session.words(&[b"SADD", b"set", &long]);
    session.words(&[b"HSET", b"hash", b"field", &long]);
    let refused = Reply::Error("ERR value is out of range".into());
    for request in [
        &[&b"SRANDMEMBER"[..], b"set", b"-10"][..],
        &[b"SRANDMEMBER", b"set", b"-16777217"],
        &[b"HRANDFIELD", b"hash", b"-10", b"WITHVALUES"],
        &[b"HRANDFIELD", b"hash", b"-100"],
        &[b"HRANDFIELD", b"hash", b"-16777217"],
    ] {
        assert_eq!(session.words(request), refused, "{request:?}");
    }
    for request in [
        &[&b"SRANDMEMBER"[..], b"set", b"-9"][..],
        &[b"HRANDFIELD", b"hash", b"-9"],
        &[b"SRANDMEMBER", b"set", b"9223372036854775807"],
    ] {
        assert!(matches!(session.words(request), Reply::Array(_)), "{request:?}");
    }
}

/// What is there is returned, however much it is: only repetitions are limited.
#[test]
fn a_whole_collection_is_returned() {
    let mut session = session();
    for n in 0..50 {
        let member = format!("{n:0100}").into_bytes();
        session.words(&[b"SADD", b"set", &member]);
        session.words(&[b"HSET", b"hash", &member, &member]);
    }
    for request in [&[&b"SRANDMEMBER"[..], b"set", b"49"], &[b"HRANDFIELD", b"hash", b"49"]] {
        let Reply::Array(members) = session.words(request) else { panic!("{request:?}") };
        assert_eq!(members.len(), 49);
    }
}
