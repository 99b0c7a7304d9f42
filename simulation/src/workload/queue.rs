//! Queues between clients: some push, others pop.

use quoris_resp::Reply;

use super::{Context, number, told};
use crate::client::{Answer, Client};
use crate::history::{Ask, Told};

/// The queues that all clients share, and how each is used: first in is first out in both.
const QUEUES: [Queue; 2] = [
    Queue { name: "queue:0", push: "LPUSH", pop: "RPOP" },
    Queue { name: "queue:1", push: "RPUSH", pop: "LPOP" },
];

/// The commands of a queue.
struct Queue {
    name: &'static str,
    push: &'static str,
    pop: &'static str,
}

/// Works until it is told to stop.
pub async fn run(context: &mut Context) {
    let mut client = context.connect();
    let mut sequence = 0;
    while !context.stop.get() {
        let queue = context.random.choose(&QUEUES);
        if context.random.percent(50) {
            sequence += 1;
            let value = context.value(sequence);
            push(context, &mut client, queue, value).await;
        } else {
            pop(context, &mut client, queue).await;
        }
        context.pause().await;
    }
}

/// Empties the queues.
pub async fn finish(context: &mut Context) {
    let mut client = context.connect();
    for queue in &QUEUES {
        while !pop(context, &mut client, queue).await {}
    }
}

async fn push(context: &mut Context, client: &mut Client, queue: &Queue, value: u64) {
    let pending = context.call(queue.name, Ask::Push(value));
    let answer = client.request(&[queue.push, queue.name, &value.to_string()]).await;
    context.history.returned(&pending, told(answer, |_| Told::Ok));
}

/// Returns whether the queue was empty.
async fn pop(context: &mut Context, client: &mut Client, queue: &Queue) -> bool {
    let pending = context.call(queue.name, Ask::Pop);
    let answer = client.request(&[queue.pop, queue.name]).await;
    let is_empty = answer == Answer::Reply(Reply::Null);
    context.history.returned(&pending, told(answer, popped));
    is_empty
}

fn popped(reply: &Reply) -> Told {
    match reply {
        Reply::Null => Told::Popped(None),
        item => Told::Popped(Some(number(item).expect("only numbers are pushed"))),
    }
}
