//! What is said in a dialogue, and how a dialogue that fails is made short.

use std::fmt;

use quoris_engine::Rng;

use super::grammar::{Grammar, Request};

const STEPS: usize = 60;
/// How often a dialogue may be had to make it shorter.
const ATTEMPTS_MAX: usize = 300;

/// A connection says something, all at once.
#[derive(Clone, Debug)]
pub struct Step {
    /// The connection.
    pub at: usize,
    /// Its requests, which it does not make if it still waits for something.
    pub requests: Vec<Request>,
    /// How it is told then to wait no longer.
    pub with_error: bool,
}

impl Step {
    /// Whether it exchanges databases.
    pub fn swaps(&self) -> bool {
        let swaps = |word: &Vec<u8>| word.to_ascii_lowercase().windows(6).any(|it| it == b"swapdb");
        self.requests.iter().flatten().any(swaps)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ends = if self.with_error { "ERROR" } else { "TIMEOUT" };
        for (number, request) in self.requests.iter().enumerate() {
            let together = if number > 0 { "+" } else { ">" };
            let words: Vec<String> = request.iter().map(|word| shown(word)).collect();
            writeln!(f, "{}{together} {}    (or {ends})", self.at, words.join(" "))?;
        }
        Ok(())
    }
}

fn shown(word: &[u8]) -> String {
    let is_plain = !word.is_empty() && word.iter().all(u8::is_ascii_graphic);
    let text = word.escape_ascii().to_string();
    if is_plain { text } else { format!("\"{text}\"") }
}

/// The dialogue of a seed, and how many connections take part.
pub fn dialogue(grammar: &Grammar, seed: u64) -> (usize, Vec<Step>) {
    let mut rng = Rng::new(seed);
    let count = 3 + rng.below(3);
    let mut speakers = vec![Speaker::default(); count];
    let mut number = 0;
    let steps = (0..STEPS).map(|_| {
        let at = rng.below(count);
        let mut requests = speakers[at].says(grammar, &mut rng);
        // What has to grow from one request to the next.
        for word in requests.iter_mut().flatten().filter(|word| *word == b"#") {
            number += 1;
            *word = number.to_string().into_bytes();
        }
        Step { at, requests, with_error: rng.below(2) == 0 }
    });
    let steps = steps.collect();
    (count, steps)
}

/// What somebody who speaks has to keep in mind.
#[derive(Clone, Default)]
struct Speaker {
    is_in_multi: bool,
}

impl Speaker {
    fn says(&mut self, grammar: &Grammar, rng: &mut Rng) -> Vec<Request> {
        match rng.below(10) {
            0..7 => vec![self.request(grammar, rng)],
            7 => (0..=rng.below(4)).map(|_| self.request(grammar, rng)).collect(),
            _ => self.transaction(grammar, rng),
        }
    }

    fn request(&mut self, grammar: &Grammar, rng: &mut Rng) -> Request {
        let rule = if self.is_in_multi { "inside" } else { "outside" };
        let request = grammar.request(rule, rng);
        let is = |name: &[u8]| request[0].eq_ignore_ascii_case(name);
        if is(b"MULTI") {
            self.is_in_multi = true;
        } else if [&b"EXEC"[..], b"DISCARD", b"RESET", b"QUIT"].iter().any(|name| is(name)) {
            self.is_in_multi = false;
        }
        request
    }

    /// One that is sent as a whole, as most clients do.
    fn transaction(&mut self, grammar: &Grammar, rng: &mut Rng) -> Vec<Request> {
        let word = |name: &[u8]| vec![name.to_vec()];
        let begin = (!self.is_in_multi).then(|| word(b"MULTI"));
        let inside = (0..=rng.below(4)).map(|_| grammar.request("queued", rng));
        let requests = begin.into_iter().chain(inside).chain([word(b"EXEC")]).collect();
        self.is_in_multi = false;
        requests
    }
}

/// How many steps were made, and what was different then.
type Failure = (usize, String);

/// The shortest failing dialogue that can be had by leaving steps and requests out.
pub fn shorten(
    mut steps: Vec<Step>,
    mut failure: Failure,
    check: impl Fn(&[Step]) -> Result<(), Failure>,
) -> (Vec<Step>, Failure) {
    steps.truncate(failure.0);
    let mut attempts = 0;
    let mut width = steps.len().div_ceil(2);
    while width > 0 {
        let mut at = 0;
        while at < steps.len() && attempts < ATTEMPTS_MAX {
            let end = (at + width).min(steps.len());
            let fewer = [&steps[..at], &steps[end..]].concat();
            attempts += 1;
            match check(&fewer) {
                Err(shorter) if !fewer.is_empty() => {
                    steps = fewer;
                    steps.truncate(shorter.0);
                    failure = shorter;
                }
                _ => at = end,
            }
        }
        width /= 2;
    }
    for at in 0..steps.len() {
        let mut number = 0;
        while number < steps[at].requests.len() && steps[at].requests.len() > 1 {
            let mut fewer = steps.clone();
            fewer[at].requests.remove(number);
            match check(&fewer) {
                Err(shorter) if shorter.0 == steps.len() => (steps, failure) = (fewer, shorter),
                _ => number += 1,
            }
        }
    }
    (steps, failure)
}
