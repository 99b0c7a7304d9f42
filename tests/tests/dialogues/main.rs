//! Dialogues of several connections with a node and with Debian's redis-server 7.0.15: what each
//! connection receives is the same, byte by byte.
//!
//! A dialogue is a function of its seed: three to five connections take turns in saying what the
//! grammar beside this file makes of transactions, watched keys, scripts, functions, waiting,
//! messages and several databases, over a universe of seven keys. Nobody ever waits for time to
//! pass. After every step both servers come to rest ([`scene`]), and in the end they hold the same.
//! A dialogue that fails is had again in parts until nothing can be left out.
//!
//! ```sh
//! make dialogues SEEDS=200         # seeds 1 to 200
//! make dialogues SEEDS=1 FROM=77   # one dialogue
//! ```

#[path = "../../../node/engine/tests/oracle/grammar.rs"]
mod grammar;

mod dialogue;
mod scene;
mod tolerances;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use dialogue::{Step, dialogue, shorten};
use grammar::Grammar;
use quoris_tests::node::Node;
use quoris_tests::oracle::Redis;

/// How many dialogues are had where nobody asks for more.
const SEEDS: u64 = 150;
/// How many failures are made short and shown.
const SHOWN_MAX: usize = 12;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// Says which dialogue it was, if it cannot be brought to its end.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("=== in the dialogue of seed {}", self.0);
        }
    }
}

/// The same dialogue with both; what differs, and in which step.
fn compare(servers: [SocketAddr; 2], count: usize, steps: &[Step]) -> Result<(), (usize, String)> {
    let [mut ours, mut theirs] = servers.map(|address| scene::Scene::new(address, count));
    for (at, step) in steps.iter().enumerate() {
        // Who is served first then, of keys that are all there at once, is up to a hash table.
        if step.swaps() && theirs.has_waiting() {
            continue;
        }
        let (ours, theirs) = (ours.act(step), theirs.act(step));
        let heard = ours.iter().zip(&theirs).enumerate();
        let different =
            heard.filter(|(_, (ours, theirs))| !tolerances::is_same(step, ours, theirs));
        let text: String = different
            .map(|(at, (ours, theirs))| {
                let (ours, theirs) = (ours.escape_ascii(), theirs.escape_ascii());
                format!("{at} hears   {ours}\n  of Redis {theirs}\n")
            })
            .collect();
        if !text.is_empty() {
            return Err((at + 1, text));
        }
    }
    let (ours, theirs) = (ours.state(), theirs.state());
    if ours == theirs {
        return Ok(());
    }
    Err((steps.len(), format!("--- ours in the end\n{ours}--- theirs in the end\n{theirs}")))
}

#[test]
fn every_connection_hears_what_redis_would_say() {
    let node = Node::start(&["--appendfsync", "no", "--cluster-enabled", "no"]);
    let redis = Redis::start(&[]);
    let servers = [node.address(), redis.address()];
    let grammar = Grammar::parse(&[include_str!("grammar")]);
    let first = number("FROM").unwrap_or(1);
    let (mut shown, mut failed) = (BTreeSet::new(), Vec::new());
    for seed in first..first + number("SEEDS").unwrap_or(SEEDS) {
        let _told = Seed(seed);
        let (count, steps) = dialogue(&grammar, seed);
        let check = |steps: &[Step]| compare(servers, count, steps);
        let Err(failure) = check(&steps) else { continue };
        failed.push(seed);
        if shown.len() == SHOWN_MAX {
            break;
        }
        let (steps, (_, text)) = shorten(steps, failure, check);
        let told: String = steps.iter().map(Step::to_string).collect();
        if shown.insert(steps.last().map(Step::to_string)) {
            eprintln!("=== seed {seed}, {count} connections\n{told}{text}");
        }
    }
    assert!(failed.is_empty(), "different with these seeds: {failed:?}");
}
