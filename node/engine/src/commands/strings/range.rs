//! Parts of strings.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::options::integer as parse_integer;
use crate::context::ReadCx;
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::{OFFSET_OUT_OF_RANGE, Result, STRING_TOO_LONG};
use crate::keyspace::StringRef;
use crate::spec::{Flags, Group, KeyAccess, Spec, integer, key, string};

/// APPEND key value
pub(super) const APPEND: Command = Command {
    spec: Spec::new("append", Group::String, "2.0.0", "Appends to the string at a key.")
        .args(&[key("key").access(KeyAccess::INSERT), string("value")])
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(append),
};

/// SETRANGE key offset value
pub(super) const SETRANGE: Command = Command {
    spec: Spec::new("setrange", Group::String, "2.2.0", "Overwrites a part of a string.")
        .args(&[key("key").access(KeyAccess::MODIFY), integer("offset"), string("value")])
        .flags(Flags::DENYOOM),
    run: Run::Write(setrange),
};

/// GETRANGE key start end
pub(super) const GETRANGE: Command = Command {
    spec: Spec::new("getrange", Group::String, "2.4.0", "Returns a part of a string.")
        .args(&[key("key"), integer("start"), integer("end")])
        .complexity("O(N) where N is the length of the returned string."),
    run: Run::Read(getrange),
};

/// SUBSTR key start end
pub(super) const SUBSTR: Command = Command {
    spec: Spec::new("substr", Group::String, "1.0.0", "Returns a part of a string: now GETRANGE.")
        .args(&[key("key"), integer("start"), integer("end")])
        .complexity("O(N) where N is the length of the returned string."),
    run: Run::Read(getrange),
};

fn append(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 1);
    let tail = args.get(2);
    let Some(old) = cx.string(&key)?.map(StringRef::len) else {
        cx.put_string(&key, tail, crate::context::Expiry::Clear);
        cx.changed(&key, EventClass::String, "append");
        reply.count(tail.len());
        return Ok(());
    };
    let len = old + tail.len();
    check_len(cx, len)?;
    cx.grow_string(&key, len)?[old..].copy_from_slice(tail);
    cx.changed(&key, EventClass::String, "append");
    reply.count(len);
    Ok(())
}

fn setrange(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let offset = usize::try_from(parse_integer(args.get(2))?).map_err(|_| OFFSET_OUT_OF_RANGE)?;
    let key = cx.key(&args, 1);
    let piece = args.get(3);
    let old = cx.string(&key)?.map_or(0, StringRef::len);
    if piece.is_empty() {
        reply.count(old);
        return Ok(());
    }
    let end = offset.checked_add(piece.len()).ok_or(STRING_TOO_LONG)?;
    check_len(cx, end)?;
    cx.grow_string(&key, end)?[offset..end].copy_from_slice(piece);
    cx.changed(&key, EventClass::String, "setrange");
    reply.count(old.max(end));
    Ok(())
}

fn check_len(cx: &WriteCx<'_>, len: usize) -> Result {
    if len as u64 > cx.settings().string_bytes_max { Err(STRING_TOO_LONG) } else { Ok(()) }
}

fn getrange(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (start, end) = (parse_integer(args.get(2))?, parse_integer(args.get(3))?);
    let string = cx.string(&cx.key(&args, 1))?.unwrap_or(StringRef::Bytes(b""));
    string.with_bytes(|bytes| reply.bulk(part(bytes, start, end)));
    Ok(())
}

/// The bytes from `start` to `end`, both included; negative places count from the end.
fn part(bytes: &[u8], start: i64, end: i64) -> &[u8] {
    if start < 0 && end < 0 && start > end {
        return b"";
    }
    let len = bytes.len() as i64;
    let place = |at: i64| if at < 0 { (len.saturating_add(at)).max(0) } else { at };
    let (start, end) = (place(start), place(end).min(len - 1));
    if start > end { b"" } else { &bytes[start as usize..=end as usize] }
}
