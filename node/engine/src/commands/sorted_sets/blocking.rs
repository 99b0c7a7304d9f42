//! The forms of popping whose clients wait where there is nothing.

use quoris_resp::Writer;

use super::pop::{End, parse_end, pop_first, take};
use crate::command::{Args, Command, Run};
use crate::commands::popping::{self, Wanted};
use crate::context::WriteCx;
use crate::error::Result;
use crate::spec::{Flags, Group, KeyAccess, Spec, double, integer, key, one_of, token};

const WAITS: Flags = Flags::NOSCRIPT.or(Flags::BLOCKING).or(Flags::FAST);

/// BZPOPMIN key [key …] timeout
pub(super) const BZPOPMIN: Command = Command {
    spec: Spec::new(
        "bzpopmin",
        Group::SortedSet,
        "5.0.0",
        "Takes the member with the least score, or waits for one.",
    )
    .args(&[key("key").multiple().access(KeyAccess::TAKE), double("timeout")])
    .complexity("O(log(N)) with N being the number of elements in the sorted set.")
    .flags(WAITS),
    run: Run::Write(bzpopmin),
};

/// BZPOPMAX key [key …] timeout
pub(super) const BZPOPMAX: Command = Command {
    spec: Spec::new(
        "bzpopmax",
        Group::SortedSet,
        "5.0.0",
        "Takes the member with the greatest score, or waits for one.",
    )
    .args(&[key("key").multiple().access(KeyAccess::TAKE), double("timeout")])
    .complexity("O(log(N)) with N being the number of elements in the sorted set.")
    .flags(WAITS),
    run: Run::Write(bzpopmax),
};

/// BZMPOP timeout numkeys key [key …] MIN | MAX [COUNT count]
pub(super) const BZMPOP: Command = Command {
    spec: Spec::new(
        "bzmpop",
        Group::SortedSet,
        "7.0.0",
        "Takes members from the first of several sorted sets that has any, or waits for some.",
    )
    .args(&[
        double("timeout"),
        integer("numkeys"),
        key("key").multiple().access(KeyAccess::TAKE),
        one_of("where", &[token("min", "MIN"), token("max", "MAX")]),
        integer("count").after("COUNT").optional(),
    ])
    .complexity("O(K) + O(M log N) for K keys and M members taken")
    .flags(Flags::BLOCKING.or(Flags::MOVABLE_KEYS)),
    run: Run::Write(bzmpop),
};

fn bzpopmin(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    pop(cx, &args, reply, End::Least)
}

fn bzpopmax(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    pop(cx, &args, reply, End::Greatest)
}

fn pop(cx: &mut WriteCx<'_>, args: &Args<'_>, reply: &mut Writer<'_>, end: End) -> Result {
    popping::first_or_wait(cx, args, reply, |cx, key, reply| {
        let taken = take(cx, key, 1, end)?;
        let [(member, score)] = &taken[..] else { return Ok(false) };
        reply.array(3);
        reply.bulk(key.bytes);
        reply.bulk(member);
        reply.double(*score);
        Ok(true)
    })
}

fn bzmpop(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let wanted = Wanted::parse(&args, 2, parse_end)?;
    popping::some_or_wait(cx, &args, |cx| pop_first(cx, &args, &wanted, reply))
}
