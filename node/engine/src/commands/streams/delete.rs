//! Deleting entries by id.

use alloc::vec::Vec;

use quoris_resp::Writer;

use super::{arguments, trimming};
use crate::command::{Args, Command, Run};
use crate::commands::options;
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::{CommandError, Result, SYNTAX};
use crate::spec::{Arg, Flags, Group, KeyAccess, Spec, block, integer, key, string};
use crate::types::Stream;
use crate::types::stream::{References, StreamId};

/// XDEL key id [id …]
pub(super) const XDEL: Command = Command {
    spec: Spec::new("xdel", Group::Stream, "5.0.0", "Deletes entries of a stream.")
        .args(&[key("key").access(KeyAccess::DELETE_PART), string("id").multiple()])
        .complexity("O(log(N)) for each id, where N is the number of entries")
        .flags(Flags::FAST),
    run: Run::Write(xdel),
};

/// XDELEX key [KEEPREF | DELREF | ACKED] IDS numids id [id …]
pub(super) const XDELEX: Command = Command {
    spec: Spec::new(
        "xdelex",
        Group::Stream,
        "8.2.0",
        "Deletes entries of a stream, and says what becomes of the groups that refer to them.",
    )
    .args(&[key("key").access(KeyAccess::DELETE_PART), trimming::REFERENCES, IDS])
    .complexity("O(log(N)) for each id and group, where N is the number of entries")
    .flags(Flags::FAST),
    run: Run::Write(xdelex),
};

/// `IDS numids id [id …]`
pub(super) const IDS: Arg =
    block("ids", &[integer("numids"), string("id").multiple()]).after("IDS");

const NO_IDS: CommandError = CommandError::fixed("ERR IDS option is required");
const NO_COUNT: CommandError = CommandError::fixed("ERR Number of IDs must be a positive integer");
const BAD_COUNT: CommandError =
    CommandError::fixed("ERR The `numids` parameter must match the number of arguments");

/// What became of one entry, as `XDELEX` and `XACKDEL` answer it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is not there.
    Missing = -1,
    /// It was deleted.
    Deleted = 1,
    /// A group still needs it.
    Kept = 2,
}

fn xdel(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 1);
    if cx.get::<Stream>(&key)?.is_none() {
        reply.count(0);
        return Ok(());
    }
    let ids: Vec<StreamId> =
        args.from(2).map(|text| arguments::id(text, 0)).collect::<Result<_>>()?;
    let Some(stream) = cx.get_mut::<Stream>(&key)? else { unreachable!("it was just seen") };
    let deleted = ids.into_iter().filter(|&id| stream.remove(id)).count();
    if deleted > 0 {
        cx.changed(&key, EventClass::Stream, "xdel");
    }
    reply.count(deleted);
    Ok(())
}

/// The options of `XDELEX` and `XACKDEL` from word `at` on: what becomes of references, and the ids.
///
/// # Errors
/// `ERR syntax error`, or what is wrong with the ids.
pub(super) fn parse(args: &Args<'_>, mut at: usize) -> Result<(References, Vec<StreamId>)> {
    let (mut references, mut ids) = (None, None);
    while let Some(word) = args.try_get(at) {
        at += 1;
        if let Some(named) = trimming::references(word).filter(|_| references.is_none()) {
            references = Some(named);
        } else if options::is(word, "ids") && at < args.len() {
            let count = options::integer_or(args.get(at), NO_COUNT)?;
            let count = usize::try_from(count).ok().filter(|&n| n > 0).ok_or(NO_COUNT)?;
            if count > args.len() - at - 1 {
                return Err(BAD_COUNT);
            }
            ids = Some(at + 1..at + 1 + count);
            at += 1 + count;
        } else {
            return Err(SYNTAX);
        }
    }
    let words = ids.ok_or(NO_IDS)?;
    let ids = words.map(|word| arguments::id(args.get(word), 0)).collect::<Result<_>>()?;
    Ok((references.unwrap_or_default(), ids))
}

fn xdelex(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (references, ids) = parse(&args, 2)?;
    let key = cx.key(&args, 1);
    let Some(stream) = cx.get_mut::<Stream>(&key)? else {
        write_missing(reply, ids.len());
        return Ok(());
    };
    reply.array(ids.len());
    let mut changed = false;
    for id in ids {
        let released = references == References::Delete && stream.release(id);
        let fate = delete(stream, id, references);
        changed |= released || fate == Fate::Deleted;
        reply.integer(fate as i64);
    }
    if changed {
        cx.changed(&key, EventClass::Stream, "xdel");
    }
    Ok(())
}

/// Deletes an entry unless it is needed.
pub(super) fn delete(stream: &mut Stream, id: StreamId, references: References) -> Fate {
    if references == References::Acknowledged && stream.is_referenced(id) {
        return if stream.contains(id) { Fate::Kept } else { Fate::Missing };
    }
    if stream.remove(id) { Fate::Deleted } else { Fate::Missing }
}

/// The answer where there is nothing to delete from.
pub(super) fn write_missing(reply: &mut Writer<'_>, ids: usize) {
    reply.array(ids);
    (0..ids).for_each(|_| reply.integer(Fate::Missing as i64));
}
