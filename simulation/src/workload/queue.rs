//! Queues between clients: some push, others wait for what comes. Some go while they wait.

use std::time::Duration;

use quoris_resp::Reply;

use super::{Context, now_ms, number, told};
use crate::client::{Answer, Client};
use crate::history::{Ask, Told};

/// The name under which the history knows all queues.
const QUEUES: &str = "{queue}";
/// The queues that all clients share, and how each is used: first in is first out in all.
const USES: [Use; 3] = [
    Use { push: "LPUSH", wait: "BRPOP", pop: "RPOP", side: "RIGHT" },
    Use { push: "RPUSH", wait: "BLPOP", pop: "LPOP", side: "LEFT" },
    Use { push: "RPUSH", wait: "BLPOP", pop: "LPOP", side: "LEFT" },
];
/// How long a client waits for its reply beyond the time for which it asked the server to wait.
const PATIENCE: Duration = Duration::from_secs(2);

/// The words of a queue.
struct Use {
    push: &'static str,
    wait: &'static str,
    pop: &'static str,
    side: &'static str,
}

/// Works until it is told to stop.
pub async fn run(context: &mut Context) {
    let [mut one, mut other] = [context.fork(1), context.fork(2)];
    tokio::join!(produce(context), consume(&mut one), consume(&mut other));
}

/// Empties the queues.
pub async fn finish(context: &mut Context) {
    let mut client = context.connect();
    for (queue, words) in USES.iter().enumerate() {
        while !pop(context, &mut client, &[words.pop, &name(queue)], PATIENCE).await {}
    }
}

async fn produce(context: &mut Context) {
    let mut client = context.connect();
    let mut sequence = 0;
    while !context.stop.get() {
        let queue = context.random.below(USES.len() as u64) as usize;
        sequence += 1;
        let value = context.value(sequence);
        let pending = context.call(QUEUES, Ask::Push { queue, value, at_ms: now_ms() });
        let words = [USES[queue].push, &name(queue), &value.to_string()];
        let answer = client.request(&words).await;
        context.history.returned(&pending, told(answer, |_| Told::Ok));
        context.pause().await;
    }
}

async fn consume(context: &mut Context) {
    let mut client = context.connect();
    while !context.stop.get() {
        let timeout = context.random.millis(1, 900);
        let is_patient = context.random.percent(85);
        let patience = if is_patient { timeout + PATIENCE } else { timeout / 2 };
        let seconds = timeout.as_secs_f64().to_string();
        let queue = context.random.below(USES.len() as u64) as usize;
        let (words, name) = (&USES[queue], name(queue));
        match context.random.below(10) {
            0 => pop(context, &mut client, &[words.pop, &name], PATIENCE).await,
            1 | 2 => {
                let words = ["BLMPOP", &seconds, "1", &name, words.side];
                pop(context, &mut client, &words, patience).await
            }
            3 | 4 => {
                let words = ["BLPOP", "{queue}:1", "{queue}:2", &seconds];
                pop(context, &mut client, &words, patience).await
            }
            _ => pop(context, &mut client, &[words.wait, &name, &seconds], patience).await,
        };
    }
}

/// Returns whether there was nothing to pop.
async fn pop(
    context: &mut Context,
    client: &mut Client,
    words: &[&str],
    patience: Duration,
) -> bool {
    let pending = context.call(QUEUES, Ask::Pop);
    let answer = client.wait(words, patience).await;
    let is_empty = answer == Answer::Reply(Reply::Null);
    let told = match told(answer, |reply| popped(words[1], reply)) {
        Told::Unknown => Told::Gone { at_ms: now_ms() },
        told => told,
    };
    context.history.returned(&pending, told);
    is_empty
}

/// What a pop of the queue called `key` was answered with. Those that wait also name the queue, and
/// those that may pop several have a list of items.
fn popped(key: &str, reply: &Reply) -> Told {
    let (key, item) = match reply {
        Reply::Null => return Told::Popped(None),
        Reply::Array(both) => (both[0].as_str().expect("a queue has a name"), &both[1]),
        item => (key, item),
    };
    let item = item.as_slice().map_or(item, |items| &items[0]);
    let queue = (0..USES.len()).find(|queue| name(*queue) == key).expect("it was asked for");
    Told::Popped(Some((queue, number(item).expect("only numbers are pushed"))))
}

fn name(queue: usize) -> String {
    format!("{QUEUES}:{queue}")
}
