//! Appends to a few lists by `RPUSH`, read whole by `LRANGE` at the end.

use quoris_resp::Reply;

use super::Context;
use crate::client::{Answer, Client};
use crate::history::{Ask, Told};

/// How many lists all clients share.
const LISTS: u64 = 3;

/// Works until it is told to stop.
pub async fn run(mut context: Context) {
    let mut client = Client::new(context.nodes.clone(), context.client as usize);
    let mut sequence = 0;
    while !context.stop.get() {
        let key = format!("list:{}", context.random.below(LISTS));
        sequence += 1;
        let value = context.value(sequence);
        let pending = context.history.call(context.client, &key, Ask::Append(value));
        let told = match client.request(&["RPUSH", &key, &value.to_string()]).await {
            Answer::Refused => Told::Refused,
            Answer::Unknown => Told::Unknown,
            Answer::Reply(_) => Told::Ok,
        };
        context.history.returned(&pending, told);
        let pause = context.random.millis(0, 25);
        tokio::time::sleep(pause).await;
    }
    context.running.set(context.running.get() - 1);
}

/// Reads every list, once everything has healed.
pub async fn read_all(context: Context) {
    let mut client = Client::new(context.nodes.clone(), 0);
    for list in 0..LISTS {
        let key = format!("list:{list}");
        let pending = context.history.call(context.client, &key, Ask::ReadList);
        // A read may be asked again, which an append may not.
        let list = loop {
            if let Answer::Reply(Reply::Array(items)) =
                client.request(&["LRANGE", &key, "0", "-1"]).await
            {
                break items;
            }
        };
        let numbers = list.iter().map(|item| {
            let text = item.as_bytes().and_then(|bytes| std::str::from_utf8(bytes).ok());
            text.and_then(|text| text.parse().ok()).expect("only digits were appended")
        });
        context.history.returned(&pending, Told::List(numbers.collect()));
    }
    context.running.set(context.running.get() - 1);
}
