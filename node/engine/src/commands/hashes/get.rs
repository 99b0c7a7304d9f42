//! Reading single fields.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::elements;
use crate::context::ReadCx;
use crate::error::Result;
use crate::spec::{Flags, Group, KeyAccess, Spec, key, string};
use crate::types::{Element, Fields};

/// HGET key field
pub(super) const HGET: Command = Command {
    spec: Spec::new("hget", Group::Hash, "2.0.0", "Returns the value of a field.")
        .args(&[key("key"), string("field")])
        .flags(Flags::FAST),
    run: Run::Read(hget),
};

/// HMGET key field [field …]
pub(super) const HMGET: Command = Command {
    spec: Spec::new("hmget", Group::Hash, "2.0.0", "Returns the values of several fields.")
        .args(&[key("key"), string("field").multiple()])
        .complexity("O(N) where N is the number of fields asked for")
        .flags(Flags::FAST),
    run: Run::Read(hmget),
};

/// HSTRLEN key field
pub(super) const HSTRLEN: Command = Command {
    spec: Spec::new("hstrlen", Group::Hash, "3.2.0", "Returns the length of a field's value.")
        .args(&[key("key").access(KeyAccess::PEEK), string("field")])
        .flags(Flags::FAST),
    run: Run::Read(hstrlen),
};

/// HEXISTS key field
pub(super) const HEXISTS: Command = Command {
    spec: Spec::new("hexists", Group::Hash, "2.0.0", "Tells whether a hash has a field.")
        .args(&[key("key").access(KeyAccess::PEEK), string("field")])
        .flags(Flags::FAST),
    run: Run::Read(hexists),
};

/// HLEN key
pub(super) const HLEN: Command = Command {
    spec: Spec::new("hlen", Group::Hash, "2.0.0", "Counts the fields of a hash.")
        .args(&[key("key").access(KeyAccess::PEEK)])
        .flags(Flags::FAST),
    run: Run::Read(hlen),
};

fn hget(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let fields = cx.fields(&cx.key(&args, 1))?;
    elements::write_or_null(reply, fields.and_then(|fields| fields.get(args.get(2))));
    Ok(())
}

fn hmget(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let fields = cx.fields(&cx.key(&args, 1))?;
    reply.array(args.len() - 2);
    for field in args.from(2) {
        elements::write_or_null(reply, fields.and_then(|fields| fields.get(field)));
    }
    Ok(())
}

fn hstrlen(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let fields = cx.fields(&cx.key(&args, 1))?;
    let value = fields.and_then(|fields| fields.get(args.get(2)));
    reply.count(value.map_or(0, Element::len));
    Ok(())
}

fn hexists(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let fields = cx.fields(&cx.key(&args, 1))?;
    reply.count(usize::from(fields.is_some_and(|fields| fields.contains(args.get(2)))));
    Ok(())
}

fn hlen(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let fields = cx.fields(&cx.key(&args, 1))?;
    reply.count(fields.map_or(0, Fields::len));
    Ok(())
}
