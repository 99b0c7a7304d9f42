//! Bytes per key and per element: how much the resident set grows.

use anyhow::Result;

use crate::Effort;
use crate::load::{self, populate};
use crate::servers::{self, Durability, Server};

const KEYS: u64 = 1_000_000;

/// A kind of value whose elements are counted.
struct Case {
    name: &'static str,
    /// How many requests fill it, one for each that is counted.
    requests: u64,
    /// The words of a request.
    words: fn(u64) -> Vec<String>,
}

fn words<const N: usize>(words: [&dyn ToString; N]) -> Vec<String> {
    words.iter().map(|word| word.to_string()).collect()
}

const CASES: &[Case] = &[
    Case {
        name: "a key of 16 bytes with a value of 32 and a TTL",
        requests: KEYS,
        words: |n| words([&"SET", &format!("key:{n:012}"), &"x".repeat(32), &"EX", &100_000]),
    },
    Case {
        name: "a member of a sorted set of 1 M",
        requests: KEYS,
        words: |n| words([&"ZADD", &"zset", &n, &format!("member:{n:09}")]),
    },
    Case {
        name: "a field of a hash of 1 M",
        requests: KEYS,
        words: |n| words([&"HSET", &"hash", &format!("field:{n:010}"), &format!("value:{n:010}")]),
    },
    Case {
        name: "a member of a set of 1 M",
        requests: KEYS,
        words: |n| words([&"SADD", &"set", &format!("member:{n:09}")]),
    },
    Case {
        name: "an element of a list of 1 M",
        requests: KEYS,
        words: |n| words([&"RPUSH", &"list", &format!("element:{n:08}")]),
    },
    Case {
        name: "an entry of a stream of 1 M",
        requests: KEYS,
        words: |n| words([&"XADD", &"stream", &format!("{}-0", n + 1), &"field", &n]),
    },
    Case {
        name: "a hash of 10 fields, of 100 k",
        requests: 100_000,
        words: |n| {
            let mut words = words([&"HSET", &format!("hash:{n:011}")]);
            for field in 0..10 {
                words.extend([format!("field{field}"), format!("value:{n:06}")]);
            }
            words
        },
    },
];

/// Prints the table.
pub fn run(effort: Effort) -> Result<()> {
    println!("### Memory: growth of the resident set\n");
    println!("| bytes for | Quoris | Redis | ratio |\n|---|---|---|---|");
    row("a key of 16 bytes with a value of 32", |server| {
        per(server, KEYS, |server| populate(server.address, KEYS, 32))
    })?;
    if !effort.quick {
        for case in CASES {
            row(case.name, |server| per(server, case.requests, |s| fill(s, case)))?;
        }
    }
    println!();
    Ok(())
}

fn row(name: &str, measure: impl Fn(&Server) -> Result<f64>) -> Result<()> {
    let ours = measure(&servers::quoris(Durability::Memory));
    let theirs = measure(&servers::redis(Durability::Memory)?)?;
    match ours {
        Ok(ours) => println!("| {name} | {ours:.0} | {theirs:.0} | **{:.2}×** |", ours / theirs),
        // A release that does not have the command yet still measures the others.
        Err(error) => println!("| {name} | {error} | {theirs:.0} | |"),
    }
    Ok(())
}

fn per(server: &Server, elements: u64, fill: impl Fn(&Server) -> Result<()>) -> Result<f64> {
    let before = server.resident_bytes()?;
    fill(server)?;
    Ok((server.resident_bytes()? - before) as f64 / elements as f64)
}

fn fill(server: &Server, case: &Case) -> Result<()> {
    load::fill(server.address, case.requests, |out, n| {
        let words = (case.words)(n);
        quoris_resp::encode_command(out, words.iter().map(String::as_bytes));
    })
}
