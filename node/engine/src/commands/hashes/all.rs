//! Reading whole hashes.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::elements;
use crate::context::ReadCx;
use crate::error::Result;
use crate::spec::{Group, Spec, key};
use crate::types::Hash;

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
    let hash = cx.get::<Hash>(&cx.key(&args, 1))?;
    reply.map(hash.map_or(0, Hash::len));
    for (field, value) in hash.iter().flat_map(|hash| hash.iter()) {
        elements::write(reply, field);
        elements::write(reply, value);
    }
    Ok(())
}

fn hkeys(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let hash = cx.get::<Hash>(&cx.key(&args, 1))?;
    reply.array(hash.map_or(0, Hash::len));
    for (field, _) in hash.iter().flat_map(|hash| hash.iter()) {
        elements::write(reply, field);
    }
    Ok(())
}

fn hvals(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let hash = cx.get::<Hash>(&cx.key(&args, 1))?;
    reply.array(hash.map_or(0, Hash::len));
    for (_, value) in hash.iter().flat_map(|hash| hash.iter()) {
        elements::write(reply, value);
    }
    Ok(())
}
