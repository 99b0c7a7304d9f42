//! Reads and writes of a few registers, by `GET` and `SET`.

use quoris_resp::Reply;

use super::{Context, number, told};
use crate::history::{Ask, Told};

/// How many registers all clients share: few, so that they meet.
const REGISTERS: u64 = 6;

/// Works until it is told to stop.
pub async fn run(context: &mut Context) {
    let mut client = context.connect();
    let mut sequence = 0;
    while !context.stop.get() {
        // A new set of registers now and then keeps each history short enough to search.
        let key = format!("register:{}:{}", sequence / 12, context.random.below(REGISTERS));
        sequence += 1;
        if context.random.percent(50) {
            let value = context.value(sequence);
            let pending = context.call(&key, Ask::Write(value));
            let answer = client.request(&["SET", &key, &value.to_string()]).await;
            context.history.returned(&pending, told(answer, |_| Told::Ok));
        } else {
            let pending = context.call(&key, Ask::Read);
            let answer = client.request(&["GET", &key]).await;
            context.history.returned(&pending, told(answer, value));
        }
        context.pause().await;
    }
}

fn value(reply: &Reply) -> Told {
    match reply {
        Reply::Null => Told::Value(None),
        reply => Told::Value(Some(number(reply).expect("only numbers are written"))),
    }
}
