//! Strings as counters.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::decimal::Decimal;
use crate::commands::options::integer as parse_integer;
use crate::context::{Expiry, WriteCx};
use crate::effects::EventClass;
use crate::error::{CommandError, NAN_OR_INFINITY, NOT_FLOAT, NOT_INTEGER, OVERFLOW, Result};
use crate::spec::{Flags, Group, KeyAccess, Spec, double, integer, key};

/// INCR key
pub(super) const INCR: Command = Command {
    spec: Spec::new("incr", Group::String, "1.0.0", "Adds one to the integer at a key.")
        .args(&[key("key").access(KeyAccess::UPDATE)])
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(incr),
};

/// DECR key
pub(super) const DECR: Command = Command {
    spec: Spec::new("decr", Group::String, "1.0.0", "Subtracts one from the integer at a key.")
        .args(&[key("key").access(KeyAccess::UPDATE)])
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(decr),
};

/// INCRBY key increment
pub(super) const INCRBY: Command = Command {
    spec: Spec::new("incrby", Group::String, "1.0.0", "Adds a number to the integer at a key.")
        .args(&[key("key").access(KeyAccess::UPDATE), integer("increment")])
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(incrby),
};

/// DECRBY key decrement
pub(super) const DECRBY: Command = Command {
    spec: Spec::new("decrby", Group::String, "1.0.0", "Subtracts a number from an integer.")
        .args(&[key("key").access(KeyAccess::UPDATE), integer("decrement")])
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(decrby),
};

/// INCRBYFLOAT key increment
pub(super) const INCRBYFLOAT: Command = Command {
    spec: Spec::new("incrbyfloat", Group::String, "2.6.0", "Adds to the decimal number at a key.")
        .args(&[key("key").access(KeyAccess::UPDATE), double("increment")])
        .differs("Adds exactly, in decimal, where Redis rounds as long doubles do; numbers stay in the range of a double.")
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(incrbyfloat),
};

const DECREMENT_OVERFLOW: CommandError = CommandError::fixed("ERR decrement would overflow");

fn incr(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    add(cx, &args, 1, reply)
}

fn decr(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    add(cx, &args, -1, reply)
}

fn incrby(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let increment = parse_integer(args.get(2))?;
    add(cx, &args, increment, reply)
}

fn decrby(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let decrement = parse_integer(args.get(2))?;
    let increment = decrement.checked_neg().ok_or(DECREMENT_OVERFLOW)?;
    add(cx, &args, increment, reply)
}

fn add(cx: &mut WriteCx<'_>, args: &Args<'_>, increment: i64, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(args, 1);
    let old = match cx.string(&key)? {
        None => 0,
        Some(string) => string.as_integer().ok_or(NOT_INTEGER)?,
    };
    let new = old.checked_add(increment).ok_or(OVERFLOW)?;
    cx.put_integer(&key, new, Expiry::Keep);
    cx.changed(&key, EventClass::String, "incrby");
    reply.integer(new);
    Ok(())
}

fn incrbyfloat(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 1);
    let old = match cx.string(&key)? {
        None => Decimal::ZERO,
        Some(string) => string.with_bytes(Decimal::parse).ok_or(NOT_FLOAT)?,
    };
    let increment = Decimal::parse(args.get(2)).ok_or(NOT_FLOAT)?;
    let new = old.add(increment).ok_or(NAN_OR_INFINITY)?.format();
    cx.put_text(&key, new.as_bytes(), Expiry::Keep);
    cx.changed(&key, EventClass::String, "incrbyfloat");
    reply.bulk(new.as_bytes());
    Ok(())
}
