//! Streams that move between the engine and a real server by `DUMP` and `RESTORE`.
//!
//! Runs with `ORACLE=127.0.0.1:6390`, as the scripts do. Redis 7.0 does not know when a consumer last
//! got an entry, and so cannot load what is written for 7.2; what goes that way is rewritten in the
//! older version first.

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use quoris_engine::Rng;
use quoris_resp::encode_command;
use support::reply::Reply;
use support::session::Session;

const CONSUMERS: [&str; 2] = ["alice", "bobby"];

struct Oracle(TcpStream);

impl Oracle {
    fn words(&mut self, words: &[&[u8]]) -> Reply {
        let mut request = Vec::new();
        encode_command(&mut request, words.iter().copied());
        self.0.write_all(&request).expect("the oracle listens");
        let (mut bytes, mut piece) = (Vec::new(), [0; 8192]);
        loop {
            let len = self.0.read(&mut piece).expect("the oracle answers");
            assert!(len > 0, "the oracle closed the connection");
            bytes.extend_from_slice(&piece[..len]);
            if let Ok(reply) = std::panic::catch_unwind(|| Reply::decode(&bytes).0) {
                return reply;
            }
        }
    }

    fn line(&mut self, line: &str) -> Reply {
        self.words(&line.split(' ').map(str::as_bytes).collect::<Vec<_>>())
    }
}

fn ours(session: &mut Session, line: &str) -> Reply {
    session.words(&line.split(' ').map(str::as_bytes).collect::<Vec<_>>())
}

/// What builds a stream with gaps, nodes of several shapes, groups, consumers and pending entries.
fn history(rng: &mut Rng) -> Vec<String> {
    let mut lines = vec!["XGROUP CREATE s g 0 MKSTREAM".to_string()];
    let mut ms = 0;
    for _ in 0..5 + rng.below(400) {
        let consumer = CONSUMERS[rng.below(2)];
        ms += rng.below(3);
        let value = "v".repeat(rng.below(60));
        lines.push(match rng.below(12) {
            0 => format!("XDEL s {}-{}", rng.below(ms + 1), rng.below(3)),
            1 => format!("XREADGROUP GROUP g {consumer} COUNT 3 STREAMS s >"),
            2 => format!("XACK s g {}-0 {}-1", rng.below(ms + 1), rng.below(ms + 1)),
            3 => format!("XTRIM s MAXLEN ~ {}", 50 + rng.below(300)),
            4 => format!("XADD s {ms}-* other {} and -{}", value, rng.below(100_000)),
            5 => format!("XADD s MAXLEN {} {ms}-* field x{value}", 100 + rng.below(200)),
            6 => format!("XGROUP CREATE s h{} $", rng.below(4)),
            _ => format!("XADD s {ms}-* temperature {} unit {value}C", rng.below(100)),
        });
    }
    lines
}

/// What must be the same on both sides; times are left out.
const QUESTIONS: [&str; 4] =
    ["XRANGE s - +", "XREVRANGE s + - COUNT 7", "XINFO STREAM s", "XPENDING s g"];

fn compare(session: &mut Session, oracle: &mut Oracle, seed: u64) {
    for question in QUESTIONS {
        let (mut our, mut their) = (ours(session, question), oracle.line(question));
        if let (Reply::Array(our), Reply::Array(their)) = (&mut our, &mut their) {
            // The nodes of a radix tree are Redis's alone.
            let name = |reply: &Reply| *reply == Reply::Bulk(b"radix-tree-nodes".to_vec());
            if let Some(at) = our.iter().position(name) {
                our.remove(at + 1);
                their.remove(at + 1);
            }
        }
        assert_eq!(our, their, "seed {seed}: {question}");
    }
}

/// The checksum of payloads: CRC-64 with the polynomial of Jones, reflected.
fn crc64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u64::from(*byte), |crc: u64, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0x95ac_9329_ac4b_c9b5 } else { 0 }
        })
    })
}

/// Our payload as Redis 7.0 would have written it.
fn for_7_0(payload: &[u8]) -> Vec<u8> {
    let mut bytes = payload[..payload.len() - 10].to_vec();
    assert_eq!(bytes[0], 21, "the type of 7.2");
    bytes[0] = 19;
    for consumer in CONSUMERS {
        let name = [&[consumer.len() as u8], consumer.as_bytes()].concat();
        if let Some(at) = bytes.windows(name.len()).position(|window| window == name) {
            let active = at + name.len() + 8;
            bytes.drain(active..active + 8);
        }
    }
    bytes.extend_from_slice(&10_u16.to_le_bytes());
    let checksum = crc64(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

fn bulk(reply: Reply) -> Vec<u8> {
    match reply {
        Reply::Bulk(bytes) => bytes,
        other => panic!("a payload, not {other:?}"),
    }
}

#[test]
fn streams_move_both_ways() {
    let Ok(address) = std::env::var("ORACLE") else { return };
    let mut oracle = Oracle(TcpStream::connect(address).expect("the oracle listens"));
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let mut session = Session::new(1);
        oracle.line("FLUSHALL");
        for line in history(&mut rng) {
            let (our, their) = (ours(&mut session, &line), oracle.line(&line));
            assert_eq!(our, their, "seed {seed}: {line}");
        }
        compare(&mut session, &mut oracle, seed);
        let payload = bulk(oracle.line("DUMP s"));
        session.words(&[b"RESTORE", b"s", b"0", &payload, b"REPLACE"]);
        compare(&mut session, &mut oracle, seed);
        let payload = for_7_0(&bulk(ours(&mut session, "DUMP s")));
        let reply = oracle.words(&[b"RESTORE", b"s", b"0", &payload, b"REPLACE"]);
        assert_eq!(reply, Reply::Simple("OK".into()), "seed {seed}");
        compare(&mut session, &mut oracle, seed);
        // Nodes have the same boundaries, so that approximate trimming still agrees.
        for most in [180, 90, 20, 0] {
            let line = format!("XTRIM s MAXLEN ~ {most}");
            assert_eq!(ours(&mut session, &line), oracle.line(&line), "seed {seed}: {line}");
        }
        compare(&mut session, &mut oracle, seed);
    }
}
