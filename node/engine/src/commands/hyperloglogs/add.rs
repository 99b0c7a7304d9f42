//! Adding elements, and everything that was added elsewhere.

use quoris_resp::Writer;

use super::{read, store};
use crate::command::{Args, Command, Run};
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::Result;
use crate::keyspace::Key;
use crate::spec::{Flags, Group, KeyAccess, Spec, key, string};
use crate::types::hyperloglog::{self, HyperLogLog, RegisterEncoding, Union};

/// PFADD key [element …]
pub(super) const PFADD: Command = Command {
    spec: Spec::new("pfadd", Group::HyperLogLog, "2.8.9", "Adds elements to a HyperLogLog.")
        .args(&[key("key").access(KeyAccess::INSERT), string("element").multiple().optional()])
        .complexity("O(1) for each element")
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(pfadd),
};

/// PFMERGE destkey [sourcekey …]
pub(super) const PFMERGE: Command = Command {
    spec: Spec::new(
        "pfmerge",
        Group::HyperLogLog,
        "2.8.9",
        "Adds to a HyperLogLog what was added to others.",
    )
    .args(&[
        key("destkey").access(KeyAccess::UPDATE),
        key("sourcekey").multiple().optional().access(KeyAccess::READ),
    ])
    .complexity("O(N) for N sources")
    .flags(Flags::DENYOOM),
    run: Run::Write(pfmerge),
};

fn pfadd(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 1);
    let old = cx.string(&key)?.map(read).transpose()?;
    let updated = match old {
        Some(old) if old.encoding() == RegisterEncoding::Dense => add_in_place(cx, &key, &args)?,
        _ => {
            let mut sketch = old.map_or_else(HyperLogLog::default, HyperLogLog::copy_of);
            let mut updated = old.is_none();
            let sparse_bytes_max = cx.settings().hyperloglog_sparse_bytes_max as usize;
            for element in args.from(2) {
                updated |= sketch.add(element, sparse_bytes_max)?;
            }
            if updated {
                sketch.mark_stale();
                store(cx, &key, &sketch)?;
            }
            updated
        }
    };
    if updated {
        cx.changed(&key, EventClass::String, "pfadd");
    }
    reply.integer(i64::from(updated));
    Ok(())
}

/// Dense registers have their final size, so nothing is copied.
fn add_in_place(cx: &mut WriteCx<'_>, key: &Key<'_>, args: &Args<'_>) -> Result<bool> {
    let bytes = cx.grow_string(key, 0)?;
    let mut updated = false;
    for element in args.from(2) {
        updated |= hyperloglog::add_dense(bytes, element);
    }
    Ok(updated)
}

fn pfmerge(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let mut union = Union::default();
    let mut dense = false;
    for word in 1..args.len() {
        let Some(string) = cx.string(&cx.key(&args, word))? else { continue };
        let source = read(string)?;
        dense |= source.encoding() == RegisterEncoding::Dense;
        union.add(source)?;
    }
    let key = cx.key(&args, 1);
    let old = cx.string(&key)?.map(read).transpose()?;
    let mut sketch = old.map_or_else(HyperLogLog::default, HyperLogLog::copy_of);
    if dense {
        sketch.make_dense()?;
    }
    let sparse_bytes_max = cx.settings().hyperloglog_sparse_bytes_max as usize;
    for (index, value) in union.registers().iter().enumerate().filter(|(_, value)| **value > 0) {
        sketch.raise(index, *value, sparse_bytes_max)?;
    }
    sketch.mark_stale();
    store(cx, &key, &sketch)?;
    // Merging is adding many elements at once, and announced as such.
    cx.changed(&key, EventClass::String, "pfadd");
    reply.ok();
    Ok(())
}
