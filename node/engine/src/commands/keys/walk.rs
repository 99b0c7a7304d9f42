//! Walking the keyspace.

use core::ops::ControlFlow;

use alloc::vec::Vec;

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::options::{cursor, integer as parse_integer, is};
use crate::context::ReadCx;
use crate::error::{Result, SYNTAX};
use crate::glob::{self, Case};
use crate::keyspace::Entry;
use crate::slot::Slot;
use crate::spec::{Categories, Flags, Group, Spec, integer, pattern, string};

/// KEYS pattern
pub(super) const KEYS: Command = Command {
    spec: Spec::new("keys", Group::Generic, "1.0.0", "Lists all keys that match a pattern.")
        .tips(&["request_policy:all_shards", "nondeterministic_output_order"])
        .args(&[pattern("pattern")])
        .categories(Categories::DANGEROUS)
        .complexity("O(N) with N being the number of keys in the database."),
    run: Run::Read(keys),
};

/// SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]
pub(super) const SCAN: Command = Command {
    spec: Spec::new("scan", Group::Generic, "2.8.0", "Lists keys in steps.")
        .tips(&["nondeterministic_output", "request_policy:special"])
        .args(&[
            integer("cursor"),
            pattern("pattern").after("MATCH").optional(),
            integer("count").after("COUNT").optional(),
            string("type").after("TYPE").optional(),
        ])
        .complexity("O(1) for every call. O(N) for a complete iteration."),
    run: Run::Read(scan),
};

/// RANDOMKEY
pub(super) const RANDOMKEY: Command = Command {
    spec: Spec::new("randomkey", Group::Generic, "1.0.0", "Returns some key.")
        .tips(&["request_policy:all_shards", "nondeterministic_output"]),
    run: Run::Read(randomkey),
};

/// DBSIZE
pub(super) const DBSIZE: Command = Command {
    spec: Spec::new("dbsize", Group::Server, "1.0.0", "Counts the keys of the database.")
        .tips(&["request_policy:all_shards", "response_policy:agg_sum"])
        .flags(Flags::FAST)
        .categories(Categories::KEYSPACE),
    run: Run::Read(dbsize),
};

/// How often RANDOMKEY draws before it looks for any key that has not expired.
const DRAWS: usize = 100;

/// A pattern with a fixed `{tag}` before its first wildcard can only match keys of one slot.
fn slot_of_pattern(pattern: &[u8]) -> Option<Slot> {
    let special = |byte: &u8| matches!(byte, b'*' | b'?' | b'[' | b'\\');
    let open = pattern.iter().position(|&byte| byte == b'{')?;
    let len = pattern[open + 1..].iter().position(|&byte| byte == b'}')?;
    let fixed = &pattern[..open + len + 2];
    (len > 0 && !fixed.iter().any(special)).then(|| Slot::of_key(fixed))
}

fn keys(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let pattern = args.get(1);
    let (begun, mut len) = (reply.open(), 0);
    let mut each = |entry: &Entry| {
        if (pattern == b"*" || glob::matches(pattern, entry.key(), Case::Sensitive))
            && cx.is_live(entry)
        {
            reply.bulk(entry.key());
            len += 1;
        }
        ControlFlow::Continue(())
    };
    let hasher = cx.keyspace().hasher();
    let _ = match slot_of_pattern(pattern) {
        Some(slot) => cx.database().walk_slot(slot, hasher, &mut each),
        None => cx.database().walk(hasher, &mut each),
    };
    reply.close_array(begun, len);
    Ok(())
}

/// Which keys a scan shows, and how many it looks at.
struct Filter<'a> {
    pattern: Option<&'a [u8]>,
    kind: Option<&'a [u8]>,
    count: usize,
}

impl<'a> Filter<'a> {
    fn parse(args: &Args<'a>) -> Result<Filter<'a>> {
        let mut filter = Filter { pattern: None, kind: None, count: 10 };
        for at in (2..args.len()).step_by(2) {
            let (word, value) = (args.get(at), args.try_get(at + 1).ok_or(SYNTAX)?);
            if is(word, "count") {
                let count = usize::try_from(parse_integer(value)?).ok();
                filter.count = count.filter(|&count| count > 0).ok_or(SYNTAX)?;
            } else if is(word, "match") {
                filter.pattern = Some(value).filter(|pattern| *pattern != b"*");
            } else if is(word, "type") {
                filter.kind = Some(value);
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(filter)
    }

    fn shows(&self, entry: &Entry) -> bool {
        let kind = || entry.value().kind().name();
        self.pattern.is_none_or(|wanted| glob::matches(wanted, entry.key(), Case::Sensitive))
            && self.kind.is_none_or(|wanted| is(wanted, kind()))
    }
}

fn scan(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let from = cursor(args.get(1))?;
    let filter = Filter::parse(&args)?;
    let mut found = Vec::new();
    let next = cx.database().scan(from, filter.count, cx.keyspace().hasher(), &mut |entry| {
        if filter.shows(entry) && cx.is_live(entry) {
            found.push(entry.key());
        }
    });
    reply.array(2);
    reply.bulk(itoa::Buffer::new().format(next).as_bytes());
    reply.array(found.len());
    found.iter().for_each(|key| reply.bulk(key));
    Ok(())
}

fn randomkey(cx: &ReadCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result {
    match random_entry(cx) {
        Some(entry) => reply.bulk(entry.key()),
        None => reply.null(),
    }
    Ok(())
}

/// A key that has expired is still counted: after many unlucky draws, the first one that has not.
fn random_entry<'e>(cx: &ReadCx<'e>) -> Option<&'e Entry> {
    let (database, hasher) = (cx.database(), cx.keyspace().hasher());
    if database.is_empty() {
        return None;
    }
    for _ in 0..DRAWS {
        let entry = database.nth(cx.random_below(database.len()), hasher)?;
        if cx.is_live(entry) {
            return Some(entry);
        }
    }
    let mut found = None;
    let _ = database.walk(hasher, &mut |entry| {
        if cx.is_live(entry) {
            found = Some(entry);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    found
}

fn dbsize(cx: &ReadCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result {
    reply.count(cx.database().len());
    Ok(())
}
