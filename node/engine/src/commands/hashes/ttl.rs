//! Asking when fields expire. The rules are those of Redis 7.4.

use quoris_resp::Writer;

use super::arguments::{self, FIELDS, POSITIVE};
use crate::command::{Args, Command, Run};
use crate::context::ReadCx;
use crate::error::Result;
use crate::spec::{Flags, Group, KeyAccess, Spec, key};

/// HTTL key FIELDS numfields field [field …]
pub(super) const HTTL: Command = Command {
    spec: Spec::new("httl", Group::Hash, "7.4.0", "Returns the seconds until fields expire.")
        .tips(&["nondeterministic_output"])
        .args(&[key("key").access(KeyAccess::READ), FIELDS])
        .complexity(COMPLEXITY)
        .flags(Flags::FAST),
    run: Run::Read(|cx, args, reply| answer(cx, args, reply, |at, now| (at - now).div_ceil(1000))),
};

/// HPTTL key FIELDS numfields field [field …]
pub(super) const HPTTL: Command = Command {
    spec: Spec::new("hpttl", Group::Hash, "7.4.0", "Returns the milliseconds until fields expire.")
        .tips(&["nondeterministic_output"])
        .args(&[key("key").access(KeyAccess::READ), FIELDS])
        .complexity(COMPLEXITY)
        .flags(Flags::FAST),
    run: Run::Read(|cx, args, reply| answer(cx, args, reply, |at, now| at - now)),
};

/// HEXPIRETIME key FIELDS numfields field [field …]
pub(super) const HEXPIRETIME: Command = Command {
    spec: Spec::new(
        "hexpiretime",
        Group::Hash,
        "7.4.0",
        "Returns the second at which fields expire.",
    )
    .args(&[key("key").access(KeyAccess::READ), FIELDS])
    .complexity(COMPLEXITY)
    .flags(Flags::FAST),
    run: Run::Read(|cx, args, reply| answer(cx, args, reply, |at, _| at.div_ceil(1000))),
};

/// HPEXPIRETIME key FIELDS numfields field [field …]
pub(super) const HPEXPIRETIME: Command = Command {
    spec: Spec::new(
        "hpexpiretime",
        Group::Hash,
        "7.4.0",
        "Returns the millisecond at which fields expire.",
    )
    .args(&[key("key").access(KeyAccess::READ), FIELDS])
    .complexity(COMPLEXITY)
    .flags(Flags::FAST),
    run: Run::Read(|cx, args, reply| answer(cx, args, reply, |at, _| at)),
};

const COMPLEXITY: &str = "O(N) where N is the number of specified fields";

/// -2 for a field that is missing, -1 for one without a deadline.
fn answer(
    cx: &ReadCx<'_>,
    args: Args<'_>,
    reply: &mut Writer<'_>,
    shown: fn(u64, u64) -> u64,
) -> Result {
    let fields = cx.fields(&cx.key(&args, 1))?;
    let first = arguments::fields(&args, 2, POSITIVE)?;
    reply.array(args.len() - first);
    for field in args.from(first) {
        reply.integer(match fields.and_then(|fields| fields.deadline_ms(field)) {
            None => -2,
            Some(None) => -1,
            Some(Some(at_ms)) => shown(at_ms, cx.now_ms()) as i64,
        });
    }
    Ok(())
}
