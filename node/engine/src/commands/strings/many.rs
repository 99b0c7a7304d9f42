//! Storing several strings at once.

use quoris_resp::Writer;

use super::set::store;
use crate::command::{Args, Command, Run};
use crate::context::{Expiry, WriteCx};
use crate::error::{CommandError, Result};
use crate::spec::{Flags, Group, KeyAccess, Spec, block, key, string};

/// MSET key value [key value …]
pub(super) const MSET: Command = Command {
    spec: Spec::new("mset", Group::String, "1.0.1", "Sets several keys to strings.")
        .tips(&["request_policy:multi_shard", "response_policy:all_succeeded"])
        .args(&[
            block("data", &[key("key").access(KeyAccess::OVERWRITE), string("value")]).multiple()
        ])
        .flags(Flags::DENYOOM)
        .complexity("O(N) where N is the number of keys to set."),
    run: Run::Write(mset),
};

/// MSETNX key value [key value …]
pub(super) const MSETNX: Command = Command {
    spec: Spec::new(
        "msetnx",
        Group::String,
        "1.0.1",
        "Sets several keys to strings if none of them exists.",
    )
    .tips(&["request_policy:multi_shard", "response_policy:agg_min"])
    .args(&[block("data", &[key("key").access(KeyAccess::OVERWRITE), string("value")]).multiple()])
    .flags(Flags::DENYOOM)
    .complexity("O(N) where N is the number of keys to set."),
    run: Run::Write(msetnx),
};

fn mset(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    check_pairs(&args, "mset")?;
    store_all(cx, &args);
    reply.ok();
    Ok(())
}

fn msetnx(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    check_pairs(&args, "msetnx")?;
    let free = (1..args.len()).step_by(2).all(|word| cx.entry(&cx.key(&args, word)).is_none());
    if free {
        store_all(cx, &args);
    }
    reply.integer(i64::from(free));
    Ok(())
}

fn check_pairs(args: &Args<'_>, name: &str) -> Result {
    if args.len().is_multiple_of(2) { Err(CommandError::arity(name)) } else { Ok(()) }
}

fn store_all(cx: &mut WriteCx<'_>, args: &Args<'_>) {
    for word in (1..args.len()).step_by(2) {
        let key = cx.key(args, word);
        store(cx, &key, args.get(word + 1), Expiry::Clear);
    }
}
