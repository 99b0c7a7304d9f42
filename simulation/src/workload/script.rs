//! Appends to two lists in one script that also counts them, and reads of both in one.
//!
//! A script that the shard has run once is called by its digest from then on, whatever has happened
//! to the leader.

use std::collections::BTreeSet;

use quoris_resp::Reply;

use super::{Context, lengths, list, told};
use crate::client::{Answer, Client};
use crate::history::{Ask, Told};

/// How many pairs of lists all clients share.
const PAIRS: u64 = 2;
/// Appends to the lists and counts that.
const APPEND: &str = "local lengths = {redis.call('INCR', KEYS[3])} \
    for i = 1, 2 do lengths[i + 1] = redis.call('RPUSH', KEYS[i], ARGV[1]) end \
    return lengths";
/// Reads the lists.
const READ: &str = "local lists = {} \
    for i = 1, 2 do lists[i] = redis.call('LRANGE', KEYS[i], 0, -1) end \
    return lists";

/// A client and what it knows of the scripts.
struct Caller {
    client: Client,
    /// Names of the scripts.
    digests: [String; 2],
    /// Pairs with whose shard a script is known to be.
    loaded: BTreeSet<(u64, &'static str)>,
}

/// Works until it is told to stop.
pub async fn run(context: &mut Context) {
    let mut caller = Caller::new(context).await;
    let mut sequence = 0;
    while !context.stop.get() {
        let pair = context.random.below(PAIRS);
        if context.random.percent(20) {
            read(context, &mut caller, pair).await;
        } else {
            sequence += 1;
            append(context, &mut caller, pair, sequence).await;
        }
        context.pause().await;
    }
}

/// Reads every pair.
pub async fn finish(context: &mut Context) {
    let mut caller = Caller::new(context).await;
    for pair in 0..PAIRS {
        while !read(context, &mut caller, pair).await {}
    }
}

impl Caller {
    async fn new(context: &Context) -> Caller {
        let mut client = context.connect();
        let digests = [load(&mut client, APPEND).await, load(&mut client, READ).await];
        Caller { client, digests, loaded: BTreeSet::new() }
    }

    /// Runs a script for a pair, by name if it is there already.
    async fn call(
        &mut self,
        context: &mut Context,
        (script, pair): (&'static str, u64),
        value: &str,
    ) -> Answer {
        let digest = &self.digests[usize::from(script == READ)];
        let is_loaded = self.loaded.contains(&(pair, script));
        let by_name = is_loaded && context.random.percent(80);
        let may_read = script == READ && context.random.percent(50);
        let command = match (by_name, may_read) {
            (true, true) => "EVALSHA_RO",
            (true, false) => "EVALSHA",
            (false, true) => "EVAL_RO",
            (false, false) => "EVAL",
        };
        let program = if by_name { digest } else { script };
        let [one, other, counter] = keys(pair);
        let words = [command, program, "3", &one, &other, &counter, value];
        let answer = self.client.request(&words).await;
        // What only reads brings its script to one node, not into the log.
        if matches!(answer, Answer::Reply(_)) && command == "EVAL" {
            self.loaded.insert((pair, script));
        }
        answer
    }
}

/// Puts a script into the cache of whichever shard takes it, which tells the script's name.
async fn load(client: &mut Client, script: &str) -> String {
    loop {
        if let Answer::Reply(digest) = client.request(&["SCRIPT", "LOAD", script]).await {
            return digest.as_str().expect("a digest is a text").to_owned();
        }
    }
}

async fn append(context: &mut Context, caller: &mut Caller, pair: u64, sequence: u64) {
    let value = context.value(sequence);
    let pending = context.call(&name(pair), Ask::Append(value));
    let answer = caller.call(context, (APPEND, pair), &value.to_string()).await;
    context.history.returned(&pending, told(answer, lengths));
}

async fn read(context: &mut Context, caller: &mut Caller, pair: u64) -> bool {
    let pending = context.call(&name(pair), Ask::ReadLists);
    let answer = caller.call(context, (READ, pair), "").await;
    let is_read = matches!(answer, Answer::Reply(_));
    let lists = |reply: &Reply| {
        let replies = reply.as_slice().expect("the script returns a table");
        Told::Lists(replies.iter().map(list).collect())
    };
    context.history.returned(&pending, told(answer, lists));
    is_read
}

fn name(pair: u64) -> String {
    format!("{{script:{pair}}}")
}

fn keys(pair: u64) -> [String; 3] {
    ["one", "other", "counter"].map(|key| format!("{}:{key}", name(pair)))
}
