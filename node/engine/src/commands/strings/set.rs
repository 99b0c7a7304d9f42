//! `SET` with its options, and the older commands that one of them replaced.

use quoris_resp::Writer;

use super::comparison::{self, Comparison};
use super::get::write_string;
use crate::command::{Args, Command, Run};
use crate::commands::expiry_options::{LIFETIME_OR_KEEPTTL, TimeUnit, positive_time};
use crate::commands::options::is;
use crate::context::{Expiry, WriteCx};
use crate::effects::EventClass;
use crate::error::{Result, SYNTAX};
use crate::keyspace::Key;
use crate::spec::{Flags, Group, KeyAccess, Spec, integer, key, one_of, string, token};

/// SET key value [NX | XX | IFEQ value | IFNE value | IFDEQ digest | IFDNE digest] [GET]
/// [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]
pub(super) const SET: Command = Command {
    spec: Spec::new("set", Group::String, "1.0.0", "Sets a key to a string, whatever it held.")
        .args(&[
            key("key").access(KeyAccess::EXCHANGE),
            string("value"),
            one_of(
                "condition",
                &[
                    token("nx", "NX"),
                    token("xx", "XX"),
                    comparison::IFEQ,
                    comparison::IFNE,
                    comparison::IFDEQ,
                    comparison::IFDNE,
                ],
            )
            .optional(),
            token("get", "GET").optional(),
            LIFETIME_OR_KEEPTTL,
        ])
        .flags(Flags::DENYOOM),
    run: Run::Write(set),
};

/// SETNX key value
pub(super) const SETNX: Command = Command {
    spec: Spec::new("setnx", Group::String, "1.0.0", "Sets a string if the key does not exist.")
        .args(&[key("key").access(KeyAccess::OVERWRITE), string("value")])
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(setnx),
};

/// SETEX key seconds value
pub(super) const SETEX: Command = Command {
    spec: Spec::new("setex", Group::String, "2.0.0", "Sets a string that expires in seconds.")
        .args(&[key("key").access(KeyAccess::OVERWRITE), integer("seconds"), string("value")])
        .flags(Flags::DENYOOM),
    run: Run::Write(setex),
};

/// PSETEX key milliseconds value
pub(super) const PSETEX: Command = Command {
    spec: Spec::new(
        "psetex",
        Group::String,
        "2.6.0",
        "Sets a string that expires in milliseconds.",
    )
    .args(&[key("key").access(KeyAccess::OVERWRITE), integer("milliseconds"), string("value")])
    .flags(Flags::DENYOOM),
    run: Run::Write(psetex),
};

/// GETSET key value
pub(super) const GETSET: Command = Command {
    spec: Spec::new("getset", Group::String, "1.0.0", "Sets a string and returns the one before.")
        .args(&[key("key").access(KeyAccess::EXCHANGE), string("value")])
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(getset),
};

/// When `SET` stores.
#[derive(Clone, Copy, Default)]
pub(super) enum Condition<'a> {
    /// Whatever there is.
    #[default]
    Always,
    /// `NX`
    Missing,
    /// `XX`
    Present,
    /// `IFEQ` and its like.
    Compared(Comparison<'a>),
}

impl Condition<'_> {
    const fn is_given(self) -> bool {
        !matches!(self, Condition::Always)
    }

    fn holds(self, cx: &WriteCx<'_>, key: &Key<'_>) -> Result<bool> {
        Ok(match self {
            Condition::Always => true,
            Condition::Missing => cx.entry(key).is_none(),
            Condition::Present => cx.entry(key).is_some(),
            Condition::Compared(comparison) => comparison.holds(cx.string(key)?)?,
        })
    }
}

#[derive(Clone, Copy, Default)]
enum Lifetime<'a> {
    #[default]
    Forever,
    Keep,
    Until(TimeUnit, &'a [u8]),
}

/// The options of `SET`.
#[derive(Default)]
pub(super) struct Options<'a> {
    /// When it stores.
    pub condition: Condition<'a>,
    lifetime: Lifetime<'a>,
    /// Whether it returns what was there.
    pub get: bool,
}

