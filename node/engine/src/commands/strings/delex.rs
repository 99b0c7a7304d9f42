//! Deleting a string if it is what the client believes, and the digest to believe in.

use quoris_resp::Writer;

use super::comparison::{self, Comparison};
use crate::command::{Args, Command, Run};
use crate::context::{ReadCx, WriteCx};
use crate::effects::EventClass;
use crate::error::{CommandError, Result};
use crate::keyspace::{Key, ValueRef};
use crate::spec::{Flags, Group, KeyAccess, Spec, key, one_of, string};

/// DELEX key [IFEQ value | IFNE value | IFDEQ digest | IFDNE digest]
///
/// The rules are Redis 8.4's; Valkey 9.2 has the first two conditions.
pub(super) const DELEX: Command = Command {
    spec: Spec::new(
        "delex",
        Group::String,
        "8.4.0",
        "Deletes a key if its string or the digest of it is equal to another, or is not.",
    )
    .args(&[
        key("key").access(KeyAccess::DELETE_PART),
        one_of(
            "condition",
            &[comparison::IFEQ, comparison::IFNE, comparison::IFDEQ, comparison::IFDNE],
        )
        .optional(),
    ])
    .complexity(
        "O(1) for IFEQ/IFNE, O(N) for IFDEQ/IFDNE where N is the length of the string value.",
    )
    .flags(Flags::FAST),
    run: Run::Write(delex),
};

/// DELIFEQ key value
///
/// A command of Valkey 9.0; Redis has DELEX.
pub(super) const DELIFEQ: Command = Command {
    spec: Spec::new("delifeq", Group::String, "9.0.0", "Deletes a key if it holds this string.")
        .args(&[key("key").access(KeyAccess::DELETE_PART), string("value")])
        .flags(Flags::FAST),
    run: Run::Write(delifeq),
};

/// DIGEST key
///
/// A command of Redis 8.4.
pub(super) const DIGEST: Command = Command {
    spec: Spec::new("digest", Group::String, "8.4.0", "Returns the XXH3 hash of a string.")
        .args(&[key("key").access(KeyAccess::READ)])
        .complexity("O(N) where N is the length of the string value.")
        .flags(Flags::FAST),
    run: Run::Read(digest),
};

const NOT_A_STRING: CommandError =
    CommandError::fixed("ERR Key should be of string type if conditions are specified");
const BAD_CONDITION: CommandError =
    CommandError::fixed("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");

fn delex(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    if !matches!(args.len(), 2 | 4) {
        return Err(CommandError::arity("delex"));
    }
    let key = cx.key(&args, 1);
    let deletes = match (cx.value(&key), args.try_get(2), args.try_get(3)) {
        (None, _, _) => false,
        (Some(ValueRef::String(string)), Some(word), Some(other)) => {
            Comparison::of_option(word, other).ok_or(BAD_CONDITION)?.holds(Some(string))?
        }
        (Some(_), Some(_), _) => return Err(NOT_A_STRING),
        (Some(_), None, _) => true,
    };
    delete(cx, &key, deletes, reply);
    Ok(())
}

fn delifeq(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 1);
    let string = cx.string(&key)?;
    let deletes = string.is_some_and(|string| string.with_bytes(|bytes| bytes == args.get(2)));
    delete(cx, &key, deletes, reply);
    Ok(())
}

fn delete(cx: &mut WriteCx<'_>, key: &Key<'_>, deletes: bool, reply: &mut Writer<'_>) {
    if deletes {
        cx.remove(key);
        cx.changed(key, EventClass::Generic, "del");
    }
    reply.integer(i64::from(deletes));
}

fn digest(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    match cx.string(&cx.key(&args, 1))? {
        Some(string) => reply.bulk(&string.with_bytes(comparison::digest)),
        None => reply.null(),
    }
    Ok(())
}
