//! Whether both hold the same: every key with its type, encoding, expiry and contents; and whether
//! each can load what the other dumps.

use super::compare::{encodings, masked, paired, scored};
use super::grammar::Request;
use super::pair::Pair;
use super::streams::described;
use crate::support::payload::{FOOTER_BYTES, sealed};
use crate::support::reply::{Reply, quote};

/// Where requests can put keys.
const DATABASES: [u16; 4] = [0, 1, 2, 15];
/// Where dumped values are loaded.
const SCRATCH: u16 = 9;
/// Longer words are refused by the server that is compared with.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;

fn words(words: &[&[u8]]) -> Request {
    words.iter().map(|word| word.to_vec()).collect()
}

/// What is different, if anything.
pub fn compare(pair: &mut Pair) -> Result<(), String> {
    for db in DATABASES {
        pair.select(db);
        let outcome = keys(pair).and_then(|keys| keys.iter().try_for_each(|key| one(pair, key)));
        pair.select(0);
        outcome.map_err(|text| format!("database {db}: {text}"))?;
    }
    Ok(())
}

/// Loads on each side what the other dumps, and compares again.
pub fn exchange(pair: &mut Pair) -> Result<(), String> {
    for key in keys(pair)? {
        let outcome = give(pair, &key).and_then(|()| take(pair, &key));
        pair.select(0);
        outcome?;
    }
    Ok(())
}

/// The keys of the selected database.
fn keys(pair: &mut Pair) -> Result<Vec<Vec<u8>>, String> {
    let all = words(&[b"KEYS", b"*"]);
    let (ours, theirs) = (pair.ours(&all).sorted(), pair.theirs(&all).sorted());
    same("the keys", &ours, &theirs)?;
    let Reply::Array(keys) = theirs else { panic!("KEYS answers an array") };
    Ok(keys
        .into_iter()
        .map(|key| match key {
            Reply::Bulk(bytes) => bytes,
            other => panic!("a key is a string, not {other:?}"),
        })
        .collect())
}

fn one(pair: &mut Pair, key: &[u8]) -> Result<(), String> {
    let name = quote(key);
    let kind = words(&[b"TYPE", key]);
    let (ours, theirs) = (pair.ours(&kind), pair.theirs(&kind));
    same(&format!("the type of {name}"), &ours, &theirs)?;
    let kind = kind_of(&theirs);
    let ours = contents(&kind, key, |request| pair.ours(request));
    let theirs = contents(&kind, key, |request| pair.theirs(request));
    same(&format!("the contents of {name}"), &ours, &theirs)?;
    // To count a HyperLogLog writes nothing here, and makes it raw there.
    let sorted = pair.sorted && kind == "zset";
    let counted = matches!(&ours, Reply::Bulk(text) if text.starts_with(b"HYLL"));
    let encoding = words(&[b"OBJECT", b"ENCODING", key]);
    let (ours, theirs) = encodings(pair.ours(&encoding), pair.theirs(&encoding));
    let ours = if counted || sorted { theirs.clone() } else { ours };
    same(&format!("the encoding of {name}"), &ours, &theirs)?;
    let expiry = words(&[b"PEXPIRETIME", key]);
    match (pair.ours(&expiry), pair.theirs(&expiry)) {
        (Reply::Integer(ours), Reply::Integer(theirs))
            if ours.abs_diff(theirs) < 60_000 && (ours > 0) == (theirs > 0) =>
        {
            Ok(())
        }
        (ours, theirs) => same(&format!("the expiry of {name}"), &ours, &theirs),
    }
}

fn kind_of(reply: &Reply) -> String {
    let Reply::Simple(kind) = reply else { panic!("TYPE answers a word, not {reply:?}") };
    kind.clone()
}

/// All that is in a value.
fn contents(kind: &str, key: &[u8], mut ask: impl FnMut(&Request) -> Reply) -> Reply {
    match kind {
        "string" => masked(ask(&words(&[b"GET", key]))),
        "list" => ask(&words(&[b"LRANGE", key, b"0", b"-1"])),
        "set" => ask(&words(&[b"SMEMBERS", key])).sorted(),
        "hash" => paired(ask(&words(&[b"HGETALL", key]))),
        "zset" => scored(ask(&words(&[b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"]))),
        "stream" => described(ask(&words(&[b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0"]))),
        other => panic!("no type is called {other}"),
    }
}

fn same(what: &str, ours: &Reply, theirs: &Reply) -> Result<(), String> {
    if ours == theirs {
        return Ok(());
    }
    Err(format!("{what}\n--- ours\n{}--- theirs\n{}", ours.render(), theirs.render()))
}

fn bulk(reply: Reply, what: &str) -> Result<Vec<u8>, String> {
    match reply {
        Reply::Bulk(bytes) => Ok(bytes),
        other => Err(format!("{what} answers {}", other.render())),
    }
}

/// Our payload, loaded by the other.
fn give(pair: &mut Pair, key: &[u8]) -> Result<(), String> {
    let payload = bulk(pair.ours(&words(&[b"DUMP", key])), "our DUMP")?;
    let Some(payload) = as_of_7_0(payload) else { return Ok(()) };
    if payload.len() > REQUEST_BYTES_MAX {
        return Ok(());
    }
    let kind = kind_of(&pair.theirs(&words(&[b"TYPE", key])));
    let expected = contents(&kind, key, |request| pair.theirs(request));
    pair.select(SCRATCH);
    let reply = pair.theirs(&words(&[b"RESTORE", key, b"0", &payload, b"REPLACE"]));
    if reply != Reply::Simple("OK".into()) {
        let payload = quote(&payload);
        return Err(format!("our DUMP of {} is refused: {reply:?}: {payload}", quote(key)));
    }
    let found = contents(&kind, key, |request| pair.theirs(request));
    pair.select(0);
    same(&format!("our DUMP of {}, loaded there", quote(key)), &expected, &found)
}

/// Their payload, loaded here.
fn take(pair: &mut Pair, key: &[u8]) -> Result<(), String> {
    let payload = bulk(pair.theirs(&words(&[b"DUMP", key])), "their DUMP")?;
    let kind = kind_of(&pair.ours(&words(&[b"TYPE", key])));
    let expected = contents(&kind, key, |request| pair.ours(request));
    pair.select(SCRATCH);
    let reply = pair.ours(&words(&[b"RESTORE", key, b"0", &payload, b"REPLACE"]));
    if reply != Reply::Simple("OK".into()) {
        let payload = quote(&payload);
        return Err(format!("their DUMP of {} is refused: {reply:?}: {payload}", quote(key)));
    }
    let found = contents(&kind, key, |request| pair.ours(request));
    same(&format!("their DUMP of {}, loaded here", quote(key)), &found, &expected)?;
    pair.select(0);
    Ok(())
}

/// The payload in the version of Redis 7.0, unless it uses a form that came with 7.2.
fn as_of_7_0(mut payload: Vec<u8>) -> Option<Vec<u8>> {
    const STREAM_OF_7_0: u8 = 19;
    if payload[0] > STREAM_OF_7_0 {
        return None;
    }
    payload.truncate(payload.len() - FOOTER_BYTES);
    Some(sealed(payload, 10))
}
