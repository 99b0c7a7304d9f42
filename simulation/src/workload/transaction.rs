//! Appends to two lists in one transaction, and reads of both in one.

use quoris_resp::Reply;

use super::{Context, lengths, list, told};
use crate::client::{Answer, Client};
use crate::history::{Ask, Told};

/// How many pairs of lists all clients share.
const PAIRS: u64 = 2;

/// Works until it is told to stop.
pub async fn run(context: &mut Context) {
    let mut client = context.connect();
    let mut sequence = 0;
    while !context.stop.get() {
        let pair = format!("{{pair:{}}}", context.random.below(PAIRS));
        if context.random.percent(20) {
            read(context, &mut client, &pair).await;
        } else {
            sequence += 1;
            append(context, &mut client, &pair, sequence).await;
        }
        context.pause().await;
    }
}

/// Reads every pair.
pub async fn finish(context: &mut Context) {
    let mut client = context.connect();
    for number in 0..PAIRS {
        while !read(context, &mut client, &format!("{{pair:{number}}}")).await {}
    }
}

async fn append(context: &mut Context, client: &mut Client, pair: &str, sequence: u64) {
    let value = context.value(sequence);
    let text = value.to_string();
    let [one, other] = keys(pair);
    let pending = context.call(pair, Ask::Append(value));
    let answer = client.transaction(&[&["RPUSH", &one, &text], &["RPUSH", &other, &text]]).await;
    context.history.returned(&pending, told(answer, lengths));
}

async fn read(context: &mut Context, client: &mut Client, pair: &str) -> bool {
    let [one, other] = keys(pair);
    let pending = context.call(pair, Ask::ReadLists);
    let answer =
        client.transaction(&[&["LRANGE", &one, "0", "-1"], &["LRANGE", &other, "0", "-1"]]).await;
    let is_read = matches!(answer, Answer::Reply(_));
    let lists = |reply: &Reply| {
        let replies = reply.as_slice().expect("nothing is watched");
        Told::Lists(replies.iter().map(list).collect())
    };
    context.history.returned(&pending, told(answer, lists));
    is_read
}

fn keys(pair: &str) -> [String; 2] {
    [format!("{pair}:one"), format!("{pair}:other")]
}
