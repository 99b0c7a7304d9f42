//! Asking when keys expire.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::context::ReadCx;
use crate::error::Result;
use crate::keyspace::Entry;
use crate::spec::{Flags, Group, KeyAccess, Spec, key};

/// TTL key
pub(super) const TTL: Command = Command {
    spec: Spec::new("ttl", Group::Generic, "1.0.0", "Returns the seconds until a key expires.")
        .tips(&["nondeterministic_output"])
        .args(&[key("key").access(KeyAccess::READ)])
        .flags(Flags::FAST),
    run: Run::Read(|cx, args, reply| answer(cx, args, reply, |at, now| (at - now + 500) / 1000)),
};

/// PTTL key
pub(super) const PTTL: Command = Command {
    spec: Spec::new("pttl", Group::Generic, "2.6.0", "Returns the milliseconds until expiry.")
        .tips(&["nondeterministic_output"])
        .args(&[key("key").access(KeyAccess::READ)])
        .flags(Flags::FAST),
    run: Run::Read(|cx, args, reply| answer(cx, args, reply, |at, now| at - now)),
};

/// EXPIRETIME key
pub(super) const EXPIRETIME: Command = Command {
    spec: Spec::new("expiretime", Group::Generic, "7.0.0", "Returns the second of expiry.")
        .args(&[key("key").access(KeyAccess::READ)])
        .flags(Flags::FAST),
    run: Run::Read(|cx, args, reply| answer(cx, args, reply, |at, _| (at + 500) / 1000)),
};

/// PEXPIRETIME key
pub(super) const PEXPIRETIME: Command = Command {
    spec: Spec::new("pexpiretime", Group::Generic, "7.0.0", "Returns the millisecond of expiry.")
        .args(&[key("key").access(KeyAccess::READ)])
        .flags(Flags::FAST),
    run: Run::Read(|cx, args, reply| answer(cx, args, reply, |at, _| at)),
};

/// -2 for a key that is missing, -1 for one that lives for ever.
fn answer(
    cx: &ReadCx<'_>,
    args: Args<'_>,
    reply: &mut Writer<'_>,
    shown: fn(u64, u64) -> u64,
) -> Result {
    let entry = cx.peek(&cx.key(&args, 1));
    reply.integer(match entry.map(Entry::expire_at_ms) {
        None => -2,
        Some(None) => -1,
        Some(Some(at_ms)) => shown(at_ms, cx.now_ms()) as i64,
    });
    Ok(())
}
