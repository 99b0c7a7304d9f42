//! Commands on collections, at pipeline 16: one node beside one redis-server, neither waiting for the
//! disk.
//!
//! Reads go to a few big collections, writes to a thousand smaller ones that grow as the run goes
//! on. Members and fields are twelve bytes long. What is removed is put there by the same pipeline,
//! so that nothing runs empty however fast a server is.

use anyhow::Result;

use crate::load::{self, Case, Kind, Load};
use crate::requests::{Numbered, request};
use crate::servers::{self, Durability, Server};
use crate::{Effort, table};

/// How many elements the big collections have.
const ELEMENTS: u64 = 100_000;
/// How many small collections are written to.
const KEYS: u64 = 1000;

fn member(random: u64) -> Numbered {
    Numbered { before: "m", number: random % ELEMENTS, digits: 11, behind: "" }
}

/// The key of a small collection; `before` ends with a colon.
fn small(before: &'static str, random: u64) -> Numbered {
    Numbered { before, number: (random >> 32) % KEYS, digits: 4, behind: "" }
}

const READS: &[Case] = &[
    Case {
        name: "ZRANK",
        reply_lines: 1,
        encode: |out, random| request!(out, "ZRANK", "zset", member(random)),
    },
    Case {
        name: "ZRANGE 0 9",
        reply_lines: 21,
        encode: |out, _| request!(out, "ZRANGE", "zset", "0", "9"),
    },
    Case {
        name: "HGET",
        reply_lines: 2,
        encode: |out, random| request!(out, "HGET", "hash", member(random)),
    },
    Case {
        name: "LRANGE 0 9",
        reply_lines: 21,
        encode: |out, _| request!(out, "LRANGE", "list", "0", "9"),
    },
    Case {
        name: "SISMEMBER",
        reply_lines: 1,
        encode: |out, random| request!(out, "SISMEMBER", "set", member(random)),
    },
    Case {
        name: "GEOSEARCH, 10 of 10 k places",
        reply_lines: 21,
        encode: |out, random| {
            let (x, y) = place(random % PLACES);
            request!(
                out,
                "GEOSEARCH",
                "geo",
                "FROMLONLAT",
                x,
                y,
                "BYRADIUS",
                "500",
                "km",
                "ASC",
                "COUNT",
                "10"
            );
        },
    },
    Case {
        name: "XRANGE COUNT 10",
        reply_lines: 81,
        encode: |out, random| {
            let from = 1 + random % (ELEMENTS - 10);
            request!(out, "XRANGE", "stream", from, "+", "COUNT", "10");
        },
    },
];

const WRITES: &[Case] = &[
    Case {
        name: "LPUSH",
        reply_lines: 1,
        encode: |out, random| request!(out, "LPUSH", small("list:", random), member(random)),
    },
    Case {
        name: "LPUSH and RPOP",
        reply_lines: 3,
        encode: |out, random| {
            let key = small("queue:", random);
            request!(out, "LPUSH", key, member(random));
            request!(out, "RPOP", key);
        },
    },
    Case {
        name: "SADD",
        reply_lines: 1,
        encode: |out, random| request!(out, "SADD", small("set:", random), member(random)),
    },
    Case {
        name: "HSET",
        reply_lines: 1,
        encode: |out, random| {
            request!(out, "HSET", small("hash:", random), member(random), "value")
        },
    },
    Case {
        name: "ZADD",
        reply_lines: 1,
        encode: |out, random| {
            request!(out, "ZADD", small("zset:", random), random % 1_000_000, member(random));
        },
    },
    Case {
        name: "INCR",
        reply_lines: 1,
        encode: |out, random| request!(out, "INCR", small("counter:", random)),
    },
    Case {
        name: "XADD",
        reply_lines: 2,
        encode: |out, random| {
            request!(out, "XADD", small("stream:", random), "*", "field", "value")
        },
    },
];

const PLACES: u64 = 10_000;

/// Places on a grid of half a degree.
fn place(number: u64) -> (f64, f64) {
    ((number % 200) as f64 / 2.0 - 50.0, (number / 200) as f64 / 2.0 - 12.5)
}

/// Prints the table.
pub fn run(effort: Effort) -> Result<()> {
    table::head("Collections at pipeline 16, 50 connections, `appendfsync no`");
    servers::pin_load();
    let ours = servers::quoris(Durability::Memory);
    let theirs = servers::redis(Durability::Memory)?;
    for server in [&ours, &theirs] {
        fill(server)?;
    }
    for case in READS.iter().chain(WRITES) {
        let load = Load {
            kind: Kind::Of(case),
            connections: 50,
            pipeline: 16,
            value_bytes: 0,
            keys: KEYS,
        };
        // A release that does not have the command yet still measures the others.
        match load::probe(ours.address, case)?.as_error() {
            Some(error) => table::gap(case.name, error),
            None => table::row(case.name, &table::duel(&ours, &theirs, &load, effort)?),
        }
    }
    servers::unpin_load();
    println!();
    Ok(())
}

/// Makes the big collections.
fn fill(server: &Server) -> Result<()> {
    load::fill(server.address, ELEMENTS, |out, n| request!(out, "ZADD", "zset", n, member(n)))?;
    load::fill(server.address, ELEMENTS, |out, n| request!(out, "HSET", "hash", member(n), "v"))?;
    load::fill(server.address, ELEMENTS, |out, n| request!(out, "RPUSH", "list", member(n)))?;
    load::fill(server.address, ELEMENTS, |out, n| request!(out, "SADD", "set", member(n)))?;
    load::fill(server.address, PLACES, |out, n| {
        let (x, y) = place(n);
        request!(out, "GEOADD", "geo", x, y, member(n));
    })?;
    let add = |out: &mut Vec<u8>, n: u64| {
        let id = Numbered { before: "", number: n + 1, digits: 1, behind: "-0" };
        request!(out, "XADD", "stream", id, "field", "value");
    };
    let can_add = load::probe(server.address, &WRITES[WRITES.len() - 1])?.as_error().is_none();
    if can_add { load::fill(server.address, ELEMENTS, add) } else { Ok(()) }
}
