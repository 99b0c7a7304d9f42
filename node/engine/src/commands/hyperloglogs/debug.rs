//! Looking inside.

use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;

use quoris_resp::Writer;

use super::{read, store};
use crate::command::{Args, Command, Run};
use crate::commands::options;
use crate::context::{ReadCx, WriteCx};
use crate::error::{CommandError, Result};
use crate::keyspace::Key;
use crate::spec::{Flags, Group, Spec, key, string};
use crate::types::hyperloglog::{
    self, Corrupted, HyperLogLog, HyperLogLogRef, REGISTERS, RegisterEncoding,
};

/// PFDEBUG subcommand key
pub(super) const PFDEBUG: Command = Command {
    spec: Spec::new(
        "pfdebug",
        Group::HyperLogLog,
        "2.8.9",
        "Shows or changes how a HyperLogLog is kept.",
    )
    .args(&[string("subcommand"), key("key")])
    .complexity("O(N)")
    .flags(Flags::DENYOOM.or(Flags::ADMIN)),
    run: Run::Write(pfdebug),
};

/// PFSELFTEST
pub(super) const PFSELFTEST: Command = Command {
    spec: Spec::new(
        "pfselftest",
        Group::HyperLogLog,
        "2.8.9",
        "Checks on this machine that HyperLogLogs count as they should.",
    )
    .complexity("O(1), but a few milliseconds")
    .flags(Flags::ADMIN),
    run: Run::Read(pfselftest),
};

const MISSING: CommandError = CommandError::fixed("ERR The specified key does not exist");
const NOT_SPARSE: CommandError = CommandError::fixed("ERR HLL encoding is not sparse");

fn pfdebug(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 2);
    let found = read(cx.string(&key)?.ok_or(MISSING)?)?;
    let encoding = found.encoding();
    match args.get(1) {
        word if options::is(word, "getreg") => {
            let registers = HyperLogLog::copy_of(found);
            let registers = make_dense(cx, &key, registers)?;
            reply.array(REGISTERS);
            hyperloglog::dense_registers(registers.as_bytes())
                .for_each(|value| reply.integer(i64::from(value)));
        }
        word if options::is(word, "decode") => {
            if encoding != RegisterEncoding::Sparse {
                return Err(NOT_SPARSE);
            }
            reply.bulk(decode(found)?.as_bytes());
        }
        word if options::is(word, "encoding") => reply.simple(match encoding {
            RegisterEncoding::Dense => "dense",
            RegisterEncoding::Sparse => "sparse",
        }),
        word if options::is(word, "todense") => {
            let registers = HyperLogLog::copy_of(found);
            make_dense(cx, &key, registers)?;
            reply.integer(i64::from(encoding == RegisterEncoding::Sparse));
        }
        word => {
            let word = String::from_utf8_lossy(word);
            return Err(CommandError::text(format!("ERR Unknown PFDEBUG subcommand '{word}'")));
        }
    }
    Ok(())
}

/// Stores a sparse value as a dense one.
fn make_dense(cx: &mut WriteCx<'_>, key: &Key<'_>, mut value: HyperLogLog) -> Result<HyperLogLog> {
    if value.as_ref().encoding() == RegisterEncoding::Sparse {
        value.make_dense()?;
        store(cx, key, &value)?;
    }
    Ok(value)
}

/// The runs as text: `z` and `Z` for zeros in one and two bytes, `v:value,length` for others.
fn decode(value: HyperLogLogRef<'_>) -> Result<String, Corrupted> {
    let mut text = String::new();
    for run in value.runs() {
        let run = run?;
        let gap = if text.is_empty() { "" } else { " " };
        let written = match (run.value, run.bytes) {
            (0, 1) => write!(text, "{gap}z:{}", run.len),
            (0, _) => write!(text, "{gap}Z:{}", run.len),
            (value, _) => write!(text, "{gap}v:{value},{}", run.len),
        };
        written.expect("a string takes everything");
    }
    Ok(text)
}

fn pfselftest(_: &ReadCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result {
    hyperloglog::self_test().map_err(|text| CommandError::text(format!("ERR {text}")))?;
    reply.ok();
    Ok(())
}
