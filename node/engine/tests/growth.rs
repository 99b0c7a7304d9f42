//! A collection that has grown by parts is the same as one that a snapshot brought back at once.

mod support;

use support::session::Session;

fn grow(session: &mut Session, command: &str, key: &str, numbers: std::ops::Range<usize>) {
    let texts: Vec<String> = numbers.map(|n| format!("{:x}", n * 7919)).collect();
    for part in texts.chunks(500) {
        let mut words = vec![command.as_bytes(), key.as_bytes()];
        for text in part {
            match command {
                "ZADD" => words.extend([&b"1"[..], text.as_bytes()]),
                "HSET" => words.extend([text.as_bytes(), text.as_bytes()]),
                _ => words.push(text.as_bytes()),
            }
        }
        session.words(&words);
    }
}

/// What a client can see of the order and of random choices.
fn looks(session: &mut Session) -> Vec<String> {
    [
        "HSCAN hash 0 COUNT 100",
        "HRANDFIELD hash 20",
        "HRANDFIELD hash -20",
        "SSCAN set 0 COUNT 100",
        "SRANDMEMBER set 20",
        "SPOP set 20",
        "ZSCAN zset 0 COUNT 100",
        "ZRANDMEMBER zset 20",
        "ZRANGE zset 20000 20020",
        "LRANGE list 30000 30020",
    ]
    .iter()
    .map(|line| session.line(line, false))
    .collect()
}

#[test]
fn nothing_shows_how_a_big_collection_has_grown() {
    let mut grown = Session::new(5);
    let mut restored = Session::new(5);
    for (from, to) in [(0, 33_000), (33_000, 36_000), (36_000, 80_000)] {
        for session in [&mut grown, &mut restored] {
            for (command, key) in
                [("HSET", "hash"), ("SADD", "set"), ("ZADD", "zset"), ("RPUSH", "list")]
            {
                grow(session, command, key, from..to);
            }
            for n in (from..to).step_by(5) {
                let text = format!("{:x}", n * 7919);
                session.line(&format!("HDEL hash {text}"), false);
                session.line(&format!("SREM set {text}"), false);
                session.line(&format!("ZREM zset {text}"), false);
            }
        }
        restored.restart();
        assert_eq!(looks(&mut grown), looks(&mut restored), "at {to} elements");
        assert_eq!(grown.engine.digest(), restored.engine.digest(), "at {to} elements");
    }
}