impl<'a> Options<'a> {
    /// Reads the options from word `at` on.
    ///
    /// # Errors
    /// `ERR syntax error`.
    pub fn parse(args: &Args<'a>, mut at: usize) -> Result<Options<'a>> {
        let mut options = Options::default();
        while let Some(word) = args.try_get(at) {
            let value = args.try_get(at + 1);
            at += 1;
            if is(word, "get") {
                options.get = true;
            } else if let Some((condition, words)) = condition(word, value) {
                if options.condition.is_given() && !same(options.condition, condition) {
                    return Err(SYNTAX);
                }
                options.condition = condition;
                at += words;
            } else if is(word, "keepttl") {
                if matches!(options.lifetime, Lifetime::Until(..)) {
                    return Err(SYNTAX);
                }
                options.lifetime = Lifetime::Keep;
            } else {
                let unit = TimeUnit::of_option(word).ok_or(SYNTAX)?;
                match options.lifetime {
                    Lifetime::Forever => {}
                    Lifetime::Until(before, _) if before == unit => {}
                    _ => return Err(SYNTAX),
                }
                options.lifetime = Lifetime::Until(unit, value.ok_or(SYNTAX)?);
                at += 1;
            }
        }
        Ok(options)
    }

    /// What becomes of the lifetime of a key that a command called `name` sets.
    ///
    /// # Errors
    /// That a time is not an integer, or not positive.
    pub fn expiry(&self, now_ms: u64, name: &str) -> Result<Expiry> {
        Ok(match self.lifetime {
            Lifetime::Forever => Expiry::Clear,
            Lifetime::Keep => Expiry::Keep,
            Lifetime::Until(unit, text) => Expiry::At(positive_time(text, unit, now_ms, name)?),
        })
    }
}

/// The condition that an option states, and how many words it takes beyond its name.
fn condition<'a>(word: &[u8], value: Option<&'a [u8]>) -> Option<(Condition<'a>, usize)> {
    if is(word, "nx") {
        Some((Condition::Missing, 0))
    } else if is(word, "xx") {
        Some((Condition::Present, 0))
    } else {
        Some((Condition::Compared(Comparison::of_option(word, value?)?), 1))
    }
}

/// `NX NX` is allowed, as in Redis; a comparison may be given once.
fn same(one: Condition<'_>, other: Condition<'_>) -> bool {
    matches!(
        (one, other),
        (Condition::Missing, Condition::Missing) | (Condition::Present, Condition::Present)
    )
}

fn set(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 1);
    if args.len() == 3 {
        store(cx, &key, args.get(2), Expiry::Clear);
        reply.ok();
        return Ok(());
    }
    let options = Options::parse(&args, 3)?;
    let expiry = options.expiry(cx.now_ms(), "set")?;
    if options.get {
        write_old(cx, &key, reply)?;
    }
    let stores = options.condition.holds(cx, &key)?;
    if stores {
        store(cx, &key, args.get(2), expiry);
    }
    match (options.get, stores) {
        (true, _) => {}
        (false, true) => reply.ok(),
        (false, false) => reply.null(),
    }
    Ok(())
}

fn setnx(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 1);
    let missing = cx.entry(&key).is_none();
    if missing {
        store(cx, &key, args.get(2), Expiry::Clear);
    }
    reply.integer(i64::from(missing));
    Ok(())
}

fn setex(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    set_until(cx, args, reply, TimeUnit::Seconds, "setex")
}

fn psetex(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    set_until(cx, args, reply, TimeUnit::Milliseconds, "psetex")
}

fn set_until(
    cx: &mut WriteCx<'_>,
    args: Args<'_>,
    reply: &mut Writer<'_>,
    unit: TimeUnit,
    name: &str,
) -> Result {
    let at_ms = positive_time(args.get(2), unit, cx.now_ms(), name)?;
    let key = cx.key(&args, 1);
    store(cx, &key, args.get(3), Expiry::At(at_ms));
    reply.ok();
    Ok(())
}

fn getset(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 1);
    write_old(cx, &key, reply)?;
    store(cx, &key, args.get(2), Expiry::Clear);
    Ok(())
}

fn write_old(cx: &WriteCx<'_>, key: &Key<'_>, reply: &mut Writer<'_>) -> Result {
    match cx.string(key)? {
        Some(old) => write_string(old, reply),
        None => reply.null(),
    }
    Ok(())
}

/// Stores a string and announces it.
#[inline]
pub(super) fn store(cx: &mut WriteCx<'_>, key: &Key<'_>, bytes: &[u8], expiry: Expiry) {
    cx.put_string(key, bytes, expiry);
    cx.changed(key, EventClass::String, "set");
    if matches!(expiry, Expiry::At(_)) {
        cx.notify(EventClass::Generic, "expire", key);
    }
}
