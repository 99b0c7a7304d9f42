//! Runs a sequence of requests on both sides, and makes a failing one short.

use std::fmt::Write as _;

use super::grammar::Request;
use super::pair::{Pair, Profile};
use super::{compare, state, tolerances};
use crate::support::reply::quote;

/// After how many requests the whole state is compared.
const STATE_EVERY: usize = 20;
/// How often a sequence may be run to make it shorter.
const ATTEMPTS_MAX: usize = 400;

/// How a sequence failed.
#[derive(Debug)]
pub struct Failure {
    /// How many requests were sent.
    pub sent: usize,
    /// What differed.
    pub text: String,
}

/// Runs `requests` from an empty state on.
pub fn run(pair: &mut Pair, profile: Profile, requests: &[Request]) -> Result<(), Failure> {
    pair.reset(profile);
    for (at, request) in requests.iter().enumerate() {
        let sent = at + 1;
        let failed = |text| Failure { sent, text };
        let (ours, theirs) = compare::ask(pair, request);
        if ours != theirs {
            if !tolerances::tolerated(request, &ours, &theirs) {
                let (ours, theirs) = (ours.render(), theirs.render());
                return Err(failed(format!("--- ours\n{ours}--- theirs\n{theirs}")));
            }
            // They may not hold the same any more.
            let empty = vec![b"FLUSHALL".to_vec()];
            pair.ours(&empty);
            pair.theirs(&empty);
        }
        if sent % STATE_EVERY == 0 || sent == requests.len() {
            state::compare(pair).map_err(failed)?;
        }
    }
    state::exchange(pair).map_err(|text| Failure { sent: requests.len(), text })
}

/// The shortest failing sequence that can be had by leaving requests out, and how it fails.
pub fn shorten(
    pair: &mut Pair,
    profile: Profile,
    mut requests: Vec<Request>,
    mut failure: Failure,
) -> (Vec<Request>, Failure) {
    requests.truncate(failure.sent);
    let mut attempts = 0;
    let mut step = requests.len().div_ceil(2);
    while step > 0 {
        let mut at = 0;
        while at < requests.len() && attempts < ATTEMPTS_MAX {
            let end = (at + step).min(requests.len());
            let fewer = [&requests[..at], &requests[end..]].concat();
            attempts += 1;
            match run(pair, profile, &fewer) {
                Err(shorter) if !fewer.is_empty() => {
                    requests = fewer;
                    requests.truncate(shorter.sent);
                    failure = shorter;
                }
                _ => at = end,
            }
        }
        step /= 2;
    }
    (requests, failure)
}

/// The requests as one would type them.
pub fn typed(requests: &[Request]) -> String {
    let mut out = String::new();
    for request in requests {
        let words: Vec<String> = request.iter().map(|word| word_of(word)).collect();
        writeln!(out, "> {}", words.join(" ")).expect("a string takes everything");
    }
    out
}

fn word_of(word: &[u8]) -> String {
    let plain = !word.is_empty() && word.iter().all(|&b| b.is_ascii_graphic() && b != b'"');
    if plain { String::from_utf8_lossy(word).into_owned() } else { quote(word) }
}
