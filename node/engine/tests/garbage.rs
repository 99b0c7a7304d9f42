//! What takes long to drop leaves the engine with the effects of its entry, whatever removed it.

mod support;

use support::session::Session;

/// Elements of a collection that is big enough in every type.
const MANY: usize = 40_000;

fn run(session: &mut Session, line: &str) {
    let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
    session.words(&words);
}

/// Makes a collection of `count` elements of 40 bytes at a key.
fn fill(session: &mut Session, command: &str, key: &str, count: usize) {
    let texts: Vec<String> = (0..count).map(|n| format!("element:{n:032}")).collect();
    for part in texts.chunks(1000) {
        let mut words = vec![command.as_bytes(), key.as_bytes()];
        for text in part {
            match command {
                "ZADD" => words.extend([&b"1"[..], text.as_bytes()]),
                "HSET" => words.extend([text.as_bytes(), &b"value"[..]]),
                _ => words.push(text.as_bytes()),
            }
        }
        if command == "XADD" {
            for text in part {
                session.words(&[b"XADD", key.as_bytes(), b"*", b"field", text.as_bytes()]);
            }
        } else {
            session.words(&words);
        }
    }
}

const COMMANDS: [&str; 5] = ["RPUSH", "SADD", "HSET", "ZADD", "XADD"];

#[test]
fn a_big_value_of_every_type_is_handed_out_when_it_is_deleted() {
    for command in COMMANDS {
        let mut session = Session::new(1);
        // Where elements share large pieces of memory, it takes more of them.
        let count = if matches!(command, "RPUSH" | "XADD") { 4 * MANY } else { MANY };
        fill(&mut session, command, "big", count);
        assert_eq!(session.garbage, 0, "{command} removes nothing");
        run(&mut session, "DEL big");
        assert_eq!(session.garbage, 1, "what {command} made");
        fill(&mut session, command, "small", 200);
        run(&mut session, "DEL small");
        assert_eq!(session.garbage, 0, "what {command} made is dropped at once");
    }
}

#[test]
fn whatever_removes_a_big_value_hands_it_out() {
    for last in [
        "UNLINK big",
        "SET big v",
        "RENAME other big",
        "COPY other big REPLACE",
        "SINTERSTORE big missing",
        "SUNIONSTORE big other",
        "PEXPIREAT big 1",
        "EVAL redis.call('del',KEYS[1]) 1 big",
        "quoris.expire gone",
        "SET gone again",
    ] {
        let mut session = Session::new(1);
        run(&mut session, "SADD other member");
        fill(&mut session, "SADD", "big", MANY);
        fill(&mut session, "SADD", "gone", MANY);
        run(&mut session, "PEXPIRE gone 10");
        session.now_ms += 20;
        run(&mut session, last);
        assert_eq!(session.garbage, 1, "{last}");
    }
}

#[test]
fn emptied_databases_are_handed_out() {
    let mut session = Session::new(1);
    run(&mut session, "SET key v");
    session.db = 3;
    run(&mut session, "SET key v");
    run(&mut session, "FLUSHDB");
    assert_eq!(session.garbage, 1, "database 3");
    run(&mut session, "FLUSHALL");
    assert_eq!(session.garbage, 1, "database 0; the others are empty");
    run(&mut session, "FLUSHALL");
    assert_eq!(session.garbage, 0);
}

#[test]
fn a_few_very_long_elements_are_big_too() {
    let mut session = Session::new(1);
    let long = vec![b'x'; 40 << 20];
    for command in [&[&b"SET"[..], b"key", &long][..], &[b"HSET", b"key", b"field", &long]] {
        session.words(command);
        run(&mut session, "DEL key");
        assert_eq!(session.garbage, 1);
    }
}

#[test]
fn what_is_cut_off_a_big_value_is_handed_out() {
    for (command, last, removed) in [
        ("RPUSH", "LTRIM big 0 9", "LLEN big"),
        ("RPUSH", "LTRIM big -10 -1", "LLEN big"),
        ("RPUSH", "LPOP big 159990", "LLEN big"),
        ("RPUSH", "RPOP big 159990", "LLEN big"),
        ("ZADD", "ZREMRANGEBYRANK big 0 -11", "ZCARD big"),
        ("ZADD", "ZREMRANGEBYRANK big 10 -1", "ZCARD big"),
        ("ZADD", "ZPOPMIN big 39990", "ZCARD big"),
        ("ZADD", "ZPOPMAX big 39990", "ZCARD big"),
        ("XADD", "XTRIM big MAXLEN 10", "XLEN big"),
        ("XADD", "XADD big MAXLEN 10 * field value", "XLEN big"),
        ("XADD", "XTRIM big MINID 1700000000000-159990", "XLEN big"),
    ] {
        let mut session = Session::new(1);
        fill(&mut session, command, "big", if command == "ZADD" { MANY } else { 4 * MANY });
        run(&mut session, last);
        assert_eq!(session.garbage, 1, "{last}");
        assert_eq!(session.line(removed, false), "(integer) 10\n", "{last}");
        run(&mut session, last);
        assert_eq!(session.garbage, 0, "{last} finds little to remove");
    }
}

#[test]
fn what_is_emptied_is_handed_out_without_being_looked_at() {
    for (command, last) in [
        ("RPUSH", "LTRIM big 1 0"),
        ("RPUSH", "LPOP big 160000"),
        ("ZADD", "ZREMRANGEBYSCORE big 1 1"),
        ("ZADD", "ZREMRANGEBYLEX big - +"),
        ("ZADD", "ZPOPMIN big 40000"),
    ] {
        let mut session = Session::new(1);
        fill(&mut session, command, "big", if command == "ZADD" { MANY } else { 4 * MANY });
        run(&mut session, last);
        assert_eq!(session.garbage, 1, "{last}");
        assert_eq!(session.line("EXISTS big", false), "(integer) 0\n", "{last}");
    }
}

#[test]
fn equal_elements_that_filled_chunks_are_handed_out() {
    let mut session = Session::new(1);
    let text = [b'x'; 40];
    let mut words = vec![&b"RPUSH"[..], b"big", b"other"];
    words.resize(4 * MANY, &text);
    session.words(&words);
    session.words(&[b"LREM", b"big", b"0", &text]);
    assert_eq!(session.garbage, 1);
    assert_eq!(session.line("LRANGE big 0 -1", false), "1) \"other\"\n");
}

#[test]
fn what_a_group_has_pending_is_handed_out() {
    let mut session = Session::new(1);
    fill(&mut session, "XADD", "stream", MANY);
    run(&mut session, "XGROUP CREATE stream group 0");
    for (consumer, last) in
        [("one", "XGROUP DELCONSUMER stream group one"), ("other", "XGROUP DESTROY stream group")]
    {
        run(&mut session, &format!("XREADGROUP GROUP group {consumer} STREAMS stream >"));
        assert_eq!(session.garbage, 0, "reading removes nothing");
        run(&mut session, last);
        assert_eq!(session.garbage, 1, "{last}");
        run(&mut session, "XGROUP SETID stream group 0");
    }
}

#[test]
fn one_very_long_element_is_big_wherever_it_is_taken_from() {
    let long = vec![b'x'; 40 << 20];
    for last in ["LPOP list", "RPOPLPUSH list other", "LTRIM list 1 0", "LREM list 0 missing"] {
        let mut session = Session::new(1);
        session.words(&[b"RPUSH", b"list", &long]);
        run(&mut session, last);
        assert_eq!(session.garbage, usize::from(!last.starts_with("LREM")), "{last}");
    }
}
