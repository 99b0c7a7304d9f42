//! Appends to a few lists by `RPUSH`, and reads of them by `LRANGE`.

use quoris_resp::Reply;

use super::{Context, lengths, list, told};
use crate::client::{Answer, Client};
use crate::history::{Ask, Told};

/// How many lists all clients share.
const LISTS: u64 = 3;

/// Works until it is told to stop.
pub async fn run(context: &mut Context) {
    let mut client = context.connect();
    let mut sequence = 0;
    while !context.stop.get() {
        let key = format!("list:{}", context.random.below(LISTS));
        if context.random.percent(5) {
            read(context, &mut client, &key).await;
        } else {
            sequence += 1;
            let value = context.value(sequence);
            let pending = context.call(&key, Ask::Append(value));
            let answer = client.request(&["RPUSH", &key, &value.to_string()]).await;
            context.history.returned(&pending, told(answer, lengths));
        }
        context.pause().await;
    }
}

/// Reads every list.
pub async fn finish(context: &mut Context) {
    let mut client = context.connect();
    for number in 0..LISTS {
        while !read(context, &mut client, &format!("list:{number}")).await {}
    }
}

async fn read(context: &mut Context, client: &mut Client, key: &str) -> bool {
    let pending = context.call(key, Ask::ReadLists);
    let answer = client.request(&["LRANGE", key, "0", "-1"]).await;
    let is_read = matches!(answer, Answer::Reply(_));
    let lists = |reply: &Reply| Told::Lists(vec![list(reply)]);
    context.history.returned(&pending, told(answer, lists));
    is_read
}
