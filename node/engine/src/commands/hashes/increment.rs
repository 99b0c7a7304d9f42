//! Fields as counters. They keep their deadlines.

use core::iter::once;

use quoris_resp::Writer;

use super::limits;
use crate::command::{Args, Command, Run};
use crate::commands::decimal::Decimal;
use crate::commands::options;
use crate::context::{Expiry, WriteCx};
use crate::effects::EventClass;
use crate::error::{CommandError, NAN_OR_INFINITY, NOT_FLOAT, OVERFLOW, Result};
use crate::spec::{Flags, Group, KeyAccess, Spec, double, integer, key, string};
use crate::types::Element;

/// HINCRBY key field increment
pub(super) const HINCRBY: Command = Command {
    spec: Spec::new("hincrby", Group::Hash, "2.0.0", "Adds an integer to the value of a field.")
        .args(&[key("key").access(KeyAccess::UPDATE), string("field"), integer("increment")])
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(hincrby),
};

/// HINCRBYFLOAT key field increment
pub(super) const HINCRBYFLOAT: Command = Command {
    spec: Spec::new("hincrbyfloat", Group::Hash, "2.6.0", "Adds a decimal number to a field.")
        .args(&[key("key").access(KeyAccess::UPDATE), string("field"), double("increment")])
        .differs("Adds exactly, in decimal, where Redis rounds as long doubles do; numbers stay in the range of a double.")
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(hincrbyfloat),
};

const VALUE_NOT_INTEGER: CommandError = CommandError::fixed("ERR hash value is not an integer");
const VALUE_NOT_FLOAT: CommandError = CommandError::fixed("ERR hash value is not a float");
const INFINITE_INCREMENT: CommandError = CommandError::fixed("ERR value is NaN or Infinity");

fn hincrby(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let increment = options::integer(args.get(3))?;
    let (limits, now_ms) = (limits(cx), cx.now_ms());
    let key = cx.key(&args, 1);
    // Only a field that is there can make this fail, so a failure leaves no empty hash behind.
    let hash = cx.hash_or_new(&key, once(args.get(2)))?;
    let old = match hash.at(now_ms).get(args.get(2)) {
        None => 0,
        Some(Element::Integer(value)) => value,
        Some(Element::Bytes(_)) => return Err(VALUE_NOT_INTEGER),
    };
    let new = old.checked_add(increment).ok_or(OVERFLOW)?;
    hash.put(args.get(2), itoa::Buffer::new().format(new).as_bytes(), Expiry::Keep, &limits);
    cx.changed(&key, EventClass::Hash, "hincrby");
    reply.integer(new);
    Ok(())
}

fn hincrbyfloat(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let increment = match Decimal::parse(args.get(3)).ok_or(NOT_FLOAT)? {
        Decimal::Rough(value) if value.is_infinite() => return Err(INFINITE_INCREMENT),
        increment => increment,
    };
    let (limits, now_ms) = (limits(cx), cx.now_ms());
    let key = cx.key(&args, 1);
    // As above, a failure leaves no empty hash behind.
    let hash = cx.hash_or_new(&key, once(args.get(2)))?;
    let old = match hash.at(now_ms).get(args.get(2)) {
        None => Decimal::ZERO,
        Some(value) => value.with_bytes(Decimal::parse).ok_or(VALUE_NOT_FLOAT)?,
    };
    let new = old.add(increment).ok_or(NAN_OR_INFINITY)?.format();
    hash.put(args.get(2), new.as_bytes(), Expiry::Keep, &limits);
    cx.changed(&key, EventClass::Hash, "hincrbyfloat");
    reply.bulk(new.as_bytes());
    Ok(())
}
