//! When two replies to the same request say the same.
//!
//! Redis leaves some things open: the order of a set, the cursor of a scan, which member a random
//! choice takes. Those replies are compared by what is promised. What takes members at random
//! (`SPOP`) is brought to the same state afterwards.

use std::collections::BTreeSet;

use super::grammar::Request;
use super::pair::Pair;
use super::streams;
use crate::support::reply::Reply;

/// What of a reply is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    /// All of it.
    Exact,
    /// The elements, in any order.
    Unordered,
    /// Pairs of elements, in any order.
    Pairs,
    /// How many elements, and where they are taken from.
    Random,
    /// As [`View::Random`], and they are gone afterwards.
    Pop,
    /// Everything that is found until the cursor is 0 again.
    Scan,
    /// How many elements.
    Count,
    /// A time, give or take what passes while the sequence runs.
    Clock,
    /// The name of an encoding, of which 7.2 knows more.
    Encoding,
    /// All but for how long entries have been pending.
    Pending,
    /// All but times, and what 7.2 adds.
    Described,
    /// An id that their clock may have chosen.
    Stamped,
    /// All of it; and the consumer is there afterwards.
    Met,
}

fn view(request: &Request) -> View {
    let has = |word: &str| request.iter().skip(1).any(|one| is(one, word));
    match String::from_utf8_lossy(&request[0]).to_ascii_lowercase().as_str() {
        "smembers" | "sinter" | "sunion" | "sdiff" | "hkeys" | "hvals" | "keys" => View::Unordered,
        "hgetall" => View::Pairs,
        "srandmember" | "hrandfield" | "zrandmember" | "randomkey" => View::Random,
        "spop" => View::Pop,
        "scan" | "hscan" | "sscan" | "zscan" => View::Scan,
        "ttl" | "pttl" | "expiretime" | "pexpiretime" => View::Clock,
        // By a pattern without an asterisk nothing is sorted.
        "sort" | "sort_ro"
            if request.windows(2).any(|two| is(&two[0], "by") && !two[1].contains(&b'*')) =>
        {
            View::Count
        }
        "xpending" => View::Pending,
        "xinfo" => View::Described,
        "xadd" => View::Stamped,
        "xclaim" | "xautoclaim" | "xreadgroup" => View::Met,
        "object" if has("encoding") => View::Encoding,
        "geosearch"
        | "georadius"
        | "georadiusbymember"
        | "georadius_ro"
        | "georadiusbymember_ro" => {
            if has("count") {
                View::Count
            } else {
                View::Unordered
            }
        }
        _ => View::Exact,
    }
}

/// Whether a word is this one, in capitals or not.
pub fn is(word: &[u8], name: &str) -> bool {
    word.eq_ignore_ascii_case(name.as_bytes())
}

/// Sends a request to both, and returns both replies, reduced to what must be equal.
pub fn ask(pair: &mut Pair, request: &Request) -> (Reply, Reply) {
    let view = view(request);
    if view == View::Pop {
        return pop(pair, request);
    }
    let theirs = pair.theirs(request);
    if view == View::Stamped {
        streams::follow_clock(pair, &theirs);
    }
    let ours = pair.ours(request);
    let name = request[0].to_ascii_lowercase();
    let scores = name.starts_with(b"z") || name.starts_with(b"geo");
    let (ours, theirs) = if scores { (scored(ours), scored(theirs)) } else { (ours, theirs) };
    if matches!((&ours, &theirs), (Reply::Error(_), _) | (_, Reply::Error(_))) {
        return (quoted(ours), quoted(theirs));
    }
    match view {
        View::Exact | View::Pop | View::Stamped => (masked(ours), masked(theirs)),
        View::Unordered => (ours.sorted(), theirs.sorted()),
        View::Pairs => (paired(ours), paired(theirs)),
        View::Random => {
            let ours = checked(pair, request, &ours);
            (ours, drawn(&theirs, request))
        }
        View::Scan => {
            let ours = walked(request, ours, |next| pair.ours(next));
            (ours, walked(request, theirs, |next| pair.theirs(next)))
        }
        View::Count => (counted(&ours), counted(&theirs)),
        View::Clock => near(ours, theirs),
        View::Pending => (streams::idle(ours), streams::idle(theirs)),
        View::Described => (streams::described(ours), streams::described(theirs)),
        View::Met => {
            streams::meet(pair, request);
            (ours, theirs)
        }
        View::Encoding => encodings(ours, theirs),
    }
}

