//! Combining whole strings bit by bit.

use alloc::vec::Vec;

use quoris_resp::Writer;

use super::words::{Combination, Operation};
use crate::command::{Args, Command, Run};
use crate::commands::options;
use crate::context::{Expiry, WriteCx};
use crate::effects::EventClass;
use crate::error::{CommandError, Result, SYNTAX};
use crate::keyspace::{StringRef, StringValue, Value};
use crate::spec::{Flags, Group, KeyAccess, Spec, key, one_of, token};

/// BITOP AND | OR | XOR | NOT | DIFF | DIFF1 | ANDOR | ONE destkey key [key …]
pub(super) const BITOP: Command = Command {
    spec: Spec::new(
        "bitop",
        Group::Bitmap,
        "2.6.0",
        "Combines strings bit by bit and stores the result.",
    )
    .args(&[
        one_of(
            "operation",
            &[
                token("and", "AND"),
                token("or", "OR"),
                token("xor", "XOR"),
                token("not", "NOT"),
                token("diff", "DIFF"),
                token("diff1", "DIFF1"),
                token("andor", "ANDOR"),
                token("one", "ONE"),
            ],
        ),
        key("destkey").access(KeyAccess::OVERWRITE),
        key("key").multiple().access(KeyAccess::READ),
    ])
    .complexity("O(N)")
    .flags(Flags::DENYOOM),
    run: Run::Write(bitop),
};

const ONE_SOURCE: CommandError =
    CommandError::fixed("ERR BITOP NOT must be called with a single source key.");

fn bitop(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let operation = parse(&args)?;
    let sources = (3..args.len())
        .map(|word| Ok(cx.string(&cx.key(&args, word))?.unwrap_or(StringRef::Bytes(b""))))
        .collect::<Result<Vec<_>>>()?;
    let len = sources.iter().map(|source| source.len()).max().unwrap_or(0);
    let mut all = Combination::new(operation, len);
    sources.iter().for_each(|source| source.with_bytes(|bytes| all.add(bytes)));
    let result = sources[0].with_bytes(|first| all.finish(first));

    let destination = cx.key(&args, 2);
    if len > 0 {
        cx.put(&destination, Value::String(StringValue::Bytes(result)), Expiry::Clear);
        // Not for its length, but because a result is kept as bytes that were changed in place.
        cx.grow_string(&destination, len)?;
        cx.changed(&destination, EventClass::String, "set");
    } else if cx.remove(&destination) {
        cx.changed(&destination, EventClass::Generic, "del");
    }
    reply.count(len);
    Ok(())
}

fn parse(args: &Args<'_>) -> Result<Operation> {
    let operation = match args.get(1) {
        word if options::is(word, "and") => Operation::And,
        word if options::is(word, "or") => Operation::Or,
        word if options::is(word, "xor") => Operation::Xor,
        word if options::is(word, "not") => Operation::Not,
        word if options::is(word, "diff") => Operation::Diff,
        word if options::is(word, "diff1") => Operation::Diff1,
        word if options::is(word, "andor") => Operation::AndOr,
        word if options::is(word, "one") => Operation::One,
        _ => return Err(SYNTAX),
    };
    let sources = args.len() - 3;
    if operation == Operation::Not && sources != 1 {
        return Err(ONE_SOURCE);
    }
    if sources == 1 {
        return match operation {
            Operation::Diff => Err(TWO_FOR_DIFF),
            Operation::Diff1 => Err(TWO_FOR_DIFF1),
            Operation::AndOr => Err(TWO_FOR_ANDOR),
            _ => Ok(operation),
        };
    }
    Ok(operation)
}

const TWO_FOR_DIFF: CommandError =
    CommandError::fixed("ERR BITOP DIFF must be called with at least two source keys.");
const TWO_FOR_DIFF1: CommandError =
    CommandError::fixed("ERR BITOP DIFF1 must be called with at least two source keys.");
const TWO_FOR_ANDOR: CommandError =
    CommandError::fixed("ERR BITOP ANDOR must be called with at least two source keys.");
