//! What is promised of replies about streams: everything but times.
//!
//! The servers have a clock each. Ids that Redis's clock chose are made here from the same time, and
//! for how long something has been pending is left out of every reply: the grammar sees to it that
//! it is next to nothing or very long where a request depends on it.

use super::compare::is;
use super::grammar::Request;
use super::pair::Pair;
use crate::support::reply::Reply;

/// Their clock cannot be further ahead than this, in milliseconds.
const AHEAD_MS_MAX: u64 = 600_000;
/// Fields that hold a time, that came with 7.2, or that count what is not there in our streams.
const LEFT_OUT: [&[u8]; 5] =
    [b"idle", b"inactive", b"seen-time", b"active-time", b"radix-tree-nodes"];
/// Counters that 7.2 learnt to keep where entries were removed.
const COUNTERS: [&[u8]; 2] = [b"entries-read", b"lag"];

/// Sets our clock to the time at which Redis added an entry.
pub fn follow_clock(pair: &mut Pair, theirs: &Reply) {
    let Reply::Bulk(id) = theirs else { return };
    let id = String::from_utf8_lossy(id);
    let ms: u64 = id.split('-').next().and_then(|ms| ms.parse().ok()).expect("an id has a time");
    let now_ms = pair.session.now_ms;
    if (now_ms..now_ms + AHEAD_MS_MAX).contains(&ms) {
        pair.session.now_ms = ms;
    }
}

/// Makes sure that who claims or reads as a consumer is there: 7.0 makes it with the first entry that
/// it gets, 7.2 and we in any case.
pub fn meet(pair: &mut Pair, request: &Request) {
    let group = request.iter().position(|word| is(word, "group"));
    let streams = request.iter().position(|word| is(word, "streams"));
    let (keys, names) = match (group, streams) {
        (Some(group), Some(streams)) if is(&request[0], "xreadgroup") => {
            let words = &request[streams + 1..];
            (&words[..words.len() / 2], &request[group + 1..])
        }
        _ => (&request[1..2], &request[2..]),
    };
    let [group, consumer, ..] = names else { return };
    for key in keys {
        let words: [&[u8]; 5] = [b"XGROUP", b"CREATECONSUMER", key, group, consumer];
        pair.theirs(&words.map(<[u8]>::to_vec).to_vec());
    }
}

/// Leaves out for how long entries have been pending.
pub fn idle(reply: Reply) -> Reply {
    let Reply::Array(entries) = reply else { return reply };
    Reply::Array(entries.into_iter().map(|entry| timeless(entry, 2)).collect())
}

/// What `XINFO` answers, without times; with counters only if it shows that no entry was removed.
pub fn described(reply: Reply) -> Reply {
    let field = |name: &[u8]| field(&reply, name).cloned();
    let (length, added) = (field(b"length"), field(b"entries-added"));
    let counters = length.is_some() && length == added;
    Describer { counters }.describe(reply)
}

/// The value of a field of a map, which is an array in RESP2.
fn field<'r>(reply: &'r Reply, name: &[u8]) -> Option<&'r Reply> {
    let is_it = |found: &Reply| matches!(found, Reply::Bulk(found) if found == name);
    match reply {
        Reply::Map(pairs) => pairs.iter().find(|(found, _)| is_it(found)).map(|(_, value)| value),
        Reply::Array(all) => all.iter().position(is_it).and_then(|at| all.get(at + 1)),
        _ => None,
    }
}

/// Whether counters are to be shown.
struct Describer {
    counters: bool,
}

impl Describer {
    fn describe(&self, reply: Reply) -> Reply {
        match reply {
            Reply::Map(pairs) => Reply::Map(
                pairs
                    .into_iter()
                    .filter(|(name, _)| !self.leaves_out(name))
                    .map(|(name, value)| {
                        let value = self.value(&name, value);
                        (name, value)
                    })
                    .collect(),
            ),
            Reply::Array(elements) => {
                let mut found = Vec::new();
                let mut elements = elements.into_iter();
                while let Some(element) = elements.next() {
                    if self.leaves_out(&element) {
                        elements.next();
                    } else if matches!(found.last(), Some(Reply::Bulk(_))) {
                        let value = self.value(found.last().expect("it was just seen"), element);
                        found.push(value);
                    } else {
                        found.push(self.describe(element));
                    }
                }
                Reply::Array(found)
            }
            other => other,
        }
    }

    fn leaves_out(&self, name: &Reply) -> bool {
        let Reply::Bulk(name) = name else { return false };
        LEFT_OUT.contains(&name.as_slice())
            || (!self.counters && COUNTERS.contains(&name.as_slice()))
    }

    /// The value of a field; for what is pending, without the time of delivery.
    fn value(&self, name: &Reply, value: Reply) -> Reply {
        let is_pending = *name == Reply::Bulk(b"pending".to_vec());
        match value {
            Reply::Array(entries) if is_pending => {
                let with_time = |entry: Reply| {
                    let place =
                        if matches!(&entry, Reply::Array(all) if all.len() == 4) { 2 } else { 1 };
                    timeless(entry, place)
                };
                Reply::Array(entries.into_iter().map(with_time).collect())
            }
            other => self.describe(other),
        }
    }
}

/// An entry with nothing at this place.
fn timeless(mut entry: Reply, place: usize) -> Reply {
    if let Reply::Array(fields) = &mut entry
        && fields.len() > place + 1
    {
        fields[place] = Reply::Null;
    }
    entry
}
