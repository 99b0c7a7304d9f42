//! A consumer group: some add entries to a stream, others read them as members of a group and
//! acknowledge them, and take over what a member has left lying.

use quoris_resp::Reply;

use super::{Context, now_ms, number, told};
use crate::client::{Answer, Client};
use crate::history::{Ask, Told};

/// The stream that all clients share.
const STREAM: &str = "stream:0";
/// The group that all consumers belong to.
const GROUP: &str = "group";
/// How long an entry is left to the consumer that has it, in milliseconds.
pub const IDLE_MS: u64 = 300;

/// An entry of the stream.
struct Entry {
    id: String,
    value: u64,
}

/// Works until it is told to stop.
pub async fn run(context: &mut Context) {
    let mut client = context.connect();
    create_group(&mut client).await;
    let mut sequence = 0;
    while !context.stop.get() {
        match context.random.below(10) {
            0..=4 => {
                sequence += 1;
                add(context, &mut client, sequence).await;
            }
            5..=8 => {
                let entries = read(context, &mut client).await;
                // Now and then an entry is forgotten, for another to take over.
                for entry in entries.iter().flatten() {
                    if context.random.percent(80) {
                        acknowledge(context, &mut client, entry).await;
                    }
                }
            }
            9 if context.random.percent(20) => {
                read_pending(context, &mut client).await;
            }
            _ => {
                for entry in claim(context, &mut client, IDLE_MS).await.iter().flatten() {
                    acknowledge(context, &mut client, entry).await;
                }
            }
        }
        context.pause().await;
    }
}

/// Sees that every entry is delivered and acknowledged, and reads the stream.
pub async fn finish(context: &mut Context) {
    let mut client = context.connect();
    create_group(&mut client).await;
    loop {
        let fresh = read(context, &mut client).await;
        let left = claim(context, &mut client, 0).await;
        for entry in fresh.iter().chain(&left).flatten() {
            while !acknowledge(context, &mut client, entry).await {}
        }
        if let (Some([]), Some([])) = (fresh.as_deref(), left.as_deref()) {
            break;
        }
    }
    while !read_pending(context, &mut client).await {}
    while !read_all(context, &mut client).await {}
}

async fn create_group(client: &mut Client) {
    let words = ["XGROUP", "CREATE", STREAM, GROUP, "0", "MKSTREAM"];
    while !matches!(client.request(&words).await, Answer::Reply(_)) {}
}

async fn add(context: &mut Context, client: &mut Client, sequence: u64) {
    let value = context.value(sequence);
    let pending = context.call(STREAM, Ask::Append(value));
    let answer = client.request(&["XADD", STREAM, "*", "value", &value.to_string()]).await;
    context.history.returned(&pending, told(answer, |_| Told::Ok));
}

/// Asks for entries that nobody in the group has had. `None` if nobody knows who has them now.
async fn read(context: &mut Context, client: &mut Client) -> Option<Vec<Entry>> {
    let consumer = context.client.to_string();
    let pending = context.call(STREAM, Ask::Deliver { at_ms: now_ms() });
    let read = ["XREADGROUP", "GROUP", GROUP, &consumer, "COUNT", "3"];
    let wait: &[&str] = if context.random.percent(50) { &["BLOCK", "200"] } else { &[] };
    let answer = client.request(&[&read[..], wait, &["STREAMS", STREAM, ">"]].concat()).await;
    let entries = match &answer {
        Answer::Reply(Reply::Null) => Some(Vec::new()),
        Answer::Reply(streams) => Some(entries(part(part(streams, 0), 1))),
        _ => None,
    };
    context.history.returned(&pending, delivered(answer, entries.as_deref()));
    entries
}

/// Takes over entries that others have had for some time.
async fn claim(context: &mut Context, client: &mut Client, idle_ms: u64) -> Option<Vec<Entry>> {
    let consumer = context.client.to_string();
    let pending = context.call(STREAM, Ask::Claim { idle_ms, at_ms: now_ms() });
    let idle = idle_ms.to_string();
    let words = ["XAUTOCLAIM", STREAM, GROUP, &consumer, &idle, "0", "COUNT", "10"];
    let answer = client.request(&words).await;
    let entries = match &answer {
        Answer::Reply(reply) => Some(entries(part(reply, 1))),
        _ => None,
    };
    context.history.returned(&pending, delivered(answer, entries.as_deref()));
    entries
}

/// Returns whether the answer is known.
async fn acknowledge(context: &mut Context, client: &mut Client, entry: &Entry) -> bool {
    let pending = context.call(STREAM, Ask::Acknowledge(entry.value));
    let answer = client.request(&["XACK", STREAM, GROUP, &entry.id]).await;
    let is_known = matches!(answer, Answer::Reply(_));
    let first = |reply: &Reply| Told::Acknowledged(*reply == Reply::Integer(1));
    context.history.returned(&pending, told(answer, first));
    is_known
}

/// Reads who has which entries.
async fn read_pending(context: &mut Context, client: &mut Client) -> bool {
    let pending = context.call(STREAM, Ask::ReadPending);
    let answer = client.request(&["XINFO", "STREAM", STREAM, "FULL", "COUNT", "0"]).await;
    let is_read = matches!(answer, Answer::Reply(_));
    let owners = |reply: &Reply| {
        let group = part(field(reply, "groups"), 0);
        let consumers = field(group, "consumers").as_slice().expect("consumers are a list");
        Told::Pending { group: ids(group), consumers: consumers.iter().map(ids).collect() }
    };
    context.history.returned(&pending, told(answer, owners));
    is_read
}

/// The ids of the entries that are pending for a group or a consumer.
fn ids(owner: &Reply) -> Vec<String> {
    let entries = field(owner, "pending").as_slice().expect("what is pending is a list").iter();
    entries.map(|entry| part(entry, 0).as_str().expect("an id is a text").to_owned()).collect()
}

/// The value behind a name.
fn field<'a>(reply: &'a Reply, name: &str) -> &'a Reply {
    let words = reply.as_slice().expect("names and values");
    let place = words.iter().position(|word| word.as_str() == Some(name));
    &words[place.expect("it is told") + 1]
}

async fn read_all(context: &mut Context, client: &mut Client) -> bool {
    let pending = context.call(STREAM, Ask::ReadLists);
    let answer = client.request(&["XRANGE", STREAM, "-", "+"]).await;
    let is_read = matches!(answer, Answer::Reply(_));
    let values =
        |reply: &Reply| Told::Lists(vec![entries(reply).iter().map(|entry| entry.value).collect()]);
    context.history.returned(&pending, told(answer, values));
    is_read
}

fn delivered(answer: Answer, entries: Option<&[Entry]>) -> Told {
    let entries = entries.unwrap_or_default();
    let values = entries.iter().map(|entry| entry.value).collect();
    told(answer, |_| Told::Delivered { values, at_ms: now_ms() })
}

/// Entries are `[id, [field, value]]`.
fn entries(reply: &Reply) -> Vec<Entry> {
    let entries = reply.as_slice().expect("entries come in an array").iter();
    entries
        .map(|entry| Entry {
            id: part(entry, 0).as_str().expect("an id is a text").to_owned(),
            value: number(part(part(entry, 1), 1)).expect("only numbers are added"),
        })
        .collect()
}

fn part(reply: &Reply, at: usize) -> &Reply {
    &reply.as_slice().expect("it consists of parts")[at]
}
