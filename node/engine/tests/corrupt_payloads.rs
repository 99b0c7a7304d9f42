//! `RESTORE` trusts nothing: whatever the bytes, there is a value or an error, and no more memory is
//! taken than the bytes can account for.
//!
//! Payloads of every type and encoding are damaged in many ways and sealed with a right checksum,
//! because a wrong one would be noticed first. What is accepted nevertheless is used: read, changed,
//! dumped and loaded again.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use quoris_engine::Rng;
use support::payload::{FOOTER_BYTES, sealed};
use support::reply::{Reply, quote};
use support::session::Session;

/// How often each payload is damaged.
const ATTEMPTS: usize = 400;
/// The most that a damaged payload of at most a few kilobytes may make a node allocate at once.
const ALLOCATION_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Remembers the largest allocation.
struct Watched;

thread_local! {
    /// Of this thread, because the tests run side by side.
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

#[expect(unsafe_code, reason = "allocations can only be watched from inside an allocator")]
// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.set(LARGEST.get().max(layout.size()));
        // SAFETY: the caller's promises are the system's requirements.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are the system's requirements.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

/// Commands that make a value at `k`, and the command that reads all of it.
const VALUES: &[(&[&str], &str)] = &[
    (&["SET k 12345"], "GET k"),
    (&["SET k text"], "GET k"),
    (&["SETRANGE k 100 x", "APPEND k aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], "GET k"),
    (&["PFADD k a b c d e f"], "PFCOUNT k"),
    (&["RPUSH k a 1 -5 70000 some-longer-element-here"], "LRANGE k 0 -1"),
    (&["RPUSH k <300>"], "LRANGE k 0 -1"),
    (&["SADD k 1 2 300 70000 -5"], "SMEMBERS k"),
    (&["SADD k a b 1 2"], "SMEMBERS k"),
    (&["SADD k <300>"], "SMEMBERS k"),
    (&["HSET k a 1 b two c 3"], "HGETALL k"),
    (&["HSET k <300>"], "HGETALL k"),
    (&["ZADD k 1 a 2.5 b -inf c 1e100 d"], "ZRANGE k 0 -1 WITHSCORES"),
    (&["ZADD k <300n>"], "ZRANGE k 0 -1 WITHSCORES"),
    (&["XADD k 1-1 f v g w", "XADD k 2-1 f x g y", "XADD k 3-1 other z"], "XRANGE k - +"),
    (
        &[
            "XADD k 1-1 f v",
            "XADD k 2-1 f x",
            "XGROUP CREATE k g 0",
            "XREADGROUP GROUP g c STREAMS k >",
        ],
        "XINFO STREAM k FULL",
    ),
    (&["HSET k a 1 b 2", "HPEXPIREAT k 4102444800000 FIELDS 1 a"], "HGETALL k"),
];

fn say(session: &mut Session, line: &str) -> Reply {
    let line = line
        .replace("<300>", &(0..300).map(|n| format!("e{n} ")).collect::<String>())
        .replace("<300n>", &(0..300).map(|n| format!("{n} e{n} ")).collect::<String>());
    let words: Vec<&[u8]> = line.split_whitespace().map(str::as_bytes).collect();
    session.words(&words)
}

/// The value of a payload, without version and checksum; `None` if a command does not exist.
fn dumped(commands: &[&str]) -> Option<Vec<u8>> {
    let mut session = Session::new(1);
    for command in commands {
        if let Reply::Error(text) = say(&mut session, command) {
            assert!(text.starts_with("ERR unknown"), "{command}: {text}");
            return None;
        }
    }
    let Reply::Bulk(mut payload) = say(&mut session, "DUMP k") else {
        panic!("DUMP answers bytes")
    };
    payload.truncate(payload.len() - FOOTER_BYTES);
    Some(payload)
}

/// Changes a few bytes or bits, cuts, repeats, or replaces a part by a length at its limit.
fn damage(value: &[u8], rng: &mut Rng) -> Vec<u8> {
    const LENGTHS: [&[u8]; 6] = [
        b"\x81\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x81\x00\x00\x00\x10\x00\x00\x00\x00",
        b"\x80\xff\xff\xff\xff",
        b"\x80\x7f\xff\xff\xff",
        b"\x7f\xff",
        b"\xc3\x05\x80\x7f\xff\xff\xff",
    ];
    let mut bytes = value.to_vec();
    for _ in 0..=rng.below(3) {
        if bytes.is_empty() {
            return bytes;
        }
        let at = rng.below(bytes.len());
        match rng.below(6) {
            0 => bytes[at] ^= 1 << rng.below(8),
            1 => bytes[at] = rng.next_u64() as u8,
            2 => bytes.truncate(at),
            3 => drop(bytes.remove(at)),
            4 => {
                let end = (at + 1 + rng.below(8)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            _ => {
                let length = LENGTHS[rng.below(LENGTHS.len())];
                let end = (at + length.len()).min(bytes.len());
                bytes.splice(at..end, length.iter().copied());
            }
        }
    }
    bytes
}

/// Loads a payload, and uses what comes of it.
fn load(value: Vec<u8>, session: &mut Session) -> bool {
    let payload = sealed(value, 11);
    LARGEST.set(0);
    let reply = session.words(&[b"RESTORE", b"k", b"0", &payload, b"REPLACE"]);
    let largest = LARGEST.get();
    assert!(largest <= ALLOCATION_BYTES_MAX, "{largest} bytes for {}", quote(&payload));
    if let Reply::Error(text) = reply {
        let known = ["ERR Bad data format", "ERR DUMP payload version or checksum are wrong"];
        assert!(known.contains(&text.as_str()), "{text}: {}", quote(&payload));
        return false;
    }
    true
}

/// Everything that reads or changes the value, whatever its type turned out to be.
fn exercise(session: &mut Session) {
    for (_, read) in VALUES {
        say(session, read);
    }
    for line in ["OBJECT ENCODING k", "APPEND k x", "PFADD k x", "LPUSH k x", "LPOP k"] {
        say(session, line);
    }
    for line in ["SADD k x", "SREM k x", "HSET k x y", "HDEL k x", "ZADD k 1 x", "ZREM k x"] {
        say(session, line);
    }
    for line in ["XADD k * a b", "XDEL k 1-1", "COPY k copy REPLACE"] {
        say(session, line);
    }
    let Reply::Bulk(again) = say(session, "DUMP k") else { return };
    let reply = session.words(&[b"RESTORE", b"k", b"0", &again, b"REPLACE"]);
    assert_eq!(reply, Reply::Simple("OK".into()), "our own dump: {}", quote(&again));
}

#[test]
fn damaged_payloads_are_refused_or_harmless() {
    for (commands, read) in VALUES {
        let Some(value) = dumped(commands) else { continue };
        let mut session = Session::new(1);
        assert!(load(value.clone(), &mut session), "an undamaged payload: {commands:?}");
        say(&mut session, read);
        let (mut rng, mut accepted) = (Rng::new(value.len() as u64), 0);
        for _ in 0..ATTEMPTS {
            if load(damage(&value, &mut rng), &mut session) {
                accepted += 1;
                exercise(&mut session);
            }
        }
        assert!(accepted < ATTEMPTS, "some damage is noticed: {commands:?}");
    }
}

#[test]
fn random_bytes_are_refused_or_harmless() {
    let mut session = Session::new(1);
    let mut rng = Rng::new(1);
    for kind in 0..=30_u8 {
        for _ in 0..ATTEMPTS {
            let len = rng.below(60);
            let random = (0..len).map(|_| rng.next_u64() as u8 >> rng.below(8));
            let value: Vec<u8> = std::iter::once(kind).chain(random).collect();
            if load(value, &mut session) {
                exercise(&mut session);
            }
        }
    }
}

#[test]
fn a_payload_cut_anywhere_is_refused() {
    for (commands, _) in VALUES {
        let Some(value) = dumped(commands) else { continue };
        let mut session = Session::new(1);
        for len in 0..value.len() {
            assert!(!load(value[..len].to_vec(), &mut session), "{commands:?} cut at {len}");
        }
    }
}
