//! Single bits.

use quoris_resp::Writer;

use super::bit_offset;
use crate::command::{Args, Command, Run};
use crate::commands::options;
use crate::context::{ReadCx, WriteCx};
use crate::effects::EventClass;
use crate::error::{CommandError, Result};
use crate::keyspace::StringRef;
use crate::spec::{Flags, Group, KeyAccess, Spec, integer, key};

/// SETBIT key offset value
pub(super) const SETBIT: Command = Command {
    spec: Spec::new(
        "setbit",
        Group::Bitmap,
        "2.2.0",
        "Sets or clears a bit of a string, and returns what it was.",
    )
    .args(&[key("key").access(KeyAccess::UPDATE), integer("offset"), integer("value")])
    .flags(Flags::DENYOOM),
    run: Run::Write(setbit),
};

/// GETBIT key offset
pub(super) const GETBIT: Command = Command {
    spec: Spec::new("getbit", Group::Bitmap, "2.2.0", "Returns a bit of a string.")
        .args(&[key("key"), integer("offset")])
        .flags(Flags::FAST),
    run: Run::Read(getbit),
};

const BIT: CommandError = CommandError::fixed("ERR bit is not an integer or out of range");

fn setbit(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let offset = bit_offset(cx.settings(), args.get(2), None)?;
    let on = match options::integer_or(args.get(3), BIT)? {
        0 => false,
        1 => true,
        _ => return Err(BIT),
    };
    let key = cx.key(&args, 1);
    let (byte, mask) = place(offset);
    let grows = cx.string(&key)?.is_none_or(|string| string.len() <= byte);
    let found = &mut cx.grow_string(&key, byte + 1)?[byte];
    let was_on = *found & mask != 0;
    *found = if on { *found | mask } else { *found & !mask };
    if grows || was_on != on {
        cx.changed(&key, EventClass::String, "setbit");
    }
    reply.integer(i64::from(was_on));
    Ok(())
}

fn getbit(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (byte, mask) = place(bit_offset(cx.settings(), args.get(2), None)?);
    let string = cx.string(&cx.key(&args, 1))?.unwrap_or(StringRef::Bytes(b""));
    let on = string.with_bytes(|bytes| bytes.get(byte).is_some_and(|found| found & mask != 0));
    reply.integer(i64::from(on));
    Ok(())
}

/// The byte in which a bit is, and the bit alone.
fn place(offset: u64) -> (usize, u8) {
    ((offset / 8) as usize, 0x80 >> (offset % 8))
}