/// An error up to the first zero byte that it quotes, where C ends a text.
fn quoted(reply: Reply) -> Reply {
    match reply {
        Reply::Error(text) => {
            Reply::Error(text.split('\0').next().unwrap_or_default().trim_end().into())
        }
        other => other,
    }
}

/// Leaves out of a `HyperLogLog` the eight bytes that cache its count: here a count is a read, and
/// writes nothing.
pub fn masked(mut reply: Reply) -> Reply {
    if let Reply::Bulk(bytes) = &mut reply
        && bytes.starts_with(b"HYLL")
        && bytes.len() >= 16
    {
        bytes[8..16].fill(0);
    }
    reply
}

/// Every number of a reply in one spelling: Redis 7.0 shows scores with seventeen digits, 7.2 with as
/// many as they need.
pub fn scored(reply: Reply) -> Reply {
    let number = |text: &[u8]| -> Option<f64> { std::str::from_utf8(text).ok()?.parse().ok() };
    match reply {
        Reply::Bulk(text) => match number(&text) {
            Some(number) => Reply::Bulk(scored_text(number).into_bytes()),
            None => Reply::Bulk(text),
        },
        Reply::Double(text) => match number(text.as_bytes()) {
            Some(number) => Reply::Double(scored_text(number)),
            None => Reply::Double(text),
        },
        Reply::Array(elements) => Reply::Array(elements.into_iter().map(scored).collect()),
        other => other,
    }
}

/// Distances come from trigonometry, whose last digits depend on the library; and Redis forgets the
/// sign of a zero in a listpack.
fn scored_text(number: f64) -> String {
    format!("{:.12e}", number + 0.0)
}

/// The pairs of a reply in ascending order, whether or not it is a map.
pub fn paired(reply: Reply) -> Reply {
    match reply {
        Reply::Array(elements) if elements.len().is_multiple_of(2) => {
            let (pairs, _) = elements.as_chunks::<2>();
            Reply::Map(pairs.iter().map(|[name, value]| (name.clone(), value.clone())).collect())
                .sorted()
        }
        other => other.sorted(),
    }
}

fn counted(reply: &Reply) -> Reply {
    match reply {
        Reply::Array(elements) => Reply::Integer(elements.len() as i64),
        other => other.clone(),
    }
}

/// Equal if they differ by less than a minute and both are times.
fn near(ours: Reply, theirs: Reply) -> (Reply, Reply) {
    match (&ours, &theirs) {
        (Reply::Integer(our), Reply::Integer(their))
            if *our > 0 && *their > 0 && our.abs_diff(*their) < 60_000 =>
        {
            (theirs.clone(), theirs)
        }
        _ => (ours, theirs),
    }
}

/// Redis 7.0 has no listpacks of lists and sets.
pub fn encodings(ours: Reply, theirs: Reply) -> (Reply, Reply) {
    let is = |reply: &Reply, name: &str| *reply == Reply::Bulk(name.into());
    let later = is(&ours, "listpack") && (is(&theirs, "quicklist") || is(&theirs, "hashtable"));
    if later { (theirs.clone(), theirs) } else { (ours, theirs) }
}

/// What a random choice promises: how many, and with a positive count no repetition.
fn drawn(reply: &Reply, request: &Request) -> Reply {
    match reply {
        Reply::Bulk(_) => Reply::Simple("one".into()),
        Reply::Array(elements) => {
            let repeats = request.get(2).is_some_and(|count| count.starts_with(b"-"));
            let elements = elements.clone();
            let distinct: BTreeSet<_> = elements.iter().collect();
            if !repeats && request.len() == 3 && distinct.len() != elements.len() {
                return Reply::Error("repetitions".into());
            }
            Reply::Integer(elements.len() as i64)
        }
        other => other.clone(),
    }
}

