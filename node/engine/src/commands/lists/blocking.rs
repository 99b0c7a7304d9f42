//! The forms of popping and moving whose clients wait where there is nothing.

use quoris_resp::Writer;

use super::parse_end;
use super::pop::{pop_first, take};
use super::rotate::rotate;
use crate::command::{Args, Command, Run};
use crate::commands::blocking;
use crate::commands::popping::{self, Wanted};
use crate::context::WriteCx;
use crate::error::Result;
use crate::spec::{Arg, Flags, Group, KeyAccess, Spec, double, integer, key, one_of, token};
use crate::types::{End, List};

const WAITS: Flags = Flags::NOSCRIPT.or(Flags::BLOCKING);
const SIDES: &[Arg] = &[token("left", "LEFT"), token("right", "RIGHT")];

/// BLPOP key [key …] timeout
pub(super) const BLPOP: Command = Command {
    spec: Spec::new("blpop", Group::List, "2.0.0", "Takes the first element, or waits for one.")
        .args(&[key("key").multiple().access(KeyAccess::TAKE), double("timeout")])
        .complexity("O(N) where N is the number of provided keys.")
        .flags(WAITS),
    run: Run::Write(blpop),
};

/// BRPOP key [key …] timeout
pub(super) const BRPOP: Command = Command {
    spec: Spec::new("brpop", Group::List, "2.0.0", "Takes the last element, or waits for one.")
        .args(&[key("key").multiple().access(KeyAccess::TAKE), double("timeout")])
        .complexity("O(N) where N is the number of provided keys.")
        .flags(WAITS),
    run: Run::Write(brpop),
};

/// BLMPOP timeout numkeys key [key …] LEFT | RIGHT [COUNT count]
pub(super) const BLMPOP: Command = Command {
    spec: Spec::new("blmpop", Group::List, "7.0.0", "Takes several elements, or waits for some.")
        .args(&[
            double("timeout"),
            integer("numkeys"),
            key("key").multiple().access(KeyAccess::TAKE),
            one_of("where", SIDES),
            integer("count").after("COUNT").optional(),
        ])
        .complexity("O(N+M) where N is the number of keys and M that of elements removed")
        .flags(Flags::BLOCKING.or(Flags::MOVABLE_KEYS)),
    run: Run::Write(blmpop),
};

/// BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout
pub(super) const BLMOVE: Command = Command {
    spec: Spec::new("blmove", Group::List, "6.2.0", "Moves an element, or waits for one.")
        .args(&[
            key("source").access(KeyAccess::TAKE),
            key("destination").access(KeyAccess::INSERT),
            one_of("wherefrom", SIDES),
            one_of("whereto", SIDES),
            double("timeout"),
        ])
        .flags(WAITS.or(Flags::DENYOOM)),
    run: Run::Write(blmove),
};

/// BRPOPLPUSH source destination timeout
pub(super) const BRPOPLPUSH: Command = Command {
    spec: Spec::new("brpoplpush", Group::List, "2.2.0", "Moves the last element, or waits.")
        .args(&[
            key("source").access(KeyAccess::TAKE),
            key("destination").access(KeyAccess::INSERT),
            double("timeout"),
        ])
        .flags(WAITS.or(Flags::DENYOOM)),
    run: Run::Write(brpoplpush),
};

fn blpop(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    pop(cx, &args, reply, End::Front)
}

fn brpop(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    pop(cx, &args, reply, End::Back)
}

fn pop(cx: &mut WriteCx<'_>, args: &Args<'_>, reply: &mut Writer<'_>, end: End) -> Result {
    popping::first_or_wait(cx, args, reply, |cx, key, reply| {
        take(cx, key, (end, 1), reply, |reply, _| {
            reply.array(2);
            reply.bulk(key.bytes);
        })
    })
}

fn blmpop(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let wanted = Wanted::parse(&args, 2, parse_end)?;
    popping::some_or_wait(cx, &args, |cx| pop_first(cx, &args, &wanted, reply))
}

fn blmove(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (from, to) = (parse_end(args.get(3))?, parse_end(args.get(4))?);
    blocking::timeout(args.get(5), cx.now_ms())?;
    move_one(cx, &args, reply, from, to)
}

fn brpoplpush(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    blocking::timeout(args.get(3), cx.now_ms())?;
    move_one(cx, &args, reply, End::Back, End::Front)
}

/// Only what is wrong with the source is nothing to move: a destination of another type is the
/// client's mistake, as soon as there is something to move.
fn move_one(
    cx: &mut WriteCx<'_>,
    args: &Args<'_>,
    reply: &mut Writer<'_>,
    from: End,
    to: End,
) -> Result {
    let source = cx.key(args, 1);
    if !matches!(cx.get::<List>(&source), Ok(Some(_))) {
        cx.found_nothing();
    }
    rotate(cx, args, reply, from, to)
}
