//! Raw bytes in, raw bytes out.

use std::net::SocketAddr;

use quoris_resp::Reply;
use quoris_tests::node::Node;
use quoris_tests::oracle::Redis;
use quoris_tests::wire::{Wire, ask, text};

use super::rows::{self, Row, Then};

/// Sent behind a row to see whether anybody still listens; needs no password.
const GOODBYE: &[u8] = b"QUIT\r\n";

/// How the bytes of a row arrive.
#[derive(Clone, Copy, Debug)]
enum Arriving {
    AtOnce,
    ByteByByte,
}

fn send(wire: &mut Wire, bytes: &[u8], arriving: Arriving) {
    match arriving {
        Arriving::AtOnce => wire.send(bytes).expect("the server reads"),
        Arriving::ByteByByte => {
            bytes.chunks(1).for_each(|byte| wire.send(byte).expect("the server reads"));
        }
    }
}

fn check(server: &str, address: SocketAddr, rows: &[Row], arriving: Arriving) {
    for (request, reply, then) in rows {
        let what = format!("{server}, {arriving:?}: {}", request.escape_ascii());
        let mut wire = Wire::connect(address).expect("the server listens");
        send(&mut wire, request, arriving);
        let mut expected = reply.to_vec();
        if *then == Then::Stays {
            wire.send(GOODBYE).expect(&what);
            expected.extend_from_slice(b"+OK\r\n");
        }
        let received = wire.read_to_end().expect(&what);
        assert_eq!(
            received.escape_ascii().to_string(),
            expected.escape_ascii().to_string(),
            "{what}"
        );
    }
}

/// Runs rows on a fresh node and on a fresh Redis.
fn check_both(rows: &[Row], arguments: &[&str]) {
    let redis = Redis::start(arguments);
    check("redis", redis.address(), rows, Arriving::AtOnce);
    let node = Node::start(arguments);
    check("node", node.address(), rows, Arriving::AtOnce);
    let staying: Vec<Row> = rows.iter().copied().filter(|row| row.2 == Then::Stays).collect();
    ask(node.address(), "FLUSHALL").expect("the node answers");
    check("node", node.address(), &staying, Arriving::ByteByByte);
}

#[test]
fn frames_inline_requests_and_refusals_are_redis_s() {
    let rows = [rows::FRAMES, rows::INLINE, rows::REFUSED, rows::ARGUMENTS, rows::GREETINGS];
    check_both(&rows.concat(), &[]);
}

#[test]
fn without_the_password_nothing_runs() {
    check_both(rows::LOCKED, &["--requirepass", "pw"]);
}

#[test]
fn a_line_without_end_is_refused() {
    let node = Node::start(&[]);
    let redis = Redis::start(&[]);
    // One byte over 64 KiB: all of it is read before it is refused.
    let long = |start: &str| start.bytes().cycle().take(64 * 1024 + 1).collect::<Vec<u8>>();
    let requests = [
        (long("P"), "-ERR Protocol error: too big inline request\r\n"),
        ([b"*", &long("1")[1..]].concat(), "-ERR Protocol error: too big mbulk count string\r\n"),
        (
            [b"*1\r\n$", &long("1")[1..]].concat(),
            "-ERR Protocol error: too big bulk count string\r\n",
        ),
    ];
    for (request, expected) in requests {
        for address in [redis.address(), node.address()] {
            let mut wire = Wire::connect(address).expect("it listens");
            wire.send(&request).expect("it reads");
            let reply = wire.read_to_end().expect("it closes");
            assert_eq!(String::from_utf8_lossy(&reply), expected);
        }
    }
}

