//! Whether keys exist, and what they hold.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::context::ReadCx;
use crate::error::Result;
use crate::spec::{Flags, Group, KeyAccess, Spec, key};

/// EXISTS key [key …]
pub(super) const EXISTS: Command = Command {
    spec: Spec::new("exists", Group::Generic, "1.0.0", "Counts how many of the keys exist.")
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"])
        .args(&[key("key").access(KeyAccess::PEEK).multiple()])
        .flags(Flags::FAST)
        .complexity("O(N) where N is the number of keys to check."),
    run: Run::Read(exists),
};

/// TOUCH key [key …]
pub(super) const TOUCH: Command = Command {
    spec: Spec::new("touch", Group::Generic, "3.2.1", "Counts keys and marks them as used.")
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"])
        .args(&[key("key").access(KeyAccess::PEEK).multiple()])
        .flags(Flags::FAST)
        .complexity("O(N) where N is the number of keys that will be touched."),
    run: Run::Read(touch),
};

/// TYPE key
pub(super) const TYPE: Command = Command {
    spec: Spec::new("type", Group::Generic, "1.0.0", "Names the type of the value at a key.")
        .args(&[key("key").access(KeyAccess::PEEK)])
        .flags(Flags::FAST),
    run: Run::Read(kind),
};

/// A key that is named twice counts twice.
fn exists(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    reply.count((1..args.len()).filter(|&word| cx.peek(&cx.key(&args, word)).is_some()).count());
    Ok(())
}

fn touch(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    reply.count((1..args.len()).filter(|&word| cx.entry(&cx.key(&args, word)).is_some()).count());
    Ok(())
}

fn kind(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let entry = cx.peek(&cx.key(&args, 1));
    reply.simple(entry.map_or("none", |entry| entry.value().kind().name()));
    Ok(())
}
