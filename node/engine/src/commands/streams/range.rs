//! Reading entries by id.

use quoris_resp::Writer;

use super::arguments::{self, write_entries};
use crate::command::{Args, Command, Run};
use crate::commands::options;
use crate::context::ReadCx;
use crate::error::{Result, SYNTAX};
use crate::spec::{Flags, Group, KeyAccess, Spec, integer, key, string};
use crate::types::Stream;

/// XLEN key
pub(super) const XLEN: Command = Command {
    spec: Spec::new("xlen", Group::Stream, "5.0.0", "Counts the entries of a stream.")
        .args(&[key("key").access(KeyAccess::PEEK)])
        .flags(Flags::FAST),
    run: Run::Read(xlen),
};

/// XRANGE key start end [COUNT count]
pub(super) const XRANGE: Command = Command {
    spec: Spec::new("xrange", Group::Stream, "5.0.0", "Returns the entries between two ids.")
        .args(&[
            key("key"),
            string("start"),
            string("end"),
            integer("count").after("COUNT").optional(),
        ])
        .complexity("O(log(N)+M) where N is the number of entries and M that of entries returned"),
    run: Run::Read(xrange),
};

/// XREVRANGE key end start [COUNT count]
pub(super) const XREVRANGE: Command = Command {
    spec: Spec::new(
        "xrevrange",
        Group::Stream,
        "5.0.0",
        "Returns the entries between two ids, the last one first.",
    )
    .args(&[key("key"), string("end"), string("start"), integer("count").after("COUNT").optional()])
    .complexity("O(log(N)+M) where N is the number of entries and M that of entries returned"),
    run: Run::Read(xrevrange),
};

fn xlen(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let stream = cx.get::<Stream>(&cx.key(&args, 1))?;
    reply.integer(stream.map_or(0, Stream::len) as i64);
    Ok(())
}

fn xrange(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    range(cx, &args, reply, false)
}

fn xrevrange(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    range(cx, &args, reply, true)
}

fn range(cx: &ReadCx<'_>, args: &Args<'_>, reply: &mut Writer<'_>, backwards: bool) -> Result {
    let (start, end) = if backwards { (3, 2) } else { (2, 3) };
    let start = arguments::range_start(args.get(start))?;
    let end = arguments::range_end(args.get(end))?;
    let count = count(args)?;
    let Some(stream) = cx.get::<Stream>(&cx.key(args, 1))? else {
        reply.array(0);
        return Ok(());
    };
    if count == 0 {
        reply.null_array();
    } else if backwards {
        write_entries(reply, stream.range_backwards(start, end).take(count));
    } else {
        write_entries(reply, stream.range(start, end).take(count));
    }
    Ok(())
}

/// How many entries a client wants at most; the last `COUNT` counts.
fn count(args: &Args<'_>) -> Result<usize> {
    let mut count = usize::MAX;
    for at in (4..args.len()).step_by(2) {
        let value = args.try_get(at + 1).filter(|_| options::is(args.get(at), "count"));
        let value = options::integer(value.ok_or(SYNTAX)?)?;
        count = usize::try_from(value).unwrap_or(0);
    }
    Ok(count)
}
