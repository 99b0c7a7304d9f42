//! Removing members.

use quoris_resp::Writer;

use super::bounds::{MemberBound, ScoreBound, Selection};
use crate::command::{Args, Command, Run};
use crate::commands::options;
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::Result;
use crate::spec::{Flags, Group, KeyAccess, Spec, double, integer, key, string};
use crate::types::SortedSet;

const COST: &str = "O(M log N) where M is the number of members removed";

/// ZREM key member [member …]
pub(super) const ZREM: Command = Command {
    spec: Spec::new("zrem", Group::SortedSet, "1.2.0", "Removes members.")
        .args(&[key("key").access(KeyAccess::DELETE_PART), string("member").multiple()])
        .complexity(COST)
        .flags(Flags::FAST),
    run: Run::Write(zrem),
};

/// ZREMRANGEBYRANK key start stop
pub(super) const ZREMRANGEBYRANK: Command = Command {
    spec: Spec::new(
        "zremrangebyrank",
        Group::SortedSet,
        "2.0.0",
        "Removes the members in a range of ranks.",
    )
    .args(&[key("key").access(KeyAccess::DELETE_PART), integer("start"), integer("stop")])
    .complexity(COST),
    run: Run::Write(zremrangebyrank),
};

/// ZREMRANGEBYSCORE key min max
pub(super) const ZREMRANGEBYSCORE: Command = Command {
    spec: Spec::new(
        "zremrangebyscore",
        Group::SortedSet,
        "1.2.0",
        "Removes the members in a range of scores.",
    )
    .args(&[key("key").access(KeyAccess::DELETE_PART), double("min"), double("max")])
    .complexity(COST),
    run: Run::Write(zremrangebyscore),
};

/// ZREMRANGEBYLEX key min max
pub(super) const ZREMRANGEBYLEX: Command = Command {
    spec: Spec::new(
        "zremrangebylex",
        Group::SortedSet,
        "2.8.9",
        "Removes the members in a range of members.",
    )
    .args(&[key("key").access(KeyAccess::DELETE_PART), string("min"), string("max")])
    .complexity(COST),
    run: Run::Write(zremrangebylex),
};

fn zrem(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 1);
    let removed = match cx.get_mut::<SortedSet>(&key)? {
        Some(set) => args.from(2).filter(|member| set.remove(member).is_some()).count(),
        None => 0,
    };
    if removed > 0 {
        cx.changed(&key, EventClass::SortedSet, "zrem");
        cx.remove_if_empty::<SortedSet>(&key);
    }
    reply.count(removed);
    Ok(())
}

fn zremrangebyrank(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let selection = Selection::Ranks(options::integer(&args[2])?, options::integer(&args[3])?);
    remove(cx, args, reply, selection, "zremrangebyrank")
}

fn zremrangebyscore(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let selection = Selection::Scores(ScoreBound::parse(&args[2])?, ScoreBound::parse(&args[3])?);
    remove(cx, args, reply, selection, "zremrangebyscore")
}

fn zremrangebylex(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (min, max) = (args.get(2), args.get(3));
    let selection = Selection::Members(MemberBound::parse(min)?, MemberBound::parse(max)?);
    remove(cx, args, reply, selection, "zremrangebylex")
}

fn remove(
    cx: &mut WriteCx<'_>,
    args: Args<'_>,
    reply: &mut Writer<'_>,
    selection: Selection<'_>,
    event: &'static str,
) -> Result {
    let key = cx.key(&args, 1);
    let Some(set) = cx.get_mut::<SortedSet>(&key)? else {
        reply.count(0);
        return Ok(());
    };
    let (first, end) = selection.ranks(set, false);
    let removed = set.remove_ranks(first, end);
    reply.count(removed.len());
    if !removed.is_empty() {
        cx.discard(removed);
        cx.changed(&key, EventClass::SortedSet, event);
        cx.remove_if_empty::<SortedSet>(&key);
    }
    Ok(())
}
