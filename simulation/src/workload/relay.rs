//! A chain of lists: some push onto the first, others wait to move items from each to the next.
//!
//! What an unknown move has moved is in the next list, so nothing may be lost whatever happens.

use std::time::Duration;

use quoris_resp::Reply;

use super::{Context, list, number, told};
use crate::client::{Answer, Client};
use crate::history::{Ask, Told};

/// The name under which the history knows the chain.
const CHAIN: &str = "{relay}";
/// How many lists the chain has.
const LISTS: usize = 3;
/// How long a client waits for its reply beyond the time for which it asked the server to wait.
const PATIENCE: Duration = Duration::from_secs(2);

/// Works until it is told to stop.
pub async fn run(context: &mut Context) {
    let [mut one, mut other] = [context.fork(1), context.fork(2)];
    tokio::join!(produce(context), carry(&mut one, 0), carry(&mut other, 1));
}

/// Moves everything to the last list and reads that.
pub async fn finish(context: &mut Context) {
    let mut client = context.connect();
    for from in 0..LISTS - 1 {
        while !carry_one(context, &mut client, from).await {}
    }
    while !read(context, &mut client).await {}
}

async fn produce(context: &mut Context) {
    let mut client = context.connect();
    let mut sequence = 0;
    while !context.stop.get() {
        sequence += 1;
        let value = context.value(sequence);
        let pending = context.call(CHAIN, Ask::Append(value));
        let answer = client.request(&["RPUSH", &name(0), &value.to_string()]).await;
        context.history.returned(&pending, told(answer, |_| Told::Ok));
        context.pause().await;
    }
}

async fn carry(context: &mut Context, from: usize) {
    let mut client = context.connect();
    let (source, target) = (name(from), name(from + 1));
    while !context.stop.get() {
        let timeout = context.random.millis(1, 900);
        let is_patient = context.random.percent(80);
        let patience = if is_patient { timeout + PATIENCE } else { timeout / 2 };
        let seconds = timeout.as_secs_f64().to_string();
        let pending = context.call(CHAIN, Ask::Move);
        let words = ["BLMOVE", &source, &target, "LEFT", "RIGHT", &seconds];
        let answer = client.wait(&words, patience).await;
        context.history.returned(&pending, told(answer, |reply| moved(from, reply)));
    }
}

/// Returns whether there was nothing to move.
async fn carry_one(context: &mut Context, client: &mut Client, from: usize) -> bool {
    let pending = context.call(CHAIN, Ask::Move);
    let words = ["LMOVE", &name(from), &name(from + 1), "LEFT", "RIGHT"];
    let answer = client.request(&words).await;
    let is_empty = answer == Answer::Reply(Reply::Null);
    context.history.returned(&pending, told(answer, |reply| moved(from, reply)));
    is_empty
}

async fn read(context: &mut Context, client: &mut Client) -> bool {
    let pending = context.call(CHAIN, Ask::ReadLists);
    let answer = client.request(&["LRANGE", &name(LISTS - 1), "0", "-1"]).await;
    let is_read = matches!(answer, Answer::Reply(_));
    context.history.returned(&pending, told(answer, |reply| Told::Lists(vec![list(reply)])));
    is_read
}

fn moved(from: usize, reply: &Reply) -> Told {
    match reply {
        Reply::Null => Told::Popped(None),
        item => Told::Popped(Some((from, number(item).expect("only numbers are pushed")))),
    }
}

fn name(list: usize) -> String {
    format!("{CHAIN}:{list}")
}
