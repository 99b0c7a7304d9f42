//! The request parser: a table of requests good and bad that our parser and a real Redis answer
//! alike, random requests that they answer alike, and properties.

use crate::common::{Arguments, Connection, Redis, parse_replies};
use proptest::collection::vec;
use proptest::prelude::*;
use quoris_resp::{Limits, encode_command};

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";

/// What is sent, and what comes back. A `PING` follows each request: `+PONG` tells that the
/// connection was kept, its absence that it was closed or that the request is not complete.
fn table() -> Vec<(Vec<u8>, &'static str)> {
    let text: &[(&str, &str)] = &[
        // Multibulk requests.
        ("*1\r\n$4\r\nPING\r\n", "+PONG +PONG"),
        ("*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", "$0| +PONG"),
        ("*2\r\n$4\r\nECHO\r\n$2\r\n\r\n\r\n", "$2|\r\n +PONG"),
        ("*0\r\n", "+PONG"),
        ("*-1\r\n", "+PONG"),
        ("*-9223372036854775808\r\n", "+PONG"),
        ("*1\rX$4\rXPINGXX", "+PONG +PONG"),
        ("*\r\n", "-ERR Protocol error: invalid multibulk length"),
        ("*a\r\n", "-ERR Protocol error: invalid multibulk length"),
        ("* 1\r\n", "-ERR Protocol error: invalid multibulk length"),
        ("*+1\r\n", "-ERR Protocol error: invalid multibulk length"),
        ("*01\r\n", "-ERR Protocol error: invalid multibulk length"),
        ("*00\r\n", "-ERR Protocol error: invalid multibulk length"),
        ("*-0\r\n", "-ERR Protocol error: invalid multibulk length"),
        ("*1x\r\n", "-ERR Protocol error: invalid multibulk length"),
        ("*2147483648\r\n", "-ERR Protocol error: invalid multibulk length"),
        ("*99999999999999999999\r\n", "-ERR Protocol error: invalid multibulk length"),
        ("*1\r\n$\r\nPING\r\n", "-ERR Protocol error: invalid bulk length"),
        ("*1\r\n$-1\r\nPING\r\n", "-ERR Protocol error: invalid bulk length"),
        ("*1\r\n$x\r\nPING\r\n", "-ERR Protocol error: invalid bulk length"),
        ("*1\r\n$04\r\nPING\r\n", "-ERR Protocol error: invalid bulk length"),
        ("*1\r\n$+4\r\nPING\r\n", "-ERR Protocol error: invalid bulk length"),
        ("*1\r\n$ 4\r\nPING\r\n", "-ERR Protocol error: invalid bulk length"),
        ("*1\r\n$536870913\r\n", "-ERR Protocol error: invalid bulk length"),
        ("*1\r\n$9223372036854775808\r\n", "-ERR Protocol error: invalid bulk length"),
        ("*1\r\nPING\r\n", "-ERR Protocol error: expected '$', got 'P'"),
        ("*1\r\n:4\r\nPING\r\n", "-ERR Protocol error: expected '$', got ':'"),
        ("*1\r\n\r\nPING\r\n", "-ERR Protocol error: expected '$', got ' '"),
        ("*1\r\n\nPING\r\n", "-ERR Protocol error: expected '$', got ' '"),
        ("*1\r\n*1\r\n", "-ERR Protocol error: expected '$', got '*'"),
        // A wrong length takes what it counts; the rest is judged as what it then is.
        ("*1\r\n$3\r\nPING\r\n", "-refused +PONG"),
        ("*1\r\n$6\r\nPING\r\n", "-refused -refused +PONG"),
        ("*2\r\n$4\r\nPING\r\n", "-ERR Protocol error: expected '$', got '*'"),
        ("*1\r\n$0\r\n\r\n", "-refused +PONG"),
        ("*1\r\n$536870912\r\n", ""),
        ("*2147483647\r\n", "-ERR Protocol error: expected '$', got '*'"),
        // Inline requests.
        ("PING\r\n", "+PONG +PONG"),
        ("PING\n", "+PONG +PONG"),
        ("  ping  \r\n", "+PONG +PONG"),
        ("\r\n", "+PONG"),
        ("\n\n   \n", "+PONG"),
        ("\t\x0b\x0c ping\r\n", "+PONG +PONG"),
        ("ECHO a\x0bb\r\n", "$3|a\x0bb +PONG"),
        ("ECHO a\rb\r\n", "-refused +PONG"),
        ("ECHO \"a b\"\r\n", "$3|a b +PONG"),
        ("ECHO 'a b'\r\n", "$3|a b +PONG"),
        ("ECHO ''\r\n", "$0| +PONG"),
        ("ECHO \"\\x41\\n\\r\\t\\b\\a\\\\\\\"\\q\"\r\n", "$9|A\n\r\t\x08\x07\\\"q +PONG"),
        ("ECHO \"\\x4\\xzz\"\r\n", "$5|x4xzz +PONG"),
        ("ECHO '\\'\\n\\x41'\r\n", "$7|'\\n\\x41 +PONG"),
        ("ECHO a\"b c\"\r\n", "$4|ab c +PONG"),
        ("ECHO a'b c'\r\n", "$4|ab c +PONG"),
        ("ECHO \"a\"\x0b\r\n", "$1|a +PONG"),
        ("ECHO \"a\"b\r\n", "-ERR Protocol error: unbalanced quotes in request"),
        ("ECHO 'a'b\r\n", "-ERR Protocol error: unbalanced quotes in request"),
        ("ECHO 'a'\"b\"\r\n", "-ERR Protocol error: unbalanced quotes in request"),
        ("ECHO \"a\r\n", "-ERR Protocol error: unbalanced quotes in request"),
        ("ECHO 'a\r\n", "-ERR Protocol error: unbalanced quotes in request"),
        ("ECHO \"a\\\"\r\n", "-ERR Protocol error: unbalanced quotes in request"),
        ("$4\r\nPING\r\n", "-refused +PONG +PONG"),
    ];
    let mut rows: Vec<(Vec<u8>, &str)> =
        text.iter().map(|&(request, replies)| (request.as_bytes().to_vec(), replies)).collect();
    // Far beyond the limit, which Redis notices between two reads only.
    let long = vec![b'1'; 300_000];
    rows.push(([b"*", &long[..]].concat(), "-ERR Protocol error: too big mbulk count string"));
    rows.push(([b"*1\r\n$", &long[..]].concat(), "-ERR Protocol error: too big bulk count string"));
    rows.push(([b"*1\r\n", &long[..]].concat(), "-ERR Protocol error: too big bulk count string"));
    rows.push((long, "-ERR Protocol error: too big inline request"));
    rows
}

