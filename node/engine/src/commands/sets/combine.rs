//! `SINTER`, `SUNION`, `SDIFF` and their storing forms.

use alloc::boxed::Box;
use alloc::vec::Vec;

use quoris_resp::Writer;

use super::algebra::Operation;
use super::limits;
use crate::command::{Args, Command, Run};
use crate::commands::elements;
use crate::context::{Expiry, ReadCx, WriteCx};
use crate::effects::EventClass;
use crate::error::Result;
use crate::keyspace::Value;
use crate::spec::{Flags, Group, KeyAccess, Spec, key};
use crate::types::{Set, SetLimits};

/// SINTER key [key …]
pub(super) const SINTER: Command = Command {
    spec: Spec::new("sinter", Group::Set, "1.0.0", "Returns what several sets have in common.")
        .tips(&["nondeterministic_output_order"])
        .args(&[key("key").multiple()])
        .complexity("O(N*M) worst case, N being the size of the smallest of M sets"),
    run: Run::Read(sinter),
};

/// SUNION key [key …]
pub(super) const SUNION: Command = Command {
    spec: Spec::new("sunion", Group::Set, "1.0.0", "Returns the members of any of several sets.")
        .tips(&["nondeterministic_output_order"])
        .args(&[key("key").multiple()])
        .complexity("O(N) where N is the number of members of all sets"),
    run: Run::Read(sunion),
};

/// SDIFF key [key …]
pub(super) const SDIFF: Command = Command {
    spec: Spec::new("sdiff", Group::Set, "1.0.0", "Returns a set without the members of others.")
        .tips(&["nondeterministic_output_order"])
        .args(&[key("key").multiple()])
        .complexity("O(N) where N is the number of members of all sets"),
    run: Run::Read(sdiff),
};

/// SINTERSTORE destination key [key …]
pub(super) const SINTERSTORE: Command = Command {
    spec: Spec::new("sinterstore", Group::Set, "1.0.0", "Stores what several sets have in common.")
        .args(&[
            key("destination").access(KeyAccess::MODIFY),
            key("key").multiple().access(KeyAccess::READ),
        ])
        .complexity("O(N*M) worst case, N being the size of the smallest of M sets")
        .flags(Flags::DENYOOM),
    run: Run::Write(sinterstore),
};

/// SUNIONSTORE destination key [key …]
pub(super) const SUNIONSTORE: Command = Command {
    spec: Spec::new("sunionstore", Group::Set, "1.0.0", "Stores the members of several sets.")
        .args(&[
            key("destination").access(KeyAccess::OVERWRITE),
            key("key").multiple().access(KeyAccess::READ),
        ])
        .complexity("O(N) where N is the number of members of all sets")
        .flags(Flags::DENYOOM),
    run: Run::Write(sunionstore),
};

/// SDIFFSTORE destination key [key …]
pub(super) const SDIFFSTORE: Command = Command {
    spec: Spec::new("sdiffstore", Group::Set, "1.0.0", "Stores a set without those of others.")
        .args(&[
            key("destination").access(KeyAccess::OVERWRITE),
            key("key").multiple().access(KeyAccess::READ),
        ])
        .complexity("O(N) where N is the number of members of all sets")
        .flags(Flags::DENYOOM),
    run: Run::Write(sdiffstore),
};

fn sinter(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    combine(cx, &args, reply, Operation::Intersection)
}

fn sunion(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    combine(cx, &args, reply, Operation::Union)
}

fn sdiff(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    combine(cx, &args, reply, Operation::Difference)
}

fn combine(
    cx: &ReadCx<'_>,
    args: &Args<'_>,
    reply: &mut Writer<'_>,
    operation: Operation,
) -> Result {
    let sets = (1..args.len()).map(|word| cx.get::<Set>(&cx.key(args, word)));
    let sets = sets.collect::<Result<Vec<_>>>()?;
    let limits = SetLimits::new(cx.settings(), cx.keyspace().hasher());
    let (begun, mut len) = (reply.open(), 0);
    operation.for_each(&sets, &limits, |member| {
        elements::write(reply, member);
        len += 1;
    });
    reply.close_set(begun, len);
    Ok(())
}

fn sinterstore(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    store(cx, &args, reply, Operation::Intersection, "sinterstore")
}

fn sunionstore(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    store(cx, &args, reply, Operation::Union, "sunionstore")
}

fn sdiffstore(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    store(cx, &args, reply, Operation::Difference, "sdiffstore")
}

fn store(
    cx: &mut WriteCx<'_>,
    args: &Args<'_>,
    reply: &mut Writer<'_>,
    operation: Operation,
    event: &'static str,
) -> Result {
    let sets = (2..args.len()).map(|word| cx.get::<Set>(&cx.key(args, word)));
    let sets = sets.collect::<Result<Vec<_>>>()?;
    let result = operation.collect(&sets, &limits(cx));
    let destination = cx.key(args, 1);
    reply.count(result.len());
    if result.is_empty() {
        if cx.remove(&destination) {
            cx.changed(&destination, EventClass::Generic, "del");
        }
    } else {
        cx.put(&destination, Value::Set(Box::new(result)), Expiry::Clear);
        cx.changed(&destination, EventClass::Set, event);
    }
    Ok(())
}
