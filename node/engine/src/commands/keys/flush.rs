//! Emptying and exchanging databases.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::options::{int32, is};
use crate::context::WriteCx;
use crate::error::{CommandError, DB_OUT_OF_RANGE, Result, SYNTAX};
use crate::spec::{Arg, Categories, Flags, Group, Spec, integer, one_of, token};

const MODE: Arg =
    one_of("flush-type", &[token("async", "ASYNC"), token("sync", "SYNC")]).optional();

const OF_KEYSPACE: Categories = Categories::KEYSPACE.or(Categories::DANGEROUS);

/// FLUSHDB [ASYNC | SYNC]
pub(super) const FLUSHDB: Command = Command {
    spec: Spec::new("flushdb", Group::Server, "1.0.0", "Removes all keys of the database.")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"])
        .args(&[MODE])
        .categories(OF_KEYSPACE)
        .complexity("O(N) where N is the number of keys in the selected database"),
    run: Run::Write(flushdb),
};

/// FLUSHALL [ASYNC | SYNC]
pub(super) const FLUSHALL: Command = Command {
    spec: Spec::new("flushall", Group::Server, "1.0.0", "Removes all keys of all databases.")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"])
        .args(&[MODE])
        .categories(OF_KEYSPACE)
        .complexity("O(N) where N is the total number of keys in all databases"),
    run: Run::Write(flushall),
};

/// SWAPDB index1 index2
pub(super) const SWAPDB: Command = Command {
    spec: Spec::new("swapdb", Group::Server, "4.0.0", "Exchanges two databases.")
        .args(&[integer("index1"), integer("index2")])
        .flags(Flags::FAST)
        .categories(OF_KEYSPACE),
    run: Run::Write(swapdb),
};

const FIRST_INVALID: CommandError = CommandError::fixed("ERR invalid first DB index");
const SECOND_INVALID: CommandError = CommandError::fixed("ERR invalid second DB index");

/// Both modes are the same here: which thread frees the memory is not the engine's business.
fn check_mode(args: &Args<'_>) -> Result {
    let known = args.from(1).all(|word| is(word, "async") || is(word, "sync"));
    if known && args.len() <= 2 { Ok(()) } else { Err(SYNTAX) }
}

fn flushdb(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    check_mode(&args)?;
    let db = cx.db();
    cx.flush(db);
    cx.flushed(Some(db));
    reply.ok();
    Ok(())
}

fn flushall(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    check_mode(&args)?;
    (0..cx.keyspace_mut().database_count()).for_each(|db| cx.flush(db));
    cx.flushed(None);
    reply.ok();
    Ok(())
}

fn swapdb(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let one = int32(args.get(1)).map_err(|_| FIRST_INVALID)?;
    let other = int32(args.get(2)).map_err(|_| SECOND_INVALID)?;
    let number = |given: i32| {
        let number = u16::try_from(given).ok().filter(|&n| n < cx.settings().databases);
        number.ok_or(DB_OUT_OF_RANGE)
    };
    let (one, other) = (number(one)?, number(other)?);
    if one != other {
        cx.keyspace_mut().swap(one, other);
        cx.flushed(Some(one));
        cx.flushed(Some(other));
    }
    reply.ok();
    Ok(())
}
