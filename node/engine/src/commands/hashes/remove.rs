//! Removing fields.

use quoris_resp::Writer;

use super::arguments;
use crate::command::{Args, Command, Run};
use crate::commands::elements;
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::Result;
use crate::spec::{Flags, Group, KeyAccess, Spec, key, string};
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
    .args(&[key("key").access(KeyAccess::TAKE), arguments::FIELDS])
    .complexity("O(N) where N is the number of fields named")
    .flags(Flags::FAST),
    run: Run::Write(hgetdel),
};

fn hdel(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 1);
    let removed = match cx.hash_mut(&key, args.from(2))? {
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
    cx.get::<Hash>(&key)?;
    let first = arguments::fields(&args, 2, arguments::POSITIVE)?;
    let now_ms = cx.now_ms();
    let mut hash = cx.hash_mut(&key, args.from(first))?;
    reply.array(args.len() - first);
    let mut removed = false;
    for field in args.from(first) {
        let value = hash.as_deref().and_then(|hash| hash.at(now_ms).get(field));
        elements::write_or_null(reply, value);
        removed |= hash.as_deref_mut().is_some_and(|hash| hash.remove(field));
    }
    if removed {
        cx.changed(&key, EventClass::Hash, "hdel");
        cx.remove_if_empty::<Hash>(&key);
    }
    Ok(())
}
