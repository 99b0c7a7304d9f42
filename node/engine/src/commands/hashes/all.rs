//! Reading whole hashes.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::elements;
use crate::context::ReadCx;
use crate::error::Result;
use crate::spec::{Group, Spec, key};
use crate::types::Fields;

/// HGETALL key
pub(super) const HGETALL: Command = Command {
    spec: Spec::new("hgetall", Group::Hash, "2.0.0", "Returns all fields with their values.")
        .tips(&["nondeterministic_output_order"])
        .args(&[key("key")])
        .complexity("O(N) where N is the number of fields"),
    run: Run::Read(hgetall),
};

/// HKEYS key
pub(super) const HKEYS: Command = Command {
    spec: Spec::new("hkeys", Group::Hash, "2.0.0", "Returns all fields.")
        .tips(&["nondeterministic_output_order"])
        .args(&[key("key")])
        .complexity("O(N) where N is the number of fields"),
    run: Run::Read(hkeys),
};

/// HVALS key
pub(super) const HVALS: Command = Command {
    spec: Spec::new("hvals", Group::Hash, "2.0.0", "Returns the values of all fields.")
        .tips(&["nondeterministic_output_order"])
        .args(&[key("key")])
        .complexity("O(N) where N is the number of fields"),
    run: Run::Read(hvals),
};

fn hgetall(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let fields = cx.fields(&cx.key(&args, 1))?;
    reply.map(fields.map_or(0, Fields::len));
    for (field, value) in fields.into_iter().flat_map(Fields::iter) {
        elements::write(reply, field);
        elements::write(reply, value);
    }
    Ok(())
}

fn hkeys(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let fields = cx.fields(&cx.key(&args, 1))?;
    reply.array(fields.map_or(0, Fields::len));
    for (field, _) in fields.into_iter().flat_map(Fields::iter) {
        elements::write(reply, field);
    }
    Ok(())
}

fn hvals(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let fields = cx.fields(&cx.key(&args, 1))?;
    reply.array(fields.map_or(0, Fields::len));
    for (_, value) in fields.into_iter().flat_map(Fields::iter) {
        elements::write(reply, value);
    }
    Ok(())
}
