//! Counting an intersection.

use alloc::vec::Vec;

use quoris_resp::Writer;

use super::algebra::intersection;
use crate::command::{Args, Command, Run};
use crate::commands::options;
use crate::context::ReadCx;
use crate::error::{CommandError, Result, SYNTAX};
use crate::spec::{Flags, Group, Spec, integer, key};
use crate::types::Set;

/// SINTERCARD numkeys key [key …] [LIMIT limit]
pub(super) const SINTERCARD: Command = Command {
    spec: Spec::new("sintercard", Group::Set, "7.0.0", "Counts what several sets have in common.")
        .args(&[
            integer("numkeys"),
            key("key").multiple(),
            integer("limit").after("LIMIT").optional(),
        ])
        .complexity("O(N*M) worst case, N being the size of the smallest of M sets")
        .flags(Flags::MOVABLE_KEYS),
    run: Run::Read(sintercard),
};

const NUMKEYS: CommandError = CommandError::fixed("ERR numkeys should be greater than 0");
const TOO_MANY_KEYS: CommandError =
    CommandError::fixed("ERR Number of keys can't be greater than number of args");
const LIMIT: CommandError = CommandError::fixed("ERR LIMIT can't be negative");

fn sintercard(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let numkeys = options::integer_or(args.get(1), NUMKEYS)?;
    let numkeys = usize::try_from(numkeys).ok().filter(|n| *n > 0).ok_or(NUMKEYS)?;
    if numkeys > args.len() - 2 {
        return Err(TOO_MANY_KEYS);
    }
    let limit = parse_limit(&args, 2 + numkeys)?;
    let sets = (2..2 + numkeys).map(|word| cx.get::<Set>(&cx.key(&args, word)));
    let sets = sets.collect::<Result<Vec<_>>>()?;
    let common = intersection(&sets);
    reply.count(if limit == 0 { common.count() } else { common.take(limit).count() });
    Ok(())
}

/// The limit that the words from `at` on give; 0 is none.
fn parse_limit(args: &Args<'_>, mut at: usize) -> Result<usize> {
    let mut limit = 0;
    while let Some(word) = args.try_get(at) {
        let Some(value) = args.try_get(at + 1).filter(|_| options::is(word, "limit")) else {
            return Err(SYNTAX);
        };
        limit = usize::try_from(options::integer_or(value, LIMIT)?).map_err(|_| LIMIT)?;
        at += 2;
    }
    Ok(limit)
}
