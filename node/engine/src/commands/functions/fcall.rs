//! Calling functions.

use alloc::rc::Rc;

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::scripts::eval::{read, write};
use crate::context::{ReadCx, WriteCx};
use crate::error::{CommandError, Result};
use crate::functions::Functions;
use crate::scripting::{Parameters, Script};
use crate::spec::{Arg, Flags, Group, Spec, integer, key, string};

const FLAGS: Flags = Flags::NOSCRIPT
    .or(Flags::STALE)
    .or(Flags::SKIP_MONITOR)
    .or(Flags::NO_MANDATORY_KEYS)
    .or(Flags::MOVABLE_KEYS);

const ARGS: &[Arg] = &[
    string("function"),
    integer("numkeys"),
    key("key").optional().multiple(),
    string("arg").optional().multiple(),
];

const KEPT_NOTHING: &str = "What a library keeps in local variables lasts for one call: \
    its text is run anew each time.";

/// FCALL function numkeys [key ...] [arg ...]
pub(super) const FCALL: Command = Command {
    spec: Spec::new("fcall", Group::Scripting, "7.0.0", "Calls a function.")
        .args(ARGS)
        .complexity("Depends on the function that is executed.")
        .flags(FLAGS)
        .differs(KEPT_NOTHING),
    run: Run::Write(fcall),
};

/// `FCALL_RO` function numkeys [key ...] [arg ...]
pub(super) const FCALL_RO: Command = Command {
    spec: Spec::new("fcall_ro", Group::Scripting, "7.0.0", "Calls a function that only reads.")
        .args(ARGS)
        .complexity("Depends on the function that is executed.")
        .flags(FLAGS)
        .differs(KEPT_NOTHING),
    run: Run::Read(fcall_ro),
};

const NOT_FOUND: CommandError = CommandError::fixed("ERR Function not found");
const BAD_COUNT: CommandError = CommandError::fixed("ERR Bad number of keys provided");

fn fcall(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let function = find(&cx.scripting.functions, &args)?;
    write(cx, &function, Parameters::counted(args, BAD_COUNT)?, reply)
}

fn fcall_ro(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let function = find(&cx.scripting.functions, &args)?;
    read(cx, &function, Parameters::counted(args, BAD_COUNT)?, reply)
}

fn find(functions: &Functions, args: &Args<'_>) -> Result<Rc<Script>> {
    functions.find(&args[1]).cloned().ok_or(NOT_FOUND)
}
