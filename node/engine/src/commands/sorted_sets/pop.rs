//! Taking the members with the least or greatest scores.

use alloc::vec::Vec;

use quoris_resp::Writer;

use super::{write_header, write_pair};
use crate::command::{Args, Command, Run};
use crate::commands::options;
use crate::commands::popping::{self, Wanted};
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::{Result, SYNTAX};
use crate::keyspace::Key;
use crate::spec::{Flags, Group, KeyAccess, Spec, integer, key, one_of, token};
use crate::types::SortedSet;

/// ZPOPMIN key [count]
pub(super) const ZPOPMIN: Command = Command {
    spec: Spec::new(
        "zpopmin",
        Group::SortedSet,
        "5.0.0",
        "Removes and returns the members with the least scores.",
    )
    .args(&[key("key").access(KeyAccess::TAKE), integer("count").optional()])
    .complexity("O(M log N) where M is the number of members taken")
    .flags(Flags::FAST),
    run: Run::Write(zpopmin),
};

/// ZPOPMAX key [count]
pub(super) const ZPOPMAX: Command = Command {
    spec: Spec::new(
        "zpopmax",
        Group::SortedSet,
        "5.0.0",
        "Removes and returns the members with the greatest scores.",
    )
    .args(&[key("key").access(KeyAccess::TAKE), integer("count").optional()])
    .complexity("O(M log N) where M is the number of members taken")
    .flags(Flags::FAST),
    run: Run::Write(zpopmax),
};

/// ZMPOP numkeys key [key …] MIN | MAX [COUNT count]
pub(super) const ZMPOP: Command = Command {
    spec: Spec::new(
        "zmpop",
        Group::SortedSet,
        "7.0.0",
        "Takes members from the first of several sorted sets that has any.",
    )
    .args(&[
        integer("numkeys"),
        key("key").multiple().access(KeyAccess::TAKE),
        one_of("where", &[token("min", "MIN"), token("max", "MAX")]),
        integer("count").after("COUNT").optional(),
    ])
    .complexity("O(K) + O(M log N) for K keys and M members taken")
    .flags(Flags::MOVABLE_KEYS),
    run: Run::Write(zmpop),
};

/// Which end to take from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Least,
    Greatest,
}

pub(super) type Taken = Vec<(Vec<u8>, f64)>;

fn zpopmin(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    pop(cx, args, reply, End::Least)
}

fn zpopmax(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    pop(cx, args, reply, End::Greatest)
}

fn pop(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>, end: End) -> Result {
    if args.len() > 3 {
        return Err(SYNTAX);
    }
    let count = popping::count(&args)?;
    let taken = take(cx, &cx.key(&args, 1), count.unwrap_or(1), end)?;
    if count.is_some() {
        write_header(reply, taken.len(), true);
        taken.iter().for_each(|(member, score)| write_pair(reply, member, *score));
    } else {
        reply.array(taken.len() * 2);
        for (member, score) in &taken {
            reply.bulk(member);
            reply.double(*score);
        }
    }
    Ok(())
}

fn zmpop(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let wanted = Wanted::parse(&args, 1, parse_end)?;
    pop_first(cx, &args, &wanted, reply).map(drop)
}

pub(super) fn parse_end(word: &[u8]) -> Result<End> {
    if options::is(word, "min") {
        Ok(End::Least)
    } else if options::is(word, "max") {
        Ok(End::Greatest)
    } else {
        Err(SYNTAX)
    }
}

/// Takes members from the first sorted set that has any, and writes them, or null. False if none
/// has.
pub(super) fn pop_first(
    cx: &mut WriteCx<'_>,
    args: &Args<'_>,
    wanted: &Wanted<End>,
    reply: &mut Writer<'_>,
) -> Result<bool> {
    for word in wanted.keys.clone() {
        let key = cx.key(args, word);
        let taken = take(cx, &key, wanted.count, wanted.end)?;
        if !taken.is_empty() {
            reply.array(2);
            reply.bulk(key.bytes);
            reply.array(taken.len());
            for (member, score) in &taken {
                reply.array(2);
                reply.bulk(member);
                reply.double(*score);
            }
            return Ok(true);
        }
    }
    reply.null_array();
    Ok(false)
}

pub(super) fn take(cx: &mut WriteCx<'_>, key: &Key<'_>, count: usize, end: End) -> Result<Taken> {
    let mut taken = Taken::new();
    let Some(set) = cx.get_mut::<SortedSet>(key)? else { return Ok(taken) };
    let collect = |member: &[u8], score: f64| taken.push((member.to_vec(), score));
    let (count, len) = (count.min(set.len()), set.len());
    let removed = match end {
        End::Least => {
            set.ascend(0, count, collect);
            set.remove_ranks(0, count)
        }
        End::Greatest => {
            set.descend(len - count, len, collect);
            set.remove_ranks(len - count, len)
        }
    };
    if !removed.is_empty() {
        cx.discard(removed);
        let event = if end == End::Least { "zpopmin" } else { "zpopmax" };
        cx.changed(key, EventClass::SortedSet, event);
        cx.remove_if_empty::<SortedSet>(key);
    }
    Ok(taken)
}
