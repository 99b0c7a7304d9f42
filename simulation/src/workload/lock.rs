//! Locks as applications make them: `SET NX PX` with a token, released by deleting the key if it
//! still holds the token. Whoever has the lock draws a fencing number.

use quoris_resp::Reply;

use super::{Context, now_ms, told};
use crate::client::{Answer, Client};
use crate::history::{Ask, Told};

/// How many locks all clients share.
const LOCKS: u64 = 2;
/// How long a lock is held at most, in milliseconds.
const TTL_MS: u64 = 400;

/// Works until it is told to stop.
pub async fn run(context: &mut Context) {
    let mut client = context.connect();
    let mut sequence = 0;
    while !context.stop.get() {
        let lock = format!("lock:{}", context.random.below(LOCKS));
        sequence += 1;
        let token = context.value(sequence);
        if acquire(context, &mut client, &lock, token).await {
            draw_number(context, &mut client, &lock).await;
            // Some keep it for longer than they may.
            let work = context.random.millis(0, TTL_MS * 5 / 4);
            tokio::time::sleep(work).await;
            release(context, &mut client, &lock, token).await;
        }
        context.pause().await;
    }
}

async fn acquire(context: &mut Context, client: &mut Client, lock: &str, token: u64) -> bool {
    let until_ms = now_ms() + TTL_MS;
    let pending = context.call(lock, Ask::Acquire { token, until_ms });
    let (text, ttl) = (token.to_string(), TTL_MS.to_string());
    let answer = client.request(&["SET", lock, &text, "NX", "PX", &ttl]).await;
    let held = |reply: &Reply| match reply {
        Reply::Null => Told::Refused,
        _ => Told::Held { from_ms: now_ms() },
    };
    let told = told(answer, held);
    let is_held = matches!(told, Told::Held { .. });
    context.history.returned(&pending, told);
    is_held
}

async fn draw_number(context: &mut Context, client: &mut Client, lock: &str) {
    let fence = format!("{lock}:fence");
    let pending = context.call(&fence, Ask::Draw);
    let answer = client.request(&["INCR", &fence]).await;
    let number = |reply: &Reply| {
        Told::Number(reply.as_integer().expect("INCR answers with a number") as u64)
    };
    context.history.returned(&pending, told(answer, number));
}

/// Whatever comes of it, from now on the client does not count on the lock.
async fn release(context: &mut Context, client: &mut Client, lock: &str, token: u64) {
    let pending = context.call(lock, Ask::Release { token, at_ms: now_ms() });
    let text = token.to_string();
    let answer = if context.random.percent(50) {
        release_optimistically(client, lock, &text).await
    } else {
        client.request(&["DELEX", lock, "IFEQ", &text]).await
    };
    context.history.returned(&pending, told(answer, |_| Told::Ok));
}

async fn release_optimistically(client: &mut Client, lock: &str, token: &str) -> Answer {
    let Some(values) = client.watch(&[lock]).await else { return Answer::Refused };
    if values[0].as_str() == Some(token) {
        client.exec(&[&["DEL", lock]]).await
    } else {
        client.request(&["UNWATCH"]).await
    }
}
