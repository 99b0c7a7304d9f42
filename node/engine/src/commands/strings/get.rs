//! Reading whole strings.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::context::ReadCx;
use crate::error::Result;
use crate::keyspace::{StringRef, ValueRef};
use crate::spec::{Flags, Group, KeyAccess, Spec, key};

/// GET key
pub(super) const GET: Command = Command {
    spec: Spec::new("get", Group::String, "1.0.0", "Returns the string at a key.")
        .args(&[key("key")])
        .flags(Flags::FAST),
    run: Run::Read(get),
};

/// STRLEN key
pub(super) const STRLEN: Command = Command {
    spec: Spec::new("strlen", Group::String, "2.2.0", "Returns the length of a string in bytes.")
        .args(&[key("key").access(KeyAccess::PEEK)])
        .flags(Flags::FAST),
    run: Run::Read(strlen),
};

/// MGET key [key …]
pub(super) const MGET: Command = Command {
    spec: Spec::new("mget", Group::String, "1.0.0", "Returns the strings at several keys.")
        .tips(&["request_policy:multi_shard"])
        .args(&[key("key").multiple()])
        .flags(Flags::FAST)
        .complexity("O(N) where N is the number of keys to retrieve."),
    run: Run::Read(mget),
};

fn get(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    match cx.string(&cx.key(&args, 1))? {
        Some(string) => write_string(string, reply),
        None => reply.null(),
    }
    Ok(())
}

fn strlen(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    reply.count(cx.string(&cx.key(&args, 1))?.map_or(0, StringRef::len));
    Ok(())
}

/// A key of another type counts as missing.
fn mget(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    reply.array(args.len() - 1);
    for word in 1..args.len() {
        match cx.value(&cx.key(&args, word)) {
            Some(ValueRef::String(string)) => write_string(string, reply),
            _ => reply.null(),
        }
    }
    Ok(())
}

/// Writes a string as a bulk reply.
#[inline]
pub(super) fn write_string(string: StringRef<'_>, reply: &mut Writer<'_>) {
    string.with_bytes(|bytes| reply.bulk(bytes));
}
