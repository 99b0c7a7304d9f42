//! Giving fields deadlines, and taking them away. The rules are those of Redis 7.4.

use quoris_resp::Writer;

use super::arguments::{self, ABOVE_ZERO, FIELDS, POSITIVE, deadline};
use crate::command::{Args, Command, Run};
use crate::commands::expiry_options::TimeUnit;
use crate::commands::options::is;
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::Result;
use crate::spec::{Arg, Flags, Group, KeyAccess, Spec, integer, key, one_of, token, unix_time};
use crate::types::Hash;

const KEY: Arg = key("key").access(KeyAccess::MODIFY);
const CONDITION: Arg = one_of(
    "condition",
    &[token("nx", "NX"), token("xx", "XX"), token("gt", "GT"), token("lt", "LT")],
)
.optional();
const COMPLEXITY: &str = "O(N) where N is the number of specified fields";
const FLAGS: Flags = Flags::DENYOOM.or(Flags::FAST);

/// HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field …]
pub(super) const HEXPIRE: Command = Command {
    spec: Spec::new("hexpire", Group::Hash, "7.4.0", "Lets fields expire in seconds.")
        .args(&[KEY, integer("seconds"), CONDITION, FIELDS])
        .complexity(COMPLEXITY)
        .flags(FLAGS),
    run: Run::Write(|cx, args, reply| expire(cx, args, reply, TimeUnit::Seconds, "hexpire")),
};

/// HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field …]
pub(super) const HPEXPIRE: Command = Command {
    spec: Spec::new("hpexpire", Group::Hash, "7.4.0", "Lets fields expire in milliseconds.")
        .args(&[KEY, integer("milliseconds"), CONDITION, FIELDS])
        .complexity(COMPLEXITY)
        .flags(FLAGS),
    run: Run::Write(|cx, args, reply| expire(cx, args, reply, TimeUnit::Milliseconds, "hpexpire")),
};

/// HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field …]
pub(super) const HEXPIREAT: Command = Command {
    spec: Spec::new("hexpireat", Group::Hash, "7.4.0", "Lets fields expire at a second.")
        .args(&[KEY, unix_time("unix-time-seconds"), CONDITION, FIELDS])
        .complexity(COMPLEXITY)
        .flags(FLAGS),
    run: Run::Write(|cx, args, reply| expire(cx, args, reply, TimeUnit::UnixSeconds, "hexpireat")),
};

/// HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field …]
pub(super) const HPEXPIREAT: Command = Command {
    spec: Spec::new("hpexpireat", Group::Hash, "7.4.0", "Lets fields expire at a millisecond.")
        .args(&[KEY, unix_time("unix-time-milliseconds"), CONDITION, FIELDS])
        .complexity(COMPLEXITY)
        .flags(FLAGS),
    run: Run::Write(|cx, args, reply| {
        expire(cx, args, reply, TimeUnit::UnixMilliseconds, "hpexpireat")
    }),
};

/// HPERSIST key FIELDS numfields field [field …]
pub(super) const HPERSIST: Command = Command {
    spec: Spec::new("hpersist", Group::Hash, "7.4.0", "Lets fields live as long as their hash.")
        .args(&[KEY, FIELDS])
        .complexity(COMPLEXITY)
        .flags(Flags::FAST),
    run: Run::Write(hpersist),
};

const NO_FIELD: i64 = -2;
const NO_DEADLINE: i64 = -1;
const NOT_MET: i64 = 0;
const DONE: i64 = 1;
const DELETED: i64 = 2;

/// Which changes of a deadline are wanted.
#[derive(Clone, Copy)]
enum Condition {
    NoneBefore,
    SomeBefore,
    Later,
    Earlier,
}

impl Condition {
    fn parse(word: &[u8]) -> Option<Condition> {
        match word {
            _ if is(word, "nx") => Some(Condition::NoneBefore),
            _ if is(word, "xx") => Some(Condition::SomeBefore),
            _ if is(word, "gt") => Some(Condition::Later),
            _ if is(word, "lt") => Some(Condition::Earlier),
            _ => None,
        }
    }

    /// A field without a deadline expires later than any other.
    fn holds(self, old: Option<u64>, new: u64) -> bool {
        match self {
            Condition::NoneBefore => old.is_none(),
            Condition::SomeBefore => old.is_some(),
            Condition::Later => old.is_some_and(|old| old < new),
            Condition::Earlier => old.is_none_or(|old| old > new),
        }
    }
}

fn expire(
    cx: &mut WriteCx<'_>,
    args: Args<'_>,
    reply: &mut Writer<'_>,
    unit: TimeUnit,
    name: &str,
) -> Result {
    let (key, now_ms) = (cx.key(&args, 1), cx.now_ms());
    cx.get::<Hash>(&key)?;
    let at_ms = deadline(args.get(2), unit, now_ms, name)?;
    let condition = Condition::parse(args.get(3));
    let first = arguments::fields(&args, 3 + usize::from(condition.is_some()), ABOVE_ZERO)?;
    reply.array(args.len() - first);
    let Some(hash) = cx.hash_mut(&key, args.from(first))? else {
        args.from(first).for_each(|_| reply.integer(NO_FIELD));
        return Ok(());
    };
    let (mut changed, mut deleted) = (false, false);
    for field in args.from(first) {
        let code = match hash.at(now_ms).deadline_ms(field) {
            None => NO_FIELD,
            Some(old) if condition.is_some_and(|wanted| !wanted.holds(old, at_ms)) => NOT_MET,
            Some(_) if at_ms <= now_ms => {
                hash.remove(field);
                deleted = true;
                DELETED
            }
            Some(_) => {
                hash.set_deadline(field, Some(at_ms));
                changed = true;
                DONE
            }
        };
        reply.integer(code);
    }
    if changed || deleted {
        cx.changed(&key, EventClass::Hash, if deleted { "hdel" } else { "hexpire" });
        cx.remove_if_empty::<Hash>(&key);
        cx.note_deadlines(&key)?;
    }
    Ok(())
}

fn hpersist(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (key, now_ms) = (cx.key(&args, 1), cx.now_ms());
    cx.get::<Hash>(&key)?;
    let first = arguments::fields(&args, 2, POSITIVE)?;
    reply.array(args.len() - first);
    let Some(hash) = cx.hash_mut(&key, args.from(first))? else {
        args.from(first).for_each(|_| reply.integer(NO_FIELD));
        return Ok(());
    };
    let mut changed = false;
    for field in args.from(first) {
        reply.integer(match hash.at(now_ms).deadline_ms(field) {
            None => NO_FIELD,
            Some(None) => NO_DEADLINE,
            Some(Some(_)) => {
                hash.set_deadline(field, None);
                changed = true;
                DONE
            }
        });
    }
    if changed {
        cx.changed(&key, EventClass::Hash, "hpersist");
    }
    Ok(())
}
