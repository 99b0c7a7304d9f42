//! Storing several strings at once.

use core::ops::Range;

use quoris_resp::Writer;

use super::set::{Condition, Options, store};
use crate::command::{Args, Command, Run};
use crate::commands::expiry_options::LIFETIME_OR_KEEPTTL;
use crate::commands::options;
use crate::context::{Expiry, WriteCx};
use crate::error::{CommandError, Result, SYNTAX};
use crate::spec::{
    Find, Flags, Group, KeyAccess, KeySpec, Spec, block, integer, key, one_of, string, token,
};

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

/// MSETEX numkeys key value [key value …] [NX | XX]
/// [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]
///
/// The rules are Redis 8.4's, which are those of Valkey 9.1.
pub(super) const MSETEX: Command = Command {
    spec: Spec::new(
        "msetex",
        Group::String,
        "8.4.0",
        "Sets several keys to strings with one lifetime, if all or none of them exist.",
    )
    .tips(&["request_policy:multi_shard", "response_policy:all_succeeded"])
    .args(&[
        integer("numkeys"),
        block("data", &[key("key").access(KeyAccess::OVERWRITE), string("value")]).multiple(),
        one_of("condition", &[token("nx", "NX"), token("xx", "XX")]).optional(),
        LIFETIME_OR_KEEPTTL,
    ])
    .keys([
        Some(KeySpec {
            find: Find::Count { first: 1, step: 2 },
            ..KeySpec::single(1).access(KeyAccess::OVERWRITE)
        }),
        None,
        None,
    ])
    .flags(Flags::DENYOOM)
    .complexity("O(N) where N is the number of keys to set."),
    run: Run::Write(msetex),
};

const BAD_COUNT: CommandError = CommandError::fixed("ERR invalid numkeys value");
const OTHER_COUNT: CommandError = CommandError::fixed("ERR wrong number of key-value pairs");

fn mset(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    check_pairs(&args, "mset")?;
    store_all(cx, &args, 1..args.len(), Expiry::Clear);
    reply.ok();
    Ok(())
}

fn msetnx(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    check_pairs(&args, "msetnx")?;
    let free = (1..args.len()).step_by(2).all(|word| cx.entry(&cx.key(&args, word)).is_none());
    if free {
        store_all(cx, &args, 1..args.len(), Expiry::Clear);
    }
    reply.integer(i64::from(free));
    Ok(())
}

fn check_pairs(args: &Args<'_>, name: &str) -> Result {
    if args.len().is_multiple_of(2) { Err(CommandError::arity(name)) } else { Ok(()) }
}

fn msetex(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let count = i32::try_from(options::integer_or(args.get(1), BAD_COUNT)?).ok();
    let count = count.filter(|count| *count > 0).ok_or(BAD_COUNT)? as usize;
    let words = 2..2 + 2 * count;
    if words.end > args.len() {
        return Err(OTHER_COUNT);
    }
    let options = Options::parse(&args, words.end)?;
    let exist = match options.condition {
        _ if options.get => return Err(SYNTAX),
        Condition::Always => None,
        Condition::Missing => Some(false),
        Condition::Present => Some(true),
        Condition::Compared(_) => return Err(SYNTAX),
    };
    let expiry = options.expiry(cx.now_ms(), "msetex")?;
    let mut keys = words.clone().step_by(2);
    let stores = exist
        .is_none_or(|wanted| keys.all(|word| cx.entry(&cx.key(&args, word)).is_some() == wanted));
    if stores {
        store_all(cx, &args, words, expiry);
    }
    reply.integer(i64::from(stores));
    Ok(())
}

fn store_all(cx: &mut WriteCx<'_>, args: &Args<'_>, words: Range<usize>, expiry: Expiry) {
    for word in words.step_by(2) {
        let key = cx.key(args, word);
        store(cx, &key, args.get(word + 1), expiry);
    }
}
