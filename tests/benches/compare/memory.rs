//! Bytes per key and per element: by how much the resident set grows from one level of filling to
//! twice as much.
//!
//! What a server takes whatever it holds (its code, buffers, what it keeps of its log) is there at
//! both levels and drops out. The tables of both servers double once on the way, as they do between
//! any two such levels.

use anyhow::Result;

use crate::Effort;
use crate::load;
use crate::servers::{self, Durability, Server};

const KEYS: u64 = 1_000_000;

/// A kind of value whose elements are counted.
struct Case {
    name: &'static str,
    /// How many requests fill it to the first level, one for each that is counted.
    requests: u64,
    /// The words of a request.
    words: fn(u64) -> Vec<String>,
}

fn words<const N: usize>(words: [&dyn ToString; N]) -> Vec<String> {
    words.iter().map(|word| word.to_string()).collect()
}

const PLAIN: Case = Case {
    name: "a key of 16 bytes with a value of 32",
    requests: KEYS,
    words: |n| words([&"SET", &format!("key:{n:012}"), &"x".repeat(32)]),
};

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
    println!("### Memory: growth of the resident set from 1 M to 2 M\n");
    println!("| bytes for | Quoris | Redis | ratio |\n|---|---|---|---|");
    row(&PLAIN)?;
    if !effort.quick {
        CASES.iter().try_for_each(row)?;
    }
    println!();
    Ok(())
}

fn row(case: &Case) -> Result<()> {
    let name = case.name;
    let ours = bytes_for_one(&servers::quoris(Durability::Memory), case);
    let theirs = bytes_for_one(&servers::redis(Durability::Memory)?, case)?;
    match ours {
        Ok(ours) => println!("| {name} | {ours:.1} | {theirs:.1} | **{:.2}×** |", ours / theirs),
        // A release that does not have the command yet still measures the others.
        Err(error) => println!("| {name} | {error} | {theirs:.1} | |"),
    }
    Ok(())
}

fn bytes_for_one(server: &Server, case: &Case) -> Result<f64> {
    fill(server, case, 0)?;
    let before = server.resident_bytes()?;
    fill(server, case, case.requests)?;
    let grown = server.resident_bytes()? as f64 - before as f64;
    Ok(grown / case.requests as f64)
}

/// Sends the requests from number `first` on.
fn fill(server: &Server, case: &Case, first: u64) -> Result<()> {
    load::fill(server.address, case.requests, |out, n| {
        let words = (case.words)(first + n);
        quoris_resp::encode_command(out, words.iter().map(String::as_bytes));
    })
}
