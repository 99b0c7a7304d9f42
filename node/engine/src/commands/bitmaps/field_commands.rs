//! Reading and changing integers inside strings.

use alloc::vec::Vec;

use quoris_resp::Writer;

use super::bit_offset;
use super::field::{Change, Field, Overflow};
use crate::command::{Args, Command, Run};
use crate::commands::options;
use crate::context::{ReadCx, WriteCx};
use crate::effects::EventClass;
use crate::error::{CommandError, Result, SYNTAX};
use crate::keyspace::StringRef;
use crate::settings::Settings;
use crate::spec::{Flags, Group, KeyAccess, Spec, block, integer, key, one_of, string, token};

/// BITFIELD key [GET encoding offset | [OVERFLOW WRAP | SAT | FAIL]
/// SET encoding offset value | INCRBY encoding offset increment …]
pub(super) const BITFIELD: Command = Command {
    spec: Spec::new(
        "bitfield",
        Group::Bitmap,
        "3.2.0",
        "Reads and changes integers of any width inside a string.",
    )
    .args(&[
        key("key").access(KeyAccess::UPDATE),
        one_of(
            "operation",
            &[
                block("get-block", &[string("encoding"), integer("offset")]).after("GET"),
                block(
                    "write",
                    &[
                        one_of(
                            "overflow-block",
                            &[token("wrap", "WRAP"), token("sat", "SAT"), token("fail", "FAIL")],
                        )
                        .after("OVERFLOW")
                        .optional(),
                        one_of(
                            "write-operation",
                            &[
                                block(
                                    "set-block",
                                    &[string("encoding"), integer("offset"), integer("value")],
                                )
                                .after("SET"),
                                block(
                                    "incrby-block",
                                    &[string("encoding"), integer("offset"), integer("increment")],
                                )
                                .after("INCRBY"),
                            ],
                        ),
                    ],
                ),
            ],
        )
        .multiple()
        .optional(),
    ])
    .complexity("O(1) for each subcommand")
    .flags(Flags::DENYOOM),
    run: Run::Write(bitfield),
};

/// `BITFIELD_RO` key [GET encoding offset …]
pub(super) const BITFIELD_RO: Command = Command {
    spec: Spec::new(
        "bitfield_ro",
        Group::Bitmap,
        "6.0.0",
        "Reads integers of any width inside a string.",
    )
    .args(&[
        key("key"),
        block("get-block", &[string("encoding"), integer("offset")])
            .after("GET")
            .multiple()
            .optional(),
    ])
    .complexity("O(1) for each subcommand")
    .flags(Flags::FAST),
    run: Run::Read(bitfield_ro),
};

const TYPE: CommandError = CommandError::fixed(
    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but \
     i64 is.",
);
const OVERFLOW_TYPE: CommandError = CommandError::fixed("ERR Invalid OVERFLOW type specified");
const ONLY_GET: CommandError =
    CommandError::fixed("ERR BITFIELD_RO only supports the GET subcommand");

/// One step of the command.
#[derive(Clone, Copy, Debug)]
struct Step {
    field: Field,
    /// `None` for a step that only reads.
    change: Option<(Change, Overflow)>,
}

fn bitfield(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let steps = parse(cx.settings(), &args)?;
    let key = cx.key(&args, 1);
    let old = cx.string(&key)?;
    let writes = steps.iter().filter(|step| step.change.is_some());
    let Some(end) = writes.map(|step| step.field.end_byte()).max() else {
        load_all(old, &steps, reply);
        return Ok(());
    };
    let mut changed = old.is_none_or(|string| string.len() < end);
    let bytes = cx.grow_string(&key, end)?;
    reply.array(steps.len());
    for step in steps {
        let old = step.field.load(bytes);
        let Some((change, overflow)) = step.change else {
            reply.integer(old);
            continue;
        };
        let Some(new) = step.field.change(old, change, overflow) else {
            reply.null();
            continue;
        };
        step.field.store(bytes, new);
        changed |= new != old;
        reply.integer(if matches!(change, Change::Set(_)) { old } else { new });
    }
    if changed {
        cx.changed(&key, EventClass::String, "setbit");
    }
    Ok(())
}

fn bitfield_ro(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let steps = parse(cx.settings(), &args)?;
    if steps.iter().any(|step| step.change.is_some()) {
        return Err(ONLY_GET);
    }
    load_all(cx.string(&cx.key(&args, 1))?, &steps, reply);
    Ok(())
}

fn load_all(string: Option<StringRef<'_>>, steps: &[Step], reply: &mut Writer<'_>) {
    reply.array(steps.len());
    string.unwrap_or(StringRef::Bytes(b"")).with_bytes(|bytes| {
        steps.iter().for_each(|step| reply.integer(step.field.load(bytes)));
    });
}

/// Reads all steps before any is taken.
fn parse(settings: &Settings, args: &Args<'_>) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let mut overflow = Overflow::Wrap;
    let mut at = 2;
    while let Some(word) = args.try_get(at) {
        let left = args.len() - at - 1;
        if options::is(word, "overflow") && left >= 1 {
            overflow = parse_overflow(args.get(at + 1))?;
            at += 2;
            continue;
        }
        let make: Option<fn(i64) -> Change> = match () {
            () if options::is(word, "get") && left >= 2 => None,
            () if options::is(word, "set") && left >= 3 => Some(Change::Set),
            () if options::is(word, "incrby") && left >= 3 => Some(Change::Increment),
            () => return Err(SYNTAX),
        };
        let field = parse_field(settings, args.get(at + 1), args.get(at + 2))?;
        let change = match make {
            Some(make) => Some((make(options::integer(args.get(at + 3))?), overflow)),
            None => None,
        };
        at += if change.is_some() { 4 } else { 3 };
        steps.push(Step { field, change });
    }
    Ok(steps)
}

fn parse_overflow(word: &[u8]) -> Result<Overflow> {
    match word {
        _ if options::is(word, "wrap") => Ok(Overflow::Wrap),
        _ if options::is(word, "sat") => Ok(Overflow::Saturate),
        _ if options::is(word, "fail") => Ok(Overflow::Fail),
        _ => Err(OVERFLOW_TYPE),
    }
}

fn parse_field(settings: &Settings, kind: &[u8], offset: &[u8]) -> Result<Field> {
    let (signed, digits, most) = match kind {
        [b'i', digits @ ..] => (true, digits, 64),
        [b'u', digits @ ..] => (false, digits, 63),
        _ => return Err(TYPE),
    };
    let bits = quoris_resp::parse_i64(digits).filter(|bits| (1..=most).contains(bits));
    let bits = bits.ok_or(TYPE)? as u32;
    Ok(Field { signed, bits, offset: bit_offset(settings, offset, Some(bits))? })
}
