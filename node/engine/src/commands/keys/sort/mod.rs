//! `SORT`: the elements of a list, set or sorted set in order, by their own value or by that of
//! keys whose names derive from them.
//!
//! The rules are Redis 7.2's, with one exception: a sorted set keeps its encoding, where Redis turns
//! it into a skip list for good. In a cluster of several shards the derived keys have to be in the
//! slot of the sorted one, as in Redis 7.4 and Valkey 8; [`check_slots`] is where routing asks.

mod number;
mod order;
mod pattern;
mod query;

use alloc::boxed::Box;

use quoris_resp::Writer;

use self::order::{Elements, arrange};
use self::pattern::{Keys, Pattern};
use self::query::Query;
use crate::command::{Args, Command, Run};
use crate::commands::elements;
use crate::context::{Expiry, ReadCx, WriteCx};
use crate::effects::EventClass;
use crate::error::{CommandError, OUT_OF_RANGE, Result};
use crate::keyspace::Value;
use crate::slot::Slot;
use crate::spec::{
    Arg, Begin, Categories, Flags, Group, KeyAccess, KeySpec, OptionWords, Spec, block, integer,
    key, one_of, pattern as pattern_arg, token,
};
use crate::types::{End, List, ListLimits};

/// SORT key [BY pattern] [LIMIT offset count] [GET pattern …] [ASC | DESC] [ALPHA]
/// [STORE destination]
pub(super) const SORT: Command = Command {
    spec: Spec::new(
        "sort",
        Group::Generic,
        "1.0.0",
        "Returns or stores the elements of a list, set or sorted set in order.",
    )
    .args(&[
        key("key").access(KeyAccess::READ),
        BY,
        LIMIT,
        GET,
        ORDER,
        ALPHA,
        key("destination").after("STORE").optional(),
    ])
    .keys([Some(SORTED), Some(DERIVED), Some(STORED)])
    .arity(-2)
    .complexity(COMPLEXITY)
    .categories(CATEGORIES)
    .flags(Flags::DENYOOM.or(Flags::MOVABLE_KEYS)),
    run: Run::Write(sort),
};

/// `SORT_RO` key [BY pattern] [LIMIT offset count] [GET pattern …] [ASC | DESC] [ALPHA]
pub(super) const SORT_RO: Command = Command {
    spec: Spec::new(
        "sort_ro",
        Group::Generic,
        "7.0.0",
        "Returns the elements of a list, set or sorted set in order.",
    )
    .args(&[key("key").access(KeyAccess::READ), BY, LIMIT, GET, ORDER, ALPHA])
    .keys([Some(SORTED), Some(DERIVED), None])
    .arity(-2)
    .complexity(COMPLEXITY)
    .categories(CATEGORIES)
    .flags(Flags::MOVABLE_KEYS),
    run: Run::Read(sort_ro),
};

const BY: Arg = pattern_arg("by-pattern").after("BY").optional();
const LIMIT: Arg = block("limit", &[integer("offset"), integer("count")]).after("LIMIT").optional();
const GET: Arg = pattern_arg("get-pattern").after("GET").optional().multiple();
const ORDER: Arg = one_of("order", &[token("asc", "ASC"), token("desc", "DESC")]).optional();
const ALPHA: Arg = token("sorting", "ALPHA").optional();

const COMPLEXITY: &str = "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of returned elements. When the elements are not sorted, complexity is O(N).";
const CATEGORIES: Categories =
    Categories::SET.or(Categories::SORTED_SET).or(Categories::LIST).or(Categories::DANGEROUS);

const SORTED: KeySpec = KeySpec::single(1).access(KeyAccess::READ);
/// What `BY` and `GET` look at: the names derive from the elements.
const DERIVED: KeySpec = KeySpec::unknown().access(KeyAccess::READ);
const STORED: KeySpec = KeySpec {
    begin: Begin::Option(OptionWords {
        word: "STORE",
        from: 2,
        others: &[("LIMIT", 2), ("GET", 1), ("BY", 1)],
    }),
    ..KeySpec::single(0).access(KeyAccess::OVERWRITE)
};

const BY_ELSEWHERE: CommandError = CommandError::fixed(
    "ERR BY option of SORT denied in cluster mode when keys formed by the pattern may be in \
     different slots.",
);
const GET_ELSEWHERE: CommandError = CommandError::fixed(
    "ERR GET option of SORT denied in cluster mode when keys formed by the pattern may be in \
     different slots.",
);

/// Refuses patterns that could reach beyond the slot of the sorted key, for clusters of more than
/// one shard. Any other command passes.
///
/// # Errors
/// That `BY` or `GET` is denied. A request that the command itself would refuse passes.
pub fn check_slots(command: &Command, args: &Args<'_>) -> Result {
    if !matches!(command.spec.name, "sort" | "sort_ro") {
        return Ok(());
    }
    let Ok(query) = Query::parse(args, true) else { return Ok(()) };
    let slot = Slot::of_key(args.get(1));
    let stays = |pattern: &[u8]| Pattern::slot_of(pattern) == Some(slot);
    if query.by.is_some_and(|by| by.contains(&b'*') && !stays(by)) {
        return Err(BY_ELSEWHERE);
    }
    if query.gets.iter().any(|get| *get != b"#" && !stays(get)) {
        return Err(GET_ELSEWHERE);
    }
    Ok(())
}

