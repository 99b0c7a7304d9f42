//! Counting and finding bits.

use quoris_resp::Writer;

use super::range::{self, Unit};
use super::words;
use crate::command::{Args, Command, Run};
use crate::commands::options;
use crate::context::ReadCx;
use crate::error::{CommandError, Result, SYNTAX};
use crate::keyspace::StringRef;
use crate::spec::{Group, Spec, block, integer, key, one_of, token};

/// BITCOUNT key [start end [BYTE | BIT]]
pub(super) const BITCOUNT: Command = Command {
    spec: Spec::new("bitcount", Group::Bitmap, "2.6.0", "Counts the set bits of a string.")
        .args(&[
            key("key"),
            block(
                "range",
                &[
                    integer("start"),
                    integer("end"),
                    one_of("unit", &[token("byte", "BYTE"), token("bit", "BIT")]).optional(),
                ],
            )
            .optional(),
        ])
        .complexity("O(N)"),
    run: Run::Read(bitcount),
};

/// BITPOS key bit [start [end [BYTE | BIT]]]
pub(super) const BITPOS: Command = Command {
    spec: Spec::new(
        "bitpos",
        Group::Bitmap,
        "2.8.7",
        "Finds the first bit of a string that is set, or clear.",
    )
    .args(&[
        key("key"),
        integer("bit"),
        block(
            "range",
            &[
                integer("start"),
                block(
                    "end-unit-block",
                    &[
                        integer("end"),
                        one_of("unit", &[token("byte", "BYTE"), token("bit", "BIT")]).optional(),
                    ],
                )
                .optional(),
            ],
        )
        .optional(),
    ])
    .complexity("O(N)"),
    run: Run::Read(bitpos),
};

const BIT: CommandError = CommandError::fixed("ERR The bit argument must be 1 or 0.");

fn bitcount(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (start, end, unit) = match args.len() {
        2 => (0, -1, Unit::Byte),
        4 | 5 => (
            options::integer(args.get(2))?,
            options::integer(args.get(3))?,
            Unit::parse(args.try_get(4))?,
        ),
        _ => return Err(SYNTAX),
    };
    let string = cx.string(&cx.key(&args, 1))?.unwrap_or(StringRef::Bytes(b""));
    // Two negative ends in the wrong order stay empty, even if both are before the first byte.
    let crossed = start < 0 && end < 0 && start > end;
    let count = string.with_bytes(|bytes| {
        let bits = range::bits(start, end, unit, bytes.len());
        if crossed { 0 } else { words::count_in(bytes, bits) }
    });
    reply.integer(count as i64);
    Ok(())
}

fn bitpos(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let set = match options::integer(args.get(2))? {
        0 => false,
        1 => true,
        _ => return Err(BIT),
    };
    if args.len() > 6 {
        return Err(SYNTAX);
    }
    let start = args.try_get(3).map_or(Ok(0), options::integer)?;
    let unit = Unit::parse(args.try_get(5))?;
    let end = args.try_get(4).map(options::integer).transpose()?;
    let Some(string) = cx.string(&cx.key(&args, 1))? else {
        reply.integer(if set { -1 } else { 0 });
        return Ok(());
    };
    let found = string.with_bytes(|bytes| {
        let bits = range::bits(start, end.unwrap_or(-1), unit, bytes.len());
        // Behind the string there are zeros, unless the client said where to stop.
        let behind = !set && end.is_none() && !bits.is_empty();
        words::find_in(bytes, bits.clone(), set).or(behind.then_some(bits.end))
    });
    reply.integer(found.map_or(-1, |bit| bit as i64));
    Ok(())
}
