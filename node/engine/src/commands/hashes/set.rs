//! Setting fields.

use core::iter::once;

use quoris_resp::Writer;

use super::limits;
use crate::command::{Args, Command, Run};
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::{CommandError, Result};
use crate::spec::{Flags, Group, KeyAccess, Spec, block, key, string};

/// HSET key field value [field value …]
pub(super) const HSET: Command = Command {
    spec: Spec::new("hset", Group::Hash, "2.0.0", "Sets fields, and counts those that are new.")
        .args(&[
            key("key").access(KeyAccess::MODIFY),
            block("data", &[string("field"), string("value")]).multiple(),
        ])
        .complexity("O(N) where N is the number of fields set")
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(hset),
};

/// HMSET key field value [field value …]
pub(super) const HMSET: Command = Command {
    spec: Spec::new("hmset", Group::Hash, "2.0.0", "Sets fields. HSET does the same and counts.")
        .args(&[
            key("key").access(KeyAccess::MODIFY),
            block("data", &[string("field"), string("value")]).multiple(),
        ])
        .complexity("O(N) where N is the number of fields set")
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(hmset),
};

/// HSETNX key field value
pub(super) const HSETNX: Command = Command {
    spec: Spec::new("hsetnx", Group::Hash, "2.0.0", "Sets a field unless it exists.")
        .args(&[key("key").access(KeyAccess::INSERT), string("field"), string("value")])
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(hsetnx),
};

fn hset(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let added = set_all(cx, &args, "hset")?;
    reply.count(added);
    Ok(())
}

fn hmset(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    set_all(cx, &args, "hmset")?;
    reply.ok();
    Ok(())
}

/// Sets the pairs from word 2 on, and returns how many fields are new.
fn set_all(cx: &mut WriteCx<'_>, args: &Args<'_>, name: &str) -> Result<usize> {
    if !args.len().is_multiple_of(2) {
        return Err(CommandError::arity(name));
    }
    let limits = limits(cx);
    let key = cx.key(args, 1);
    let hash = cx.hash_or_new(&key, args.from(2).step_by(2))?;
    hash.expect((args.len() - 2) / 2, &limits);
    hash.reserve(args.from(2), &limits);
    let added = (2..args.len())
        .step_by(2)
        .filter(|&at| hash.insert(args.get(at), args.get(at + 1), &limits))
        .count();
    cx.changed(&key, EventClass::Hash, "hset");
    Ok(added)
}

fn hsetnx(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (limits, now_ms) = (limits(cx), cx.now_ms());
    let key = cx.key(&args, 1);
    let hash = cx.hash_or_new(&key, once(args.get(2)))?;
    let added = !hash.at(now_ms).contains(args.get(2));
    if added {
        hash.insert(args.get(2), args.get(3), &limits);
        cx.changed(&key, EventClass::Hash, "hset");
    }
    reply.count(usize::from(added));
    Ok(())
}
