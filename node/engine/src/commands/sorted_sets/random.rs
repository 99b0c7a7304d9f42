//! Random members, and walking through all of them.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use quoris_resp::{Writer, format_double};

use super::{write_header, write_pair};
use crate::command::{Args, Command, Run};
use crate::commands::{options, scanning};
use crate::context::ReadCx;
use crate::error::{OUT_OF_RANGE, Result, SYNTAX};
use crate::spec::{Group, Spec, block, integer, key, token};
use crate::types::{Element, SortedSet};

/// ZRANDMEMBER key [count [WITHSCORES]]
pub(super) const ZRANDMEMBER: Command = Command {
    spec: Spec::new("zrandmember", Group::SortedSet, "6.2.0", "Returns random members.")
        .tips(&["nondeterministic_output"])
        .args(&[
            key("key"),
            block("options", &[integer("count"), token("withscores", "WITHSCORES").optional()])
                .optional(),
        ])
        .differs("A negative count is refused if the reply would exceed what the longest string may hold.")
        .complexity("O(M log N) where M is the number of members returned"),
    run: Run::Read(zrandmember),
};

/// ZSCAN key cursor [MATCH pattern] [COUNT count]
pub(super) const ZSCAN: Command = Command {
    spec: scanning::spec(
        "zscan",
        Group::SortedSet,
        "Walks through members and scores, a few at each call.",
    )
    .args(&[scanning::KEY, scanning::CURSOR, scanning::MATCH, scanning::COUNT]),
    run: Run::Read(zscan),
};

fn zrandmember(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let Some(count) = args.try_get(2) else {
        match cx.get::<SortedSet>(&cx.key(&args, 1))? {
            Some(set) => reply.bulk(member_at(set, cx.random_below(set.len())).0),
            None => reply.null(),
        }
        return Ok(());
    };
    let count = options::sample_range(count)?;
    let with_scores = match args.len() {
        3 => false,
        4 if options::is(&args[3], "withscores") => true,
        _ => return Err(SYNTAX),
    };
    if with_scores && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(OUT_OF_RANGE);
    }
    let Some(set) = cx.get::<SortedSet>(&cx.key(&args, 1))? else {
        reply.array(0);
        return Ok(());
    };
    let write = |reply: &mut Writer<'_>, member: &[u8], score: f64| {
        if with_scores { write_pair(reply, member, score) } else { reply.bulk(member) }
    };
    if count < 0 {
        let count = options::sample_count(count)?;
        write_header(reply, count, with_scores);
        for _ in 0..count {
            let (member, score) = member_at(set, cx.random_below(set.len()));
            write(reply, member, score);
        }
        return Ok(());
    }
    let ranks = distinct_ranks(cx, (count as usize).min(set.len()), set.len());
    write_header(reply, ranks.len(), with_scores);
    for rank in ranks {
        let (member, score) = member_at(set, rank);
        write(reply, member, score);
    }
    Ok(())
}

fn member_at(set: &SortedSet, rank: usize) -> (&[u8], f64) {
    set.select(rank).expect("the rank was drawn below the length")
}

/// `count` different ranks below `len`, each choice equally likely.
///
/// Source: Bentley and Floyd, "A sample of brilliance", CACM 30(9), 1987.
fn distinct_ranks(cx: &ReadCx<'_>, count: usize, len: usize) -> BTreeSet<usize> {
    let mut chosen = BTreeSet::new();
    for upper in len - count..len {
        let drawn = cx.random_below(upper + 1);
        if !chosen.insert(drawn) {
            chosen.insert(upper);
        }
    }
    chosen
}

fn zscan(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let cursor = options::cursor(&args[2])?;
    let Some(set) = cx.get::<SortedSet>(&cx.key(&args, 1))? else {
        scanning::write_nothing(reply);
        return Ok(());
    };
    let scan = options::Scan::parse(&args, 3)?;
    let mut found = Vec::new();
    let next = set.walk(cursor, scan.count, cx.keyspace().hasher(), |member, score| {
        if scan.matches(member) {
            found.push((member.to_vec(), format_double(score)));
        }
    });
    let found = found
        .iter()
        .map(|(member, score)| (Element::Bytes(member), Some(Element::Bytes(score.as_bytes()))));
    scanning::write(reply, next, found);
    Ok(())
}