/// `+PONG $3|a b -ERR …`: statuses, bulks (whose length tells where they end) and errors.
fn expected_replies(mut text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    while !text.is_empty() {
        let rest;
        if let Some(bulk) = text.strip_prefix('$') {
            let (length, body) = bulk.split_once('|').expect("a length and a body");
            let length: usize = length.parse().expect("a length");
            out.extend(format!("${length}\r\n{}\r\n", &body[..length]).bytes());
            rest = &body[length..];
        } else {
            let end = if text.starts_with("-ERR") { None } else { text.find(' ') };
            let (line, tail) = text.split_at(end.unwrap_or(text.len()));
            out.extend(format!("{line}\r\n").bytes());
            rest = tail;
        }
        text = rest.strip_prefix(' ').unwrap_or(rest);
    }
    out
}

fn ours(input: &[u8], limits: &Limits) -> Connection {
    let mut connection = Connection::default();
    connection.receive(input, limits);
    connection
}

#[test]
fn the_parser_follows_the_table() {
    for (request, expected) in table() {
        let input = [&request[..], PING].concat();
        let replies = ours(&input, &Limits::default()).replies(true);
        let request = request[..request.len().min(80)].escape_ascii();
        assert_eq!(replies, parse_replies(&expected_replies(expected)), "{request}");
    }
}

#[test]
fn a_real_redis_follows_the_table() {
    let Some(redis) = Redis::start("table", &[]) else { return };
    for (request, expected) in table() {
        let replies = parse_replies(&redis.exchange(&[&request[..], PING].concat()));
        let request = request[..request.len().min(80)].escape_ascii();
        assert_eq!(replies, parse_replies(&expected_replies(expected)), "{request}");
    }
}

#[test]
fn strangers_are_kept_short_as_redis_does() {
    let rows: Vec<Vec<u8>> = vec![
        b"*11\r\n".to_vec(),
        b"*10\r\n$4\r\nPING\r\n".to_vec(),
        b"*2\r\n$4\r\nECHO\r\n$16385\r\n".to_vec(),
        [b"*2\r\n$4\r\nECHO\r\n$16384\r\n", &[b'x'; 16384][..], b"\r\n"].concat(),
        b"PING\r\n".to_vec(),
        [&b"ECHO "[..], &[b'x'; 20_000][..], b"\r\n"].concat(),
    ];
    let limits = Limits { authenticated: false, ..Limits::default() };
    let redis = Redis::start("strangers", &["--requirepass", "secret"]);
    let errors = [
        Some("Protocol error: unauthenticated multibulk length"),
        Some("Protocol error: expected '$', got '*'"),
        Some("Protocol error: unauthenticated bulk length"),
        None,
        None,
        None,
    ];
    for (row, error) in rows.into_iter().zip(errors) {
        let input = [&row[..], PING].concat();
        let connection = ours(&input, &limits);
        let name = row[..row.len().min(40)].escape_ascii();
        assert_eq!(connection.error.map(|error| error.to_string()).as_deref(), error, "{name}");
        if let Some(redis) = &redis {
            let theirs = parse_replies(&redis.exchange(&input));
            assert_eq!(connection.replies(false), theirs, "{name}");
        }
    }
}

