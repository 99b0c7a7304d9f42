//! Score and rank of members.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::options;
use crate::context::ReadCx;
use crate::error::{Result, SYNTAX};
use crate::spec::{Flags, Group, Spec, key, string, token};
use crate::types::SortedSet;

/// ZSCORE key member
pub(super) const ZSCORE: Command = Command {
    spec: Spec::new("zscore", Group::SortedSet, "1.2.0", "Returns the score of a member.")
        .args(&[key("key"), string("member")])
        .flags(Flags::FAST),
    run: Run::Read(zscore),
};

/// ZMSCORE key member [member …]
pub(super) const ZMSCORE: Command = Command {
    spec: Spec::new("zmscore", Group::SortedSet, "6.2.0", "Returns the scores of several members.")
        .args(&[key("key"), string("member").multiple()])
        .complexity("O(N) where N is the number of members asked for")
        .flags(Flags::FAST),
    run: Run::Read(zmscore),
};

/// ZRANK key member [WITHSCORE]
pub(super) const ZRANK: Command = Command {
    spec: Spec::new(
        "zrank",
        Group::SortedSet,
        "2.0.0",
        "Returns how many members come before a member, in ascending order.",
    )
    .args(&[key("key"), string("member"), token("withscore", "WITHSCORE").optional()])
    .complexity("O(log N)")
    .flags(Flags::FAST),
    run: Run::Read(zrank),
};

/// ZREVRANK key member [WITHSCORE]
pub(super) const ZREVRANK: Command = Command {
    spec: Spec::new(
        "zrevrank",
        Group::SortedSet,
        "2.0.0",
        "Returns how many members come before a member, in descending order.",
    )
    .args(&[key("key"), string("member"), token("withscore", "WITHSCORE").optional()])
    .complexity("O(log N)")
    .flags(Flags::FAST),
    run: Run::Read(zrevrank),
};

fn zscore(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let set = cx.get::<SortedSet>(&cx.key(&args, 1))?;
    write_score(reply, set, &args[2]);
    Ok(())
}

fn zmscore(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let set = cx.get::<SortedSet>(&cx.key(&args, 1))?;
    reply.array(args.len() - 2);
    args.from(2).for_each(|member| write_score(reply, set, member));
    Ok(())
}

fn write_score(reply: &mut Writer<'_>, set: Option<&SortedSet>, member: &[u8]) {
    match set.and_then(|set| set.score(member)) {
        Some(score) => reply.double(score),
        None => reply.null(),
    }
}

fn zrank(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    rank(cx, args, reply, false)
}

fn zrevrank(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    rank(cx, args, reply, true)
}

fn rank(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>, reversed: bool) -> Result {
    let with_score = match args.try_get(3) {
        None => false,
        Some(option) if args.len() == 4 && options::is(option, "withscore") => true,
        Some(_) => return Err(SYNTAX),
    };
    let found = cx.get::<SortedSet>(&cx.key(&args, 1))?.and_then(|set| {
        let rank = set.rank(&args[2])?;
        Some((if reversed { set.len() - 1 - rank } else { rank }, set.score(&args[2])?))
    });
    match found {
        Some((rank, score)) if with_score => {
            reply.array(2);
            reply.count(rank);
            reply.double(score);
        }
        Some((rank, _)) => reply.count(rank),
        None if with_score => reply.null_array(),
        None => reply.null(),
    }
    Ok(())
}
