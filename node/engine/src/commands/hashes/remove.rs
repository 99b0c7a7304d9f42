//! Removing fields.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::{elements, options};
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::{CommandError, Result};
use crate::spec::{Flags, Group, KeyAccess, Spec, block, integer, key, string};
use crate::types::Hash;

/// HDEL key field [field …]
pub(super) const HDEL: Command = Command {
    spec: Spec::new("hdel", Group::Hash, "2.0.0", "Removes fields, and counts those it removed.")
        .args(&[key("key").access(KeyAccess::DELETE_PART), string("field").multiple()])
        .complexity("O(N) where N is the number of fields to be removed")
        .flags(Flags::FAST),
    run: Run::Write(hdel),
};

/// HGETDEL key FIELDS numfields field [field …]
pub(super) const HGETDEL: Command = Command {
    spec: Spec::new(
        "hgetdel",
        Group::Hash,
        "8.0.0",
        "Returns the values of fields, and removes them.",
    )
    .args(&[
        key("key").access(KeyAccess::TAKE),
        block("fields", &[integer("numfields"), string("field").multiple()]).after("FIELDS"),
    ])
    .complexity("O(N) where N is the number of fields named")
    .flags(Flags::FAST),
    run: Run::Write(hgetdel),
};

const NO_FIELDS: CommandError =
    CommandError::fixed("ERR Mandatory argument FIELDS is missing or not at the right position");
const NUMFIELDS: CommandError =
    CommandError::fixed("ERR Number of fields must be a positive integer");
const OTHER_COUNT: CommandError =
    CommandError::fixed("ERR The `numfields` parameter must match the number of arguments");

fn hdel(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 1);
    let removed = match cx.get_mut::<Hash>(&key)? {
        Some(hash) => args.from(2).filter(|field| hash.remove(field)).count(),
        None => 0,
    };
    if removed > 0 {
        cx.changed(&key, EventClass::Hash, "hdel");
        cx.remove_if_empty::<Hash>(&key);
    }
    reply.count(removed);
    Ok(())
}

fn hgetdel(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 1);
    let mut hash = cx.get_mut::<Hash>(&key)?;
    if !options::is(args.get(2), "fields") {
        return Err(NO_FIELDS);
    }
    let count = options::integer_or(args.get(3), NUMFIELDS)?;
    if count < 1 {
        return Err(NUMFIELDS);
    }
    if usize::try_from(count).ok() != Some(args.len() - 4) {
        return Err(OTHER_COUNT);
    }
    reply.array(args.len() - 4);
    let mut removed = false;
    for field in args.from(4) {
        elements::write_or_null(reply, hash.as_deref().and_then(|hash| hash.get(field)));
        removed |= hash.as_deref_mut().is_some_and(|hash| hash.remove(field));
    }
    if removed {
        cx.changed(&key, EventClass::Hash, "hdel");
        cx.remove_if_empty::<Hash>(&key);
    }
    Ok(())
}
