//! Reading a whole string.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::context::ReadCx;
use crate::error::Result;
use crate::spec::{Flags, Group, Spec, key};

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
        .args(&[key("key")])
        .flags(Flags::FAST),
    run: Run::Read(strlen),
};

fn get(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    match cx.string(&cx.key(&args, 1))? {
        Some(string) => string.with_bytes(|bytes| reply.bulk(bytes)),
        None => reply.null(),
    }
    Ok(())
}

fn strlen(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let string = cx.string(&cx.key(&args, 1))?;
    reply.count(string.map_or(0, |string| string.len()));
    Ok(())
}