fn sort_ro(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let query = Query::parse(&args, false)?;
    let value = |name: &[u8]| cx.value(&cx.keyspace.key(name));
    let keys = Keys { value: &value, now_ms: cx.now_ms() };
    let found = arrange(cx.value(&cx.key(&args, 1)), &query, &keys)?;
    answer(&found, &query, &keys, elements::repeated_bytes_max(cx.settings()), reply)
}

fn sort(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let query = Query::parse(&args, true)?;
    let value = |name: &[u8]| cx.value(&cx.keyspace.key(name));
    let keys = Keys { value: &value, now_ms: cx.now_ms() };
    let found = arrange(cx.value(&cx.key(&args, 1)), &query, &keys)?;
    let most = elements::repeated_bytes_max(cx.settings());
    let Some(destination) = query.store else {
        return answer(&found, &query, &keys, most, reply);
    };
    let list = listed(&found, &query, &keys, ListLimits::new(cx.settings()), most)?;
    let (destination, len) = (cx.keyspace.key(destination), list.len());
    if len > 0 {
        cx.put(&destination, Value::List(Box::new(list)), Expiry::Clear);
        cx.changed(&destination, EventClass::List, "sortstore");
    } else if cx.remove(&destination) {
        cx.changed(&destination, EventClass::Generic, "del");
    }
    reply.count(len);
    Ok(())
}

/// Answers the elements, or for each of them what `GET` asks for. The same value may come up for
/// every element, so a reply of more than `most` bytes is refused.
fn answer(
    found: &Elements,
    query: &Query<'_>,
    keys: &Keys<'_>,
    most: usize,
    reply: &mut Writer<'_>,
) -> Result {
    if query.gets.is_empty() {
        reply.array(found.len());
        found.iter().for_each(|element| reply.bulk(element));
        return Ok(());
    }
    let start = reply.mark();
    let patterns = query.patterns();
    reply.array(found.len() * patterns.len());
    for element in found.iter() {
        for pattern in &patterns {
            pattern.with(keys, element, |value| match value {
                Some(value) => reply.bulk(value),
                None => reply.null(),
            });
            if reply.mark() - start > most {
                return Err(OUT_OF_RANGE);
            }
        }
    }
    Ok(())
}

/// The same as a list; what is missing becomes an empty element.
fn listed(
    found: &Elements,
    query: &Query<'_>,
    keys: &Keys<'_>,
    limits: ListLimits,
    most: usize,
) -> Result<List> {
    let (mut list, mut bytes) = (List::default(), 0);
    let mut push = |text: &[u8]| {
        bytes += text.len();
        list.expect(core::iter::once(text), limits);
        list.push(End::Back, text);
        if bytes > most { Err(OUT_OF_RANGE) } else { Ok(()) }
    };
    let patterns = query.patterns();
    for element in found.iter() {
        if patterns.is_empty() {
            push(element)?;
        }
        for pattern in &patterns {
            pattern.with(keys, element, |value| push(value.unwrap_or_default()))?;
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stay_in_the_slot_of_the_key() {
        for (line, expected) in [
            ("SORT {a}l", Ok(())),
            ("SORT {a}l BY nosort GET #", Ok(())),
            ("SORT {a}l BY {a}w_* GET {a}v_*->f", Ok(())),
            ("SORT {a}l BY w_*", Err(BY_ELSEWHERE)),
            ("SORT_RO {a}l BY {b}w_*", Err(BY_ELSEWHERE)),
            ("SORT {a}l GET {a}x_* GET *", Err(GET_ELSEWHERE)),
            ("SORT {a}l BY", Ok(())),
            ("LPUSH {a}l BY w_*", Ok(())),
        ] {
            let (mut spans, mut words) = (alloc::vec::Vec::new(), alloc::vec::Vec::new());
            quoris_resp::split_words(line.as_bytes(), &mut spans, &mut words).expect("no quotes");
            let args = Args::new(&words, &spans);
            let mut command = SORT;
            if args.get(0) != b"SORT" {
                command.spec.name = if line.starts_with('S') { "sort_ro" } else { "lpush" };
            }
            assert_eq!(check_slots(&command, &args), expected, "{line}");
        }
    }

    #[test]
    fn the_destination_is_found_wherever_it_stands() {
        for (line, expected) in [
            ("SORT l STORE d", &[1, 3][..]),
            ("SORT l BY STORE store d GET store", &[1, 5]),
            ("SORT l STORE x STORE y", &[1, 5]),
            ("SORT l LIMIT STORE 1", &[1]),
            ("SORT l STORE", &[1]),
        ] {
            let words: alloc::vec::Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
            let mut found = alloc::vec::Vec::new();
            for spec in SORT.spec.key_specs.iter().flatten() {
                spec.find_in(words.len(), |at| words[at], &mut found).expect("no counts");
            }
            assert_eq!(found, expected, "{line}");
        }
    }
}
