//! The engine beside Debian's redis-server 7.0.15: random sequences of requests, equal replies.
//!
//! Each family of commands has a grammar in `grammar/`, over a universe so small that requests meet
//! each other's values, wrong types and edges all the time. A sequence is a function of its seed,
//! and so are its circumstances: protocol and thresholds of compact forms. After every request
//! the replies are compared ([`compare`]), now and then all keys with type, encoding, expiry and
//! contents, and in the end every value is dumped by each side and loaded by the other ([`state`]).
//! A sequence that fails is run again in parts until nothing can be left out.
//!
//! ```sh
//! make oracle SEEDS=200                    # every family, seeds 1 to 200
//! make oracle SEEDS=1 FROM=77 FAMILY=sets  # one sequence
//! ```
//!
//! Deliberate differences are listed in [`tolerances`]. Without a redis-server nothing is compared;
//! where `CI=true` says that everything has to be there, that fails.

#[path = "../support/mod.rs"]
mod support;

mod compare;
mod grammar;
mod pair;
mod sequence;
mod server;
mod state;
mod streams;
mod tolerances;

use std::collections::BTreeSet;

use grammar::{Grammar, Request};
use pair::{Pair, Profile};
use quoris_engine::Rng;
use server::Redis;

/// How many requests a sequence has.
const REQUESTS: usize = 200;
/// How many sequences run where nobody asks for more.
const SEEDS: u64 = 8;
/// How many failures are made short and shown.
const SHOWN_MAX: usize = 30;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

fn start(family: &str) -> Option<Pair> {
    let redis = Redis::start(family);
    if redis.is_none() {
        let required = std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(!required, "redis-server is not installed: run make tools");
        eprintln!("redis-server is not installed: nothing was compared (make tools installs it)");
    }
    redis.map(Pair::new)
}

fn rules(family: &str) -> String {
    let path = format!("{}/tests/oracle/grammar/{family}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("every family has its grammar")
}

/// Compares the sequences of all seeds; panics with what differs, made short.
fn check(family: &str) {
    let Some(mut pair) = start(family) else { return };
    let grammar = Grammar::parse(&[&rules("common"), &rules(family)]);
    let first = number("FROM").unwrap_or(1);
    let (mut shown, mut failed) = (BTreeSet::new(), Vec::new());
    for seed in first..first + number("SEEDS").unwrap_or(SEEDS) {
        let (profile, mut rng) = (Profile::of(seed), Rng::new(seed));
        let requests: Vec<Request> =
            (0..REQUESTS).map(|_| grammar.request("command", &mut rng)).collect();
        let Err(failure) = sequence::run(&mut pair, profile, &requests) else { continue };
        failed.push(seed);
        if shown.len() == SHOWN_MAX {
            break;
        }
        let (short, failure) = sequence::shorten(&mut pair, profile, requests, failure);
        let last = short.last().expect("a failing sequence has a request")[0].to_ascii_lowercase();
        if shown.insert(last) {
            let typed = sequence::typed(&short);
            eprintln!("=== {family}, seed {seed}, {profile:?}\n{typed}{}", failure.text);
        }
    }
    assert!(failed.is_empty(), "{family}: different with these seeds: {failed:?}");
}

#[test]
fn bitmaps_are_those_of_redis() {
    check("bitmaps");
}

#[test]
fn geo_is_that_of_redis() {
    check("geo");
}

#[test]
fn hashes_are_those_of_redis() {
    check("hashes");
}

#[test]
fn hyperloglogs_are_those_of_redis() {
    check("hyperloglogs");
}

#[test]
fn keys_are_those_of_redis() {
    check("keys");
}

#[test]
fn lists_are_those_of_redis() {
    check("lists");
}

#[test]
fn scripts_are_those_of_redis() {
    check("scripts");
}

#[test]
fn sets_are_those_of_redis() {
    check("sets");
}

#[test]
fn sorting_is_that_of_redis() {
    check("sorting");
}

#[test]
fn sorted_sets_are_those_of_redis() {
    check("sorted_sets");
}

#[test]
fn streams_are_those_of_redis() {
    check("streams");
}

#[test]
fn strings_are_those_of_redis() {
    check("strings");
}