#[test]
fn spans_never_leave_their_32_bits() {
    let limits = Limits { bulk_bytes_max: u32::MAX, ..Limits::default() };
    let connection = ours(b"*1\r\n$4294967295\r\n", &limits);
    assert_eq!(connection.error, Some(quoris_resp::ProtocolError::InvalidLength));
}

/// Bytes that mean something to the parser, and a few that do not. No NUL: Redis looks for line
/// ends with C's string functions, which stop there.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        6 => prop::sample::select(b"*$\r\n \t\"'\\x0123456789-+aPING".to_vec()),
        1 => 1_u8..=255,
    ]
}

fn request() -> impl Strategy<Value = Vec<u8>> {
    let argument = vec(1_u8..=255, 0..40);
    let multibulk = argument.prop_map(|argument| {
        let mut out = Vec::new();
        encode_command(&mut out, [&b"ECHO"[..], &argument].into_iter());
        out
    });
    let inline = vec(byte(), 0..20).prop_map(|mut bytes| {
        bytes.splice(0..0, *b"ECHO ");
        bytes.extend_from_slice(b"\r\n");
        bytes
    });
    prop_oneof![4 => multibulk, 2 => inline, 1 => vec(byte(), 0..30)]
}

/// A pipeline, perhaps with one byte wrong, missing or too many.
fn pipeline() -> impl Strategy<Value = Vec<u8>> {
    let damage =
        prop::option::of((any::<prop::sample::Index>(), prop::option::of(byte()), 0..2_usize));
    (vec(request(), 0..6), damage).prop_map(|(requests, damage)| {
        let mut bytes = requests.concat();
        if let Some((at, byte, removed)) = damage
            && !bytes.is_empty()
        {
            let at = at.index(bytes.len());
            bytes.splice(at..at + removed, byte);
        }
        bytes
    })
}

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) }
}

#[test]
fn redis_and_the_parser_agree_on_random_pipelines() {
    let Some(redis) = Redis::start("random", &[]) else { return };
    proptest!(config(), |(input in pipeline())| {
        let theirs = parse_replies(&redis.exchange(&input));
        prop_assert_eq!(ours(&input, &Limits::default()).replies(true), theirs);
    });
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_split_parses_the_same(input in pipeline(), cuts in vec(any::<prop::sample::Index>(), 0..8)) {
        let limits = Limits { line_bytes_max: 24, ..Limits::default() };
        let whole = ours(&input, &limits);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
        cuts.extend([0, input.len()]);
        cuts.sort_unstable();
        let mut pieces = Connection::default();
        for cut in cuts.windows(2) {
            pieces.receive(&input[cut[0]..cut[1]], &limits);
        }
        let mut bytewise = Connection::default();
        for byte in &input {
            bytewise.receive(&[*byte], &limits);
        }
        prop_assert_eq!(&pieces.commands, &whole.commands);
        prop_assert_eq!(pieces.error, whole.error);
        prop_assert_eq!(&bytewise.commands, &whole.commands);
        prop_assert_eq!(bytewise.error, whole.error);
    }

    #[test]
    fn what_is_encoded_is_parsed_back(commands in vec(vec(vec(any::<u8>(), 0..200), 1..20), 0..10)) {
        let mut input = Vec::new();
        for command in &commands {
            encode_command(&mut input, command.iter().map(Vec::as_slice));
        }
        let connection = ours(&input, &Limits::default());
        prop_assert_eq!(connection.error, None);
        prop_assert_eq!(connection.commands, commands as Vec<Arguments>);
    }

    #[test]
    fn no_bytes_make_it_panic_or_reserve_what_was_not_sent(input in vec(byte(), 0..300)) {
        let connection = ours(&input, &Limits::default());
        // A span of 8 bytes needs two bytes of input at least; vectors grow by doubling.
        prop_assert!(connection.spans.capacity() <= 16 + 8 * input.len());
        prop_assert!(connection.words.capacity() <= 16 + 2 * input.len());
    }
}
