//! The commands that combine sorted sets.

use alloc::vec::Vec;
use core::cmp::Ordering;

use quoris_resp::Writer;

use super::combine::{Grammar, Operation, Request};
use super::range_store::store;
use super::{write_header, write_pair};
use crate::command::{Args, Command, Run};
use crate::context::{ReadCx, WriteCx};
use crate::error::Result;
use crate::spec::{Arg, Flags, Group, KeyAccess, Spec, double, integer, key, one_of, token};
use crate::types::{SortedSet, SortedSetTuning};

const NUMKEYS: Arg = integer("numkeys");
const KEYS: Arg = key("key").multiple().access(KeyAccess::READ);
const DESTINATION: Arg = key("destination").access(KeyAccess::OVERWRITE);
const WEIGHTS: Arg = double("weight").after("WEIGHTS").multiple().optional();
const AGGREGATE: Arg =
    one_of("aggregate", &[token("sum", "SUM"), token("min", "MIN"), token("max", "MAX")])
        .after("AGGREGATE")
        .optional();
const WITH_SCORES: Arg = token("withscores", "WITHSCORES").optional();
const UNION_COST: &str = "O(N log N) where N is the number of members of all sources";
const INTER_COST: &str = "O(N K + M log M) for K sources, the smallest of N, and M results";
const DIFF_COST: &str = "O(N K + M log M) for K sources, the first of N, and M results";

const READ: Grammar = Grammar { weights: true, with_scores: true, limit: false };
const READ_DIFF: Grammar = Grammar { weights: false, with_scores: true, limit: false };
const STORE: Grammar = Grammar { weights: true, with_scores: false, limit: false };
const STORE_DIFF: Grammar = Grammar { weights: false, with_scores: false, limit: false };
const CARD: Grammar = Grammar { weights: false, with_scores: false, limit: true };

/// ZUNION numkeys key [key …] [WEIGHTS weight …] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]
pub(super) const ZUNION: Command = Command {
    spec: Spec::new("zunion", Group::SortedSet, "6.2.0", "Returns the union of sorted sets.")
        .args(&[NUMKEYS, KEYS, WEIGHTS, AGGREGATE, WITH_SCORES])
        .complexity(UNION_COST)
        .flags(Flags::MOVABLE_KEYS),
    run: Run::Read(zunion),
};

/// ZINTER numkeys key [key …] [WEIGHTS weight …] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]
pub(super) const ZINTER: Command = Command {
    spec: Spec::new(
        "zinter",
        Group::SortedSet,
        "6.2.0",
        "Returns the intersection of sorted sets.",
    )
    .args(&[NUMKEYS, KEYS, WEIGHTS, AGGREGATE, WITH_SCORES])
    .complexity(INTER_COST)
    .flags(Flags::MOVABLE_KEYS),
    run: Run::Read(zinter),
};

/// ZDIFF numkeys key [key …] [WITHSCORES]
pub(super) const ZDIFF: Command = Command {
    spec: Spec::new(
        "zdiff",
        Group::SortedSet,
        "6.2.0",
        "Returns the members of the first sorted set that are in none of the others.",
    )
    .args(&[NUMKEYS, KEYS, WITH_SCORES])
    .complexity(DIFF_COST)
    .flags(Flags::MOVABLE_KEYS),
    run: Run::Read(zdiff),
};

/// ZINTERCARD numkeys key [key …] [LIMIT limit]
pub(super) const ZINTERCARD: Command = Command {
    spec: Spec::new(
        "zintercard",
        Group::SortedSet,
        "7.0.0",
        "Counts the members that several sorted sets have in common.",
    )
    .args(&[NUMKEYS, KEYS, integer("limit").after("LIMIT").optional()])
    .complexity("O(N K) for K sources, the smallest of N")
    .flags(Flags::MOVABLE_KEYS),
    run: Run::Read(zintercard),
};

