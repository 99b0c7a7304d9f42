//! Replicas that went through the same are the same.
//!
//! Sequences of requests, made from the declarations of all commands there are, run on engines that
//! differ in everything that must not matter: one is replaced by its restored snapshot at random
//! moments, one has another hash seed, one has tables that were large once, one applies payloads as
//! a follower does. Replies, digests and later random choices have to agree.

mod support;

use proptest::prelude::*;
use quoris_engine::{Engine, Interests, Rng, Run, Stamp};
use quoris_resp::encode_command;
use support::generate::{commands, request};
use support::reply::Reply;
use support::session::Session;

/// One request, and how much time passes before it.
#[derive(Clone, Copy, Debug)]
struct Step {
    command: usize,
    seed: u64,
    pause_ms: u64,
    restart: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pauses = prop_oneof![4 => Just(0_u64), 1 => 1..2000_u64];
    let step = (any::<u16>(), any::<u64>(), pauses, prop::bool::weighted(0.1));
    let step = step.prop_map(|(command, seed, pause_ms, restart)| Step {
        command: command.into(),
        seed,
        pause_ms,
        restart,
    });
    proptest::collection::vec(step, 1..150)
}

/// The words of a step.
fn words(engine: &Engine, step: Step) -> Vec<String> {
    let all = commands(engine);
    let (container, command) = all[step.command % all.len()];
    request(command, container, &mut Rng::new(step.seed))
}

fn run(session: &mut Session, words: &[String]) -> Reply {
    let words: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
    session.words(&words)
}

/// A session whose tables were large once.
fn roomy(hash_seed: u8) -> Session {
    let mut session = Session::new(hash_seed);
    let keys: Vec<String> = (0..3000).map(|n| format!("{{t}}filler:{n}")).collect();
    for key in &keys {
        run(&mut session, &["SET".into(), key.clone(), "v".into()]);
    }
    for key in &keys {
        run(&mut session, &["DEL".into(), key.clone()]);
    }
    session
}

/// Whether a reply is the business of one node: it depends on when it read a key, or for reads that
/// draw, on a seed that is not the stamp's.
fn is_local(words: &[String]) -> bool {
    words.iter().any(|word| ["idletime", "freq"].contains(&word.as_str()))
}

/// Draws from everything that is there.
fn choices(session: &mut Session) -> Vec<Reply> {
    session.seed = 77;
    let mut found = Vec::new();
    for _ in 0..5 {
        found.push(run(session, &["RANDOMKEY".into()]));
        for key in ["a", "b", "c", "{t}d", "{t}e", "f", "g"] {
            for command in
                ["SPOP", "SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER", "LPOP", "ZPOPMIN", "XLEN"]
            {
                found.push(run(session, &[command.into(), key.into()]));
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_must_not_matter_does_not(steps in steps()) {
        let mut straight = Session::new(7);
        let mut restarted = Session::new(7);
        let mut roomy = roomy(7);
        let mut reseeded = Session::new(8);
        for session in [&mut straight, &mut restarted, &mut roomy, &mut reseeded] {
            run(session, &["SET".into(), "a".into(), "1".into()]);
            session.seed = 1;
        }
        for step in steps {
            let request = words(&straight.engine, step);
            for session in [&mut straight, &mut restarted, &mut roomy, &mut reseeded] {
                session.now_ms += step.pause_ms;
            }
            if step.restart {
                restarted.restart();
            }
            let expected = run(&mut straight, &request);
            let found = run(&mut restarted, &request);
            if !is_local(&request) {
                prop_assert_eq!(&found, &expected, "after a restart: {:?}", &request);
            }
            prop_assert_eq!(&run(&mut roomy, &request), &expected, "with room: {:?}", &request);
            run(&mut reseeded, &request);
        }
        let digest = straight.engine.digest();
        prop_assert_eq!(restarted.engine.digest(), digest);
        prop_assert_eq!(roomy.engine.digest(), digest);
        prop_assert_eq!(reseeded.engine.digest(), digest);

        let expected = choices(&mut straight);
        restarted.restart();
        prop_assert_eq!(&choices(&mut restarted), &expected);
        prop_assert_eq!(&choices(&mut roomy), &expected);
        prop_assert_eq!(restarted.engine.digest(), straight.engine.digest());
    }

    #[test]
    fn a_follower_that_applies_payloads_equals_its_leader(
        batches in proptest::collection::vec(steps(), 1..4),
    ) {
        let mut leader = Session::new(7);
        let mut follower = Session::new(7).engine;
        for (batch, steps) in batches.iter().enumerate() {
            let stamp = Stamp { now_ms: leader.now_ms, seed: batch as u64, engine_version: 1 };
            let mut payload = Vec::new();
            let requests: Vec<_> = steps.iter().map(|step| words(&leader.engine, *step)).collect();
            let mut applying = leader.engine.begin(stamp, Interests::default());
            for (number, request) in requests.iter().enumerate() {
                let db = (number / 10 % 3) as u16;
                let mut encoded = Vec::new();
                let words: Vec<&[u8]> = request.iter().map(String::as_bytes).collect();
                encode_command(&mut encoded, words.iter().copied());
                let mut spans = Vec::new();
                let mut at = 0;
                let bytes: Vec<u8> = words.concat();
                for word in &words {
                    spans.push(quoris_resp::Span { start: at, len: word.len() as u32 });
                    at += word.len() as u32;
                }
                let args = quoris_engine::Args::new(&bytes, &spans);
                let Ok((_, command)) = applying.engine().table().check(&args) else { continue };
                if !matches!(command.run, Run::Write(_)) {
                    continue;
                }
                encode_command(&mut payload, [&b"SELECT"[..], db.to_string().as_bytes()].into_iter());
                payload.extend_from_slice(&encoded);
                let mut replies = Vec::new();
                let mut reply =
                    quoris_resp::Writer::new(&mut replies, quoris_resp::Protocol::Resp2);
                // What fails on the leader fails on the follower.
                let _ = applying.run(db, command, args, &mut reply);
            }
            applying.finish();
            let mut applying = follower.begin(stamp, Interests::default());
            applying.run_payload(&payload);
            applying.finish();
            prop_assert_eq!(follower.digest(), leader.engine.digest());
            leader.now_ms += 1500;
        }
        prop_assert_eq!(follower.snapshot(), leader.engine.snapshot());
    }
}
