//! Setting when keys expire.

use alloc::format;
use alloc::string::String;

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::expiry_options::TimeUnit;
use crate::commands::options::{integer as parse_integer, is};
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::{CommandError, Result};
use crate::keyspace::Key;
use crate::spec::{Arg, Flags, Group, KeyAccess, Spec, integer, key, one_of, token, unix_time};

const CONDITION: Arg = one_of(
    "condition",
    &[token("nx", "NX"), token("xx", "XX"), token("gt", "GT"), token("lt", "LT")],
)
.optional();

const KEY: Arg = key("key").access(KeyAccess::MODIFY);

/// EXPIRE key seconds [NX | XX | GT | LT]
pub(super) const EXPIRE: Command = Command {
    spec: Spec::new("expire", Group::Generic, "1.0.0", "Lets a key expire in some seconds.")
        .args(&[KEY, integer("seconds"), CONDITION])
        .flags(Flags::FAST),
    run: Run::Write(|cx, args, reply| expire(cx, args, reply, TimeUnit::Seconds, "expire")),
};

/// PEXPIRE key milliseconds [NX | XX | GT | LT]
pub(super) const PEXPIRE: Command = Command {
    spec: Spec::new("pexpire", Group::Generic, "2.6.0", "Lets a key expire in some milliseconds.")
        .args(&[KEY, integer("milliseconds"), CONDITION])
        .flags(Flags::FAST),
    run: Run::Write(|cx, args, reply| expire(cx, args, reply, TimeUnit::Milliseconds, "pexpire")),
};

/// EXPIREAT key unix-time-seconds [NX | XX | GT | LT]
pub(super) const EXPIREAT: Command = Command {
    spec: Spec::new("expireat", Group::Generic, "1.2.0", "Lets a key expire at a second.")
        .args(&[KEY, unix_time("unix-time-seconds"), CONDITION])
        .flags(Flags::FAST),
    run: Run::Write(|cx, args, reply| expire(cx, args, reply, TimeUnit::UnixSeconds, "expireat")),
};

/// PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]
pub(super) const PEXPIREAT: Command = Command {
    spec: Spec::new("pexpireat", Group::Generic, "2.6.0", "Lets a key expire at a millisecond.")
        .args(&[KEY, unix_time("unix-time-milliseconds"), CONDITION])
        .flags(Flags::FAST),
    run: Run::Write(|cx, args, reply| {
        expire(cx, args, reply, TimeUnit::UnixMilliseconds, "pexpireat")
    }),
};

/// PERSIST key
pub(super) const PERSIST: Command = Command {
    spec: Spec::new("persist", Group::Generic, "2.2.0", "Lets a key live for ever.")
        .args(&[KEY])
        .flags(Flags::FAST),
    run: Run::Write(persist),
};

const NX_WITH_OTHERS: CommandError =
    CommandError::fixed("ERR NX and XX, GT or LT options at the same time are not compatible");
const GT_WITH_LT: CommandError =
    CommandError::fixed("ERR GT and LT options at the same time are not compatible");

/// Which changes of an expiry are wanted.
#[derive(Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "the options are four independent words")]
struct Conditions {
    none_before: bool,
    some_before: bool,
    later: bool,
    earlier: bool,
}

impl Conditions {
    fn parse(args: &Args<'_>) -> Result<Conditions> {
        let mut wanted = Conditions::default();
        for word in args.from(3) {
            if is(word, "nx") {
                wanted.none_before = true;
            } else if is(word, "xx") {
                wanted.some_before = true;
            } else if is(word, "gt") {
                wanted.later = true;
            } else if is(word, "lt") {
                wanted.earlier = true;
            } else {
                let word = String::from_utf8_lossy(word);
                return Err(CommandError::text(format!("ERR Unsupported option {word}")));
            }
        }
        if wanted.none_before && (wanted.some_before || wanted.later || wanted.earlier) {
            return Err(NX_WITH_OTHERS);
        }
        if wanted.later && wanted.earlier { Err(GT_WITH_LT) } else { Ok(wanted) }
    }

    /// A key that lives for ever expires later than any other.
    fn hold(self, old: Option<u64>, new: i64) -> bool {
        !(self.none_before && old.is_some()
            || self.some_before && old.is_none()
            || self.later && old.is_none_or(|old| new <= old as i64)
            || self.earlier && old.is_some_and(|old| new >= old as i64))
    }
}

fn expire(
    cx: &mut WriteCx<'_>,
    args: Args<'_>,
    reply: &mut Writer<'_>,
    unit: TimeUnit,
    name: &str,
) -> Result {
    let wanted = Conditions::parse(&args)?;
    let value = parse_integer(args.get(2))?;
    let at_ms = unit.at_ms(value, cx.now_ms()).ok_or_else(|| CommandError::invalid_expire(name))?;
    let key = cx.key(&args, 1);
    let holds = cx.entry(&key).is_some_and(|entry| wanted.hold(entry.expire_at_ms(), at_ms));
    if holds {
        set(cx, &key, at_ms);
    }
    reply.integer(i64::from(holds));
    Ok(())
}

/// Sets the expiry of a key that exists; a time that has come deletes it.
fn set(cx: &mut WriteCx<'_>, key: &Key<'_>, at_ms: i64) {
    if at_ms <= cx.now_ms() as i64 {
        cx.remove(key);
        cx.changed(key, EventClass::Generic, "del");
    } else {
        cx.set_expiry(key, Some(at_ms as u64));
        cx.changed(key, EventClass::Generic, "expire");
    }
}

fn persist(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 1);
    let persisted = cx.persist(&key);
    if persisted {
        cx.changed(&key, EventClass::Generic, "persist");
    }
    reply.integer(i64::from(persisted));
    Ok(())
}
