//! Commands on the bits of strings. Bit 0 is the highest bit of the first byte, and a string is
//! followed by zeros without end.

mod bit;
mod combine;
mod count;
mod field;
mod field_commands;
mod range;
mod words;

use crate::command::Command;
use crate::error::{CommandError, Result};
use crate::settings::Settings;

pub(super) const COMMANDS: &[Command] = &[
    bit::GETBIT,
    bit::SETBIT,
    combine::BITOP,
    count::BITCOUNT,
    count::BITPOS,
    field_commands::BITFIELD,
    field_commands::BITFIELD_RO,
];

const BIT_OFFSET: CommandError =
    CommandError::fixed("ERR bit offset is not an integer or out of range");

/// The offset of a bit that a string of the permitted length can have. `#3` stands for the fourth
/// field of `width` bits where `width` is given.
fn bit_offset(settings: &Settings, text: &[u8], width: Option<u32>) -> Result<u64> {
    let (digits, scale) = match (text, width) {
        ([b'#', digits @ ..], Some(width)) => (digits, u64::from(width)),
        _ => (text, 1),
    };
    quoris_resp::parse_i64(digits)
        .and_then(|number| u64::try_from(number).ok())
        .and_then(|number| number.checked_mul(scale))
        .filter(|offset| offset / 8 < settings.string_bytes_max)
        .ok_or(BIT_OFFSET)
}
