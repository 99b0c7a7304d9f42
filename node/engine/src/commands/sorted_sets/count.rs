//! How many members there are, in all or in a range.

use quoris_resp::Writer;

use super::bounds::{MemberBound, ScoreBound, Selection};
use crate::command::{Args, Command, Run};
use crate::context::ReadCx;
use crate::error::Result;
use crate::spec::{Flags, Group, Spec, double, key, string};
use crate::types::SortedSet;

/// ZCARD key
pub(super) const ZCARD: Command = Command {
    spec: Spec::new("zcard", Group::SortedSet, "1.2.0", "Returns the number of members.")
        .args(&[key("key")])
        .flags(Flags::FAST),
    run: Run::Read(zcard),
};

/// ZCOUNT key min max
pub(super) const ZCOUNT: Command = Command {
    spec: Spec::new(
        "zcount",
        Group::SortedSet,
        "2.0.0",
        "Counts the members in a range of scores.",
    )
    .args(&[key("key"), double("min"), double("max")])
    .complexity("O(log N)")
    .flags(Flags::FAST),
    run: Run::Read(zcount),
};

/// ZLEXCOUNT key min max
pub(super) const ZLEXCOUNT: Command = Command {
    spec: Spec::new(
        "zlexcount",
        Group::SortedSet,
        "2.8.9",
        "Counts the members in a range of members.",
    )
    .args(&[key("key"), string("min"), string("max")])
    .complexity("O(log N)")
    .flags(Flags::FAST),
    run: Run::Read(zlexcount),
};

fn zcard(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let set = cx.get::<SortedSet>(&cx.key(&args, 1))?;
    reply.count(set.map_or(0, SortedSet::len));
    Ok(())
}

fn zcount(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let selection = Selection::Scores(ScoreBound::parse(&args[2])?, ScoreBound::parse(&args[3])?);
    count(cx, args, reply, selection)
}

fn zlexcount(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (min, max) = (args.get(2), args.get(3));
    let selection = Selection::Members(MemberBound::parse(min)?, MemberBound::parse(max)?);
    count(cx, args, reply, selection)
}

fn count(
    cx: &ReadCx<'_>,
    args: Args<'_>,
    reply: &mut Writer<'_>,
    selection: Selection<'_>,
) -> Result {
    let set = cx.get::<SortedSet>(&cx.key(&args, 1))?;
    let (first, end) = set.map_or((0, 0), |set| selection.ranks(set, false));
    reply.count(end - first);
    Ok(())
}
