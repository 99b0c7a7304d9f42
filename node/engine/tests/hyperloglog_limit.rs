//! `hll-sparse-max-bytes` decides when registers become dense, and is part of the replicated state.

mod support;

use quoris_engine::{Engine, Seeds, Settings};
use support::reply::Reply;
use support::session::Session;

fn session(sparse_bytes_max: u64) -> Session {
    let mut session = Session::new(1);
    let settings =
        Settings { hyperloglog_sparse_bytes_max: sparse_bytes_max, ..Settings::default() };
    session.engine = Engine::new(settings, Seeds { hash: [1; 16] });
    session
}

#[test]
fn registers_become_dense_beyond_the_limit_and_count_the_same() {
    let (mut small, mut large) = (session(100), session(3000));
    for number in 0..60_u32 {
        let element = number.to_le_bytes();
        for session in [&mut small, &mut large] {
            session.words(&[b"PFADD", b"key", &element]);
        }
    }
    let ask = |session: &mut Session, words: &[&[u8]]| session.words(words);
    let encoding: &[&[u8]] = &[b"PFDEBUG", b"ENCODING", b"key"];
    assert_eq!(ask(&mut small, encoding), Reply::Simple("dense".into()));
    assert_eq!(ask(&mut large, encoding), Reply::Simple("sparse".into()));
    let count: &[&[u8]] = &[b"PFCOUNT", b"key"];
    assert_eq!(ask(&mut small, count), ask(&mut large, count));
}