/// Our random choice, which must be of what is there.
fn checked(pair: &mut Pair, request: &Request, reply: &Reply) -> Reply {
    let key = request.get(1).cloned().unwrap_or_default();
    let all: Request = match String::from_utf8_lossy(&request[0]).to_ascii_lowercase().as_str() {
        "srandmember" => vec![b"SMEMBERS".to_vec(), key],
        "hrandfield" => vec![b"HGETALL".to_vec(), key],
        "zrandmember" => {
            vec![b"ZRANGE".to_vec(), key, b"0".to_vec(), b"-1".to_vec(), b"WITHSCORES".to_vec()]
        }
        _ => vec![b"KEYS".to_vec(), b"*".to_vec()],
    };
    let known = leaves(&pair.ours(&all));
    let known = if is(&request[0], "zrandmember") {
        known.into_iter().map(scored).collect()
    } else {
        known
    };
    match leaves(reply).difference(&known).next() {
        Some(stranger) => stranger.clone(),
        None => drawn(reply, request),
    }
}

/// All replies inside a reply that have no others inside.
fn leaves(reply: &Reply) -> BTreeSet<Reply> {
    match reply {
        Reply::Array(elements) | Reply::Set(elements) | Reply::Push(elements) => {
            elements.iter().flat_map(leaves).collect()
        }
        Reply::Map(pairs) => {
            pairs.iter().flat_map(|(name, value)| [name, value]).flat_map(leaves).collect()
        }
        Reply::Null => BTreeSet::new(),
        other => BTreeSet::from([other.clone()]),
    }
}

/// Follows a scan that begins with `first` to its end.
fn walked(request: &Request, first: Reply, mut call: impl FnMut(&Request) -> Reply) -> Reply {
    let cursor_at = if is(&request[0], "scan") { 1 } else { 2 };
    if request[cursor_at] != b"0" {
        // A cursor of one server means nothing to the other.
        return Reply::Simple("something".into());
    }
    let width = if is(&request[0], "hscan") || is(&request[0], "zscan") { 2 } else { 1 };
    let mut request = request.clone();
    let (mut found, mut reply) = (BTreeSet::new(), first);
    loop {
        let Reply::Array(parts) = &reply else { return reply };
        let [Reply::Bulk(next), Reply::Array(elements)] = &parts[..] else { return reply };
        let elements = Reply::Array(elements.clone());
        let elements = if is(&request[0], "zscan") { scored(elements) } else { elements };
        let Reply::Array(elements) = elements else { unreachable!("it was made as one") };
        found.extend(elements.chunks(width).map(|chunk| Reply::Array(chunk.to_vec())));
        if next == b"0" {
            return Reply::Array(found.into_iter().collect());
        }
        request[cursor_at].clone_from(next);
        reply = call(&request);
    }
}

/// Lets the real server choose, and removes the same here; a choice of our own is made from a copy.
fn pop(pair: &mut Pair, request: &Request) -> (Reply, Reply) {
    let theirs = pair.theirs(request);
    let gone = leaves(&theirs);
    let taken = gone.iter().filter_map(|leaf| match leaf {
        Reply::Bulk(member) => Some(member.clone()),
        _ => None,
    });
    let taken: Vec<Vec<u8>> = taken.collect();
    if taken.is_empty() {
        return (pair.ours(request), theirs);
    }
    let (key, copy) = (request[1].clone(), b"a copy to pop from".to_vec());
    pair.ours(&vec![b"COPY".to_vec(), key.clone(), copy.clone()]);
    let mut ask = request.clone();
    ask[1].clone_from(&copy);
    let popped = pair.ours(&ask);
    let left = leaves(&pair.ours(&vec![b"SMEMBERS".to_vec(), copy.clone()]));
    pair.ours(&vec![b"DEL".to_vec(), copy]);
    let before = leaves(&pair.ours(&vec![b"SMEMBERS".to_vec(), key.clone()]));
    let removed: BTreeSet<Reply> = before.difference(&left).cloned().collect();
    pair.ours(&[vec![b"SREM".to_vec(), key], taken].concat());
    if leaves(&popped) != removed || removed.len() != gone.len() {
        return (popped, theirs);
    }
    let kind = |reply: &Reply| Reply::Simple(reply.render().chars().take(1).collect());
    let nested = |reply: &Reply| matches!(reply, Reply::Array(_) | Reply::Set(_));
    if nested(&popped) == nested(&theirs) {
        (kind(&theirs), kind(&theirs))
    } else {
        (popped, theirs)
    }
}
