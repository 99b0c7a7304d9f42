//! Commands that count different elements without keeping them.

mod add;
mod count;
mod debug;

use crate::command::Command;
use crate::context::{Expiry, WriteCx};
use crate::error::{CommandError, Result};
use crate::keyspace::{Key, StringRef};
use crate::types::hyperloglog::{Corrupted, HyperLogLog, HyperLogLogRef};

pub(super) const COMMANDS: &[Command] =
    &[add::PFADD, add::PFMERGE, count::PFCOUNT, debug::PFDEBUG, debug::PFSELFTEST];

const NOT_HYPERLOGLOG: CommandError =
    CommandError::fixed("WRONGTYPE Key is not a valid HyperLogLog string value.");

impl From<Corrupted> for CommandError {
    fn from(_: Corrupted) -> Self {
        CommandError::fixed("INVALIDOBJ Corrupted HLL object detected")
    }
}

/// The `HyperLogLog` that a string is.
fn read(string: StringRef<'_>) -> Result<HyperLogLogRef<'_>> {
    match string {
        StringRef::Bytes(bytes) => HyperLogLogRef::new(bytes).ok_or(NOT_HYPERLOGLOG),
        StringRef::Integer(_) => Err(NOT_HYPERLOGLOG),
    }
}

/// Stores a changed `HyperLogLog` under a key that keeps its expiry.
fn store(cx: &mut WriteCx<'_>, key: &Key<'_>, changed: &HyperLogLog) -> Result {
    let bytes = changed.as_bytes();
    cx.put_text(key, bytes, Expiry::Keep);
    // Not for its length: clients see that the string was changed in place (`OBJECT ENCODING`).
    cx.grow_string(key, bytes.len())?;
    Ok(())
}