/// ZUNIONSTORE destination numkeys key [key …] [WEIGHTS weight …] [AGGREGATE SUM | MIN | MAX]
pub(super) const ZUNIONSTORE: Command = Command {
    spec: Spec::new("zunionstore", Group::SortedSet, "2.0.0", "Stores the union of sorted sets.")
        .args(&[DESTINATION, NUMKEYS, KEYS, WEIGHTS, AGGREGATE])
        .complexity(UNION_COST)
        .flags(Flags::DENYOOM.or(Flags::MOVABLE_KEYS)),
    run: Run::Write(zunionstore),
};

/// ZINTERSTORE destination numkeys key [key …] [WEIGHTS weight …] [AGGREGATE SUM | MIN | MAX]
pub(super) const ZINTERSTORE: Command = Command {
    spec: Spec::new(
        "zinterstore",
        Group::SortedSet,
        "2.0.0",
        "Stores the intersection of sorted sets.",
    )
    .args(&[DESTINATION, NUMKEYS, KEYS, WEIGHTS, AGGREGATE])
    .complexity(INTER_COST)
    .flags(Flags::DENYOOM.or(Flags::MOVABLE_KEYS)),
    run: Run::Write(zinterstore),
};

/// ZDIFFSTORE destination numkeys key [key …]
pub(super) const ZDIFFSTORE: Command = Command {
    spec: Spec::new(
        "zdiffstore",
        Group::SortedSet,
        "6.2.0",
        "Stores the members of the first sorted set that are in none of the others.",
    )
    .args(&[DESTINATION, NUMKEYS, KEYS])
    .complexity(DIFF_COST)
    .flags(Flags::DENYOOM.or(Flags::MOVABLE_KEYS)),
    run: Run::Write(zdiffstore),
};

fn zunion(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    answer(cx, args, reply, Operation::Union, READ)
}

fn zinter(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    answer(cx, args, reply, Operation::Intersection, READ)
}

fn zdiff(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    answer(cx, args, reply, Operation::Difference, READ_DIFF)
}

fn answer(
    cx: &ReadCx<'_>,
    args: Args<'_>,
    reply: &mut Writer<'_>,
    operation: Operation,
    grammar: Grammar,
) -> Result {
    let request = Request::parse(cx, &args, 1, operation, grammar)?;
    let mut found = request.evaluate(cx, &args)?;
    found.sort_by(by_score);
    write_header(reply, found.len(), request.with_scores);
    for (member, score) in &found {
        if request.with_scores { write_pair(reply, member, *score) } else { reply.bulk(member) }
    }
    Ok(())
}

fn by_score(one: &(Vec<u8>, f64), other: &(Vec<u8>, f64)) -> Ordering {
    let scores = one.1.partial_cmp(&other.1).expect("a score is never NaN");
    scores.then_with(|| one.0.cmp(&other.0))
}

fn zintercard(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let request = Request::parse(cx, &args, 1, Operation::Intersection, CARD)?;
    reply.count(request.evaluate(cx, &args)?.len());
    Ok(())
}

fn zunionstore(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    keep(cx, args, reply, Operation::Union, STORE, "zunionstore")
}

fn zinterstore(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    keep(cx, args, reply, Operation::Intersection, STORE, "zinterstore")
}

fn zdiffstore(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    keep(cx, args, reply, Operation::Difference, STORE_DIFF, "zdiffstore")
}

fn keep(
    cx: &mut WriteCx<'_>,
    args: Args<'_>,
    reply: &mut Writer<'_>,
    operation: Operation,
    grammar: Grammar,
    event: &'static str,
) -> Result {
    let request = Request::parse(cx, &args, 2, operation, grammar)?;
    let tuning = SortedSetTuning::new(cx.settings(), cx.hasher());
    let mut result = SortedSet::default();
    for (member, score) in request.evaluate(cx, &args)? {
        result.insert(&member, score, &tuning);
    }
    reply.count(result.len());
    store(cx, &cx.key(&args, 1), result, event);
    Ok(())
}
