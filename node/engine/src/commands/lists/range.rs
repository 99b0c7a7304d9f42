//! Reading elements by index.

use quoris_resp::Writer;

use super::{resolve, resolve_range};
use crate::command::{Args, Command, Run};
use crate::commands::{elements, options};
use crate::context::ReadCx;
use crate::error::Result;
use crate::spec::{Flags, Group, KeyAccess, Spec, integer, key};
use crate::types::List;

/// LLEN key
pub(super) const LLEN: Command = Command {
    spec: Spec::new("llen", Group::List, "1.0.0", "Counts the elements of a list.")
        .args(&[key("key").access(KeyAccess::PEEK)])
        .flags(Flags::FAST),
    run: Run::Read(llen),
};

/// LINDEX key index
pub(super) const LINDEX: Command = Command {
    spec: Spec::new("lindex", Group::List, "1.0.0", "Returns the element at an index of a list.")
        .args(&[key("key"), integer("index")])
        .complexity("O(N) where N is the number of elements up to the index; O(1) at both ends"),
    run: Run::Read(lindex),
};

/// LRANGE key start stop
pub(super) const LRANGE: Command = Command {
    spec: Spec::new("lrange", Group::List, "1.0.0", "Returns the elements between two indexes.")
        .args(&[key("key"), integer("start"), integer("stop")])
        .complexity("O(S+N) where S is the distance from the nearer end and N the number returned"),
    run: Run::Read(lrange),
};

fn llen(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let list = cx.get::<List>(&cx.key(&args, 1))?;
    reply.count(list.map_or(0, List::len));
    Ok(())
}

fn lindex(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let Some(list) = cx.get::<List>(&cx.key(&args, 1))? else {
        reply.null();
        return Ok(());
    };
    let index = resolve(options::integer(args.get(2))?, list.len());
    elements::write_or_null(reply, index.and_then(|index| list.get(index)));
    Ok(())
}

fn lrange(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (start, stop) = (options::integer(args.get(2))?, options::integer(args.get(3))?);
    let Some(list) = cx.get::<List>(&cx.key(&args, 1))? else {
        reply.array(0);
        return Ok(());
    };
    let (start, count) = resolve_range(start, stop, list.len());
    reply.array(count);
    list.range(start, count).for_each(|element| elements::write(reply, element));
    Ok(())
}
