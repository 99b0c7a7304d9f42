//! `ZRANGE` and the older commands that it took the place of.

use quoris_resp::Writer;

use super::range::{By, Grammar, Range};
use crate::command::{Args, Command, Run};
use crate::context::ReadCx;
use crate::error::Result;
use crate::spec::{Arg, Group, Spec, block, double, integer, key, one_of, string, token};
use crate::types::SortedSet;

const LIMIT: Arg = block("limit", &[integer("offset"), integer("count")]).after("LIMIT").optional();
const WITH_SCORES: Arg = token("withscores", "WITHSCORES").optional();
const COST: &str = "O(log N + M) where M is the number of members returned";

/// ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]
pub(super) const ZRANGE: Command = Command {
    spec: Spec::new(
        "zrange",
        Group::SortedSet,
        "1.2.0",
        "Returns the members in a range of ranks, scores or members.",
    )
    .args(&[
        key("key"),
        string("start"),
        string("stop"),
        one_of("sortby", &[token("byscore", "BYSCORE"), token("bylex", "BYLEX")]).optional(),
        token("rev", "REV").optional(),
        LIMIT,
        WITH_SCORES,
    ])
    .complexity(COST),
    run: Run::Read(zrange),
};

/// ZREVRANGE key start stop [WITHSCORES]
pub(super) const ZREVRANGE: Command = Command {
    spec: Spec::new(
        "zrevrange",
        Group::SortedSet,
        "1.2.0",
        "Returns the members in a range of ranks, counted from the greatest score.",
    )
    .args(&[key("key"), integer("start"), integer("stop"), WITH_SCORES])
    .complexity(COST),
    run: Run::Read(zrevrange),
};

/// ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]
pub(super) const ZRANGEBYSCORE: Command = Command {
    spec: Spec::new(
        "zrangebyscore",
        Group::SortedSet,
        "1.0.5",
        "Returns the members in a range of scores, ascending.",
    )
    .args(&[key("key"), double("min"), double("max"), WITH_SCORES, LIMIT])
    .complexity(COST),
    run: Run::Read(zrangebyscore),
};

/// ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]
pub(super) const ZREVRANGEBYSCORE: Command = Command {
    spec: Spec::new(
        "zrevrangebyscore",
        Group::SortedSet,
        "2.2.0",
        "Returns the members in a range of scores, descending.",
    )
    .args(&[key("key"), double("max"), double("min"), WITH_SCORES, LIMIT])
    .complexity(COST),
    run: Run::Read(zrevrangebyscore),
};

/// ZRANGEBYLEX key min max [LIMIT offset count]
pub(super) const ZRANGEBYLEX: Command = Command {
    spec: Spec::new(
        "zrangebylex",
        Group::SortedSet,
        "2.8.9",
        "Returns the members in a range of members, ascending.",
    )
    .args(&[key("key"), string("min"), string("max"), LIMIT])
    .complexity(COST),
    run: Run::Read(zrangebylex),
};

/// ZREVRANGEBYLEX key max min [LIMIT offset count]
pub(super) const ZREVRANGEBYLEX: Command = Command {
    spec: Spec::new(
        "zrevrangebylex",
        Group::SortedSet,
        "2.8.9",
        "Returns the members in a range of members, descending.",
    )
    .args(&[key("key"), string("max"), string("min"), LIMIT])
    .complexity(COST),
    run: Run::Read(zrevrangebylex),
};

fn answer(
    cx: &ReadCx<'_>,
    args: Args<'_>,
    reply: &mut Writer<'_>,
    by: Option<By>,
    reversed: Option<bool>,
) -> Result {
    let range = Range::parse(&args, 2, Grammar { by, reversed, scores: true })?;
    range.write(cx.get::<SortedSet>(&cx.key(&args, 1))?, reply);
    Ok(())
}

fn zrange(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    answer(cx, args, reply, None, None)
}

fn zrevrange(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    answer(cx, args, reply, Some(By::Rank), Some(true))
}

fn zrangebyscore(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    answer(cx, args, reply, Some(By::Score), Some(false))
}

fn zrevrangebyscore(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    answer(cx, args, reply, Some(By::Score), Some(true))
}

fn zrangebylex(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    answer(cx, args, reply, Some(By::Member), Some(false))
}

fn zrevrangebylex(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    answer(cx, args, reply, Some(By::Member), Some(true))
}