#[test]
fn a_limit_on_bulks_can_be_lower() {
    let node = Node::start(&["--proto-max-bulk-len", "1mb"]);
    let mut wire = Wire::connect(node.address()).expect("it listens");
    let value = vec![b'v'; 1 << 20];
    wire.send(b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$1048576\r\n").expect("it reads");
    wire.send(&value).expect("it reads");
    wire.send(b"\r\n").expect("it reads");
    assert_eq!(text(&wire.reply().expect("it answers")), "OK");
    wire.send(b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$1048577\r\n").expect("it reads");
    let reply = wire.read_to_end().expect("it closes");
    assert_eq!(reply, b"-ERR Protocol error: invalid bulk length\r\n");
    assert_eq!(ask(node.address(), "STRLEN x").expect("it answers"), Reply::Integer(1 << 20));
}

#[test]
fn a_long_pipeline_is_answered_in_order() {
    let node = Node::start(&[]);
    let mut wire = Wire::connect(node.address()).expect("it listens");
    let mut request = Vec::new();
    let mut expected = Vec::new();
    for number in 0..2000 {
        request.extend(
            format!("SET key:{number} {number}\r\nGET key:{number}\r\nINCR sum\r\n").bytes(),
        );
        let digits = number.to_string();
        expected
            .extend(format!("+OK\r\n${}\r\n{digits}\r\n:{}\r\n", digits.len(), number + 1).bytes());
    }
    request.extend(b"PING last\r\n");
    expected.extend(b"$4\r\nlast\r\n");
    wire.send(&request).expect("it reads");
    let received = wire.read_through(b"$4\r\nlast\r\n").expect("it answers");
    assert!(received == expected, "{}", String::from_utf8_lossy(&received));
}

#[test]
fn a_client_that_has_said_its_last_word_gets_its_replies() {
    let node = Node::start(&[]);
    let mut wire = Wire::connect(node.address()).expect("it listens");
    wire.send(b"SET a 1\r\nGET a\r\nSET b 2\r\n").expect("it reads");
    wire.finish().expect("it is connected");
    assert_eq!(wire.read_to_end().expect("it closes"), b"+OK\r\n$1\r\n1\r\n+OK\r\n");
    assert_eq!(text(&ask(node.address(), "GET b").expect("it answers")), "2");
}

#[test]
fn the_newer_protocol_is_spoken_when_asked_for() {
    let node = Node::start(&[]);
    let mut wire = Wire::connect(node.address()).expect("it listens");
    wire.send(b"HSET h f v\r\nZADD z 1.5 a\r\n").expect("it reads");
    assert_eq!(wire.read_through(b":1\r\n:1\r\n").expect("it answers"), b":1\r\n:1\r\n");
    let commands = b"HGETALL h\r\nGET none\r\nSMEMBERS none\r\nZSCORE z a\r\nPING last\r\n";
    let last = b"$4\r\nlast\r\n";
    for (version, expected) in [
        ("3", b"%1\r\n$1\r\nf\r\n$1\r\nv\r\n_\r\n~0\r\n,1.5\r\n".as_slice()),
        ("2", b"*2\r\n$1\r\nf\r\n$1\r\nv\r\n$-1\r\n*0\r\n$3\r\n1.5\r\n".as_slice()),
    ] {
        greets(&mut wire, version);
        wire.send(commands).expect("it reads");
        let received = wire.read_through(last).expect("it answers");
        assert_eq!(received, [expected, last].concat(), "HELLO {version}");
    }
}

/// Says `HELLO`, and looks at what a client looks at.
fn greets(wire: &mut Wire, version: &str) {
    let facts = match wire.call(&["HELLO", version]).expect("it answers") {
        Reply::Map(pairs) if version == "3" => pairs,
        Reply::Array(words) if version == "2" => {
            words.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
        }
        other => panic!("HELLO {version}: {other:?}"),
    };
    let names: Vec<String> = facts.iter().map(|(name, _)| text(name)).collect();
    assert_eq!(names, ["server", "version", "proto", "id", "mode", "role", "modules"]);
    assert_eq!(text(&facts[0].1), "redis");
    assert!(text(&facts[1].1).starts_with("7.2."), "{facts:?}");
    assert_eq!(facts[2].1, Reply::Integer(version.parse().expect("a digit")));
    assert_eq!(text(&facts[5].1), "master");
}
