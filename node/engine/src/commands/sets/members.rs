//! Reading members.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::elements;
use crate::context::ReadCx;
use crate::error::Result;
use crate::spec::{Flags, Group, KeyAccess, Spec, key, string};
use crate::types::Set;

/// SMEMBERS key
pub(super) const SMEMBERS: Command = Command {
    spec: Spec::new("smembers", Group::Set, "1.0.0", "Returns all members of a set.")
        .tips(&["nondeterministic_output_order"])
        .args(&[key("key")])
        .complexity("O(N) where N is the number of members"),
    run: Run::Read(smembers),
};

/// SISMEMBER key member
pub(super) const SISMEMBER: Command = Command {
    spec: Spec::new("sismember", Group::Set, "1.0.0", "Tells whether a set has a member.")
        .args(&[key("key").access(KeyAccess::PEEK), string("member")])
        .flags(Flags::FAST),
    run: Run::Read(sismember),
};

/// SMISMEMBER key member [member …]
pub(super) const SMISMEMBER: Command = Command {
    spec: Spec::new("smismember", Group::Set, "6.2.0", "Tells which of several members a set has.")
        .args(&[key("key"), string("member").multiple()])
        .complexity("O(N) where N is the number of members asked for")
        .flags(Flags::FAST),
    run: Run::Read(smismember),
};

/// SCARD key
pub(super) const SCARD: Command = Command {
    spec: Spec::new("scard", Group::Set, "1.0.0", "Counts the members of a set.")
        .args(&[key("key").access(KeyAccess::PEEK)])
        .flags(Flags::FAST),
    run: Run::Read(scard),
};

fn smembers(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let set = cx.get::<Set>(&cx.key(&args, 1))?;
    reply.set(set.map_or(0, Set::len));
    for member in set.iter().flat_map(|set| set.iter()) {
        elements::write(reply, member);
    }
    Ok(())
}

fn sismember(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let set = cx.get::<Set>(&cx.key(&args, 1))?;
    reply.count(usize::from(set.is_some_and(|set| set.contains(args.get(2)))));
    Ok(())
}

fn smismember(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let set = cx.get::<Set>(&cx.key(&args, 1))?;
    reply.array(args.len() - 2);
    for member in args.from(2) {
        reply.count(usize::from(set.is_some_and(|set| set.contains(member))));
    }
    Ok(())
}

fn scard(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let set = cx.get::<Set>(&cx.key(&args, 1))?;
    reply.count(set.map_or(0, Set::len));
    Ok(())
}
