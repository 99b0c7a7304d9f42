//! Reads and writes of a few registers, by `GET` and `SET`.

use quoris_resp::Reply;

use super::Context;
use crate::client::{Answer, Client};
use crate::history::{Ask, Told};

/// How many registers all clients share: few, so that they meet.
const REGISTERS: u64 = 6;

/// Works until it is told to stop.
pub async fn run(mut context: Context) {
    let mut client = Client::new(context.nodes.clone(), context.client as usize);
    let mut sequence = 0;
    while !context.stop.get() {
        // A new set of registers now and then keeps each history short enough to search.
        let key = format!("register:{}:{}", sequence / 12, context.random.below(REGISTERS));
        sequence += 1;
        if context.random.percent(50) {
            let value = context.value(sequence);
            let pending = context.history.call(context.client, &key, Ask::Write(value));
            let answer = client.request(&["SET", &key, &value.to_string()]).await;
            context.history.returned(&pending, told(answer));
        } else {
            let pending = context.history.call(context.client, &key, Ask::Read);
            let answer = client.request(&["GET", &key]).await;
            context.history.returned(&pending, told(answer));
        }
        let pause = context.random.millis(0, 25);
        tokio::time::sleep(pause).await;
    }
    context.running.set(context.running.get() - 1);
}

fn told(answer: Answer) -> Told {
    match answer {
        Answer::Refused => Told::Refused,
        Answer::Unknown => Told::Unknown,
        Answer::Reply(Reply::Null) => Told::Value(None),
        Answer::Reply(Reply::Bulk(bytes)) => {
            let text = std::str::from_utf8(&bytes).expect("only digits were written");
            Told::Value(Some(text.parse().expect("only digits were written")))
        }
        Answer::Reply(_) => Told::Ok,
    }
}
