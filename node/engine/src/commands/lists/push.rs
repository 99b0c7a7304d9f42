//! Adding elements at the ends.

use quoris_resp::Writer;

use super::push;
use crate::command::{Args, Command, Run};
use crate::context::WriteCx;
use crate::error::Result;
use crate::spec::{Flags, Group, KeyAccess, Spec, key, string};
use crate::types::{End, List};

/// LPUSH key element [element …]
pub(super) const LPUSH: Command = Command {
    spec: Spec::new("lpush", Group::List, "1.0.0", "Puts elements before the first of a list.")
        .args(&[key("key").access(KeyAccess::INSERT), string("element").multiple()])
        .complexity("O(N) where N is the number of elements added")
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(lpush),
};

/// RPUSH key element [element …]
pub(super) const RPUSH: Command = Command {
    spec: Spec::new("rpush", Group::List, "1.0.0", "Puts elements behind the last of a list.")
        .args(&[key("key").access(KeyAccess::INSERT), string("element").multiple()])
        .complexity("O(N) where N is the number of elements added")
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(rpush),
};

/// LPUSHX key element [element …]
pub(super) const LPUSHX: Command = Command {
    spec: Spec::new("lpushx", Group::List, "2.2.0", "Does what LPUSH does if the list exists.")
        .args(&[key("key").access(KeyAccess::INSERT), string("element").multiple()])
        .complexity("O(N) where N is the number of elements added")
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(lpushx),
};

/// RPUSHX key element [element …]
pub(super) const RPUSHX: Command = Command {
    spec: Spec::new("rpushx", Group::List, "2.2.0", "Does what RPUSH does if the list exists.")
        .args(&[key("key").access(KeyAccess::INSERT), string("element").multiple()])
        .complexity("O(N) where N is the number of elements added")
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(rpushx),
};

fn lpush(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    push_all(cx, &args, reply, End::Front)
}

fn rpush(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    push_all(cx, &args, reply, End::Back)
}

fn lpushx(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    push_if_there(cx, &args, reply, End::Front)
}

fn rpushx(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    push_if_there(cx, &args, reply, End::Back)
}

fn push_all(cx: &mut WriteCx<'_>, args: &Args<'_>, reply: &mut Writer<'_>, end: End) -> Result {
    let len = push(cx, &cx.key(args, 1), end, args.from(2))?;
    reply.count(len);
    Ok(())
}

fn push_if_there(
    cx: &mut WriteCx<'_>,
    args: &Args<'_>,
    reply: &mut Writer<'_>,
    end: End,
) -> Result {
    if cx.get::<List>(&cx.key(args, 1))?.is_some() {
        return push_all(cx, args, reply, end);
    }
    reply.count(0);
    Ok(())
}
