//! Scripts, transactions and messages: one node beside one redis-server, neither waiting for the
//! disk.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::load::{self, Case, Kind, Load};
use crate::servers::{self, Durability, Server};
use crate::{Effort, fan_out, hand_over, table};

/// How many keys the scripts and transactions use.
const KEYS: u64 = 100_000;

/// Releases a lock if it still holds the token.
const RELEASE: &str = "if redis.call('get', KEYS[1]) == ARGV[1] then \
    return redis.call('del', KEYS[1]) else return 0 end";
const RELEASE_DIGEST: &str = "e9f69f2beb755be68b5e456ee2ce9aadfbc4ebf4";

/// What a session store does in one go: ten commands on six keys.
const SESSION: &str = "redis.call('SET', KEYS[1], ARGV[1]) \
    redis.call('EXPIRE', KEYS[1], 100) \
    redis.call('HSET', KEYS[2], 'seen', ARGV[1]) \
    redis.call('HINCRBY', KEYS[2], 'visits', 1) \
    redis.call('LPUSH', KEYS[3], ARGV[1]) \
    redis.call('LTRIM', KEYS[3], 0, 9) \
    redis.call('SADD', KEYS[4], ARGV[2]) \
    redis.call('ZADD', KEYS[5], ARGV[2], ARGV[1]) \
    redis.call('ZREMRANGEBYRANK', KEYS[5], 0, -11) \
    return redis.call('INCR', KEYS[6])";
const SESSION_DIGEST: &str = "bd057cc542adb4bb496c804318f98e12eec53647";

/// Appends a request of words.
fn request(out: &mut Vec<u8>, words: &[&str]) {
    quoris_resp::encode_command(out, words.iter().map(|word| word.as_bytes()));
}

fn lock(random: u64) -> String {
    format!("lock:{:06}", random % KEYS)
}

const CASES: &[Case] = &[
    Case {
        name: "EVALSHA, check that fails",
        reply_lines: 1,
        encode: |out, random| {
            request(out, &["EVALSHA", RELEASE_DIGEST, "1", &lock(random), "another"]);
        },
    },
    Case {
        name: "SET and EVALSHA, check and delete",
        reply_lines: 2,
        encode: |out, random| {
            // Each pipeline has keys of its own, by chance.
            let key = format!("lock:{random:020}");
            request(out, &["SET", &key, "token"]);
            request(out, &["EVALSHA", RELEASE_DIGEST, "1", &key, "token"]);
        },
    },
    Case {
        name: "EVALSHA, ten commands",
        reply_lines: 1,
        encode: |out, random| {
            let user = random % 1000;
            let key = |name: &str| format!("{{u{user:04}}}:{name}");
            let keys = ["token", "user", "recent", "days", "top", "count"].map(key);
            let mut words = vec!["EVALSHA", SESSION_DIGEST, "6"];
            words.extend(keys.iter().map(String::as_str));
            let (token, day) = (format!("t{:05}", random % 100_000), format!("{}", random % 30));
            words.extend([token.as_str(), day.as_str()]);
            request(out, &words);
        },
    },
    Case {
        name: "MULTI, ten SETs, EXEC",
        reply_lines: 22,
        encode: |out, random| {
            request(out, &["MULTI"]);
            for number in 0..10 {
                let key = format!("key:{:012}", random.wrapping_add(number) % KEYS);
                request(out, &["SET", &key, "abc"]);
            }
            request(out, &["EXEC"]);
        },
    },
];

/// Prints the tables.
pub fn run(effort: Effort) -> Result<()> {
    table::head("Scripts, transactions and messages, `appendfsync no`");
    servers::pin_load();
    let ours = servers::quoris(Durability::Memory);
    let theirs = servers::redis(Durability::Memory)?;
    for server in [&ours, &theirs] {
        prepare(server)?;
    }
    for case in CASES {
        let load = Load {
            kind: Kind::Of(case),
            connections: 50,
            pipeline: 16,
            value_bytes: 0,
            keys: KEYS,
        };
        table::row(case.name, &table::duel(&ours, &theirs, &load, effort)?);
    }
    let turn = Duration::from_millis(effort.turn_ms);
    let name = format!("PUBLISH to {} subscribers", fan_out::SUBSCRIBERS);
    let figures = table::duel_of(&ours, &theirs, effort, |at| fan_out::run(at, turn))?;
    table::row(&name, &figures);
    let figures = table::duel_of(&ours, &theirs, effort, |at| hand_over::run(at, turn))?;
    table::row("LPUSH to a BLPOP that waits", &figures);
    servers::unpin_load();
    println!();
    Ok(())
}

/// Loads the scripts, and takes the locks that are not to be released.
fn prepare(server: &Server) -> Result<()> {
    for (script, digest) in [(RELEASE, RELEASE_DIGEST), (SESSION, SESSION_DIGEST)] {
        let told =
            quoris_tests::wire::Wire::connect(server.address)?.call(&["SCRIPT", "LOAD", script])?;
        ensure!(told.as_str() == Some(digest), "the digest of a script is {told:?}");
    }
    load::fill(server.address, KEYS, |out, number| request(out, &["SET", &lock(number), "token"]))
}
