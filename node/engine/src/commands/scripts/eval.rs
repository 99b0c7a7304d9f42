//! Running scripts.

use alloc::format;
use alloc::rc::Rc;

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::context::{ReadCx, WriteCx};
use crate::error::{CommandError, Result};
use crate::scripting::{Parameters, Reading, Script, ScriptFlags, ScriptHost, Sha, Writing};
use crate::settings::Settings;
use crate::spec::{Arg, Flags, Group, Spec, integer, key, string};

const FLAGS: Flags = Flags::NOSCRIPT
    .or(Flags::STALE)
    .or(Flags::SKIP_MONITOR)
    .or(Flags::NO_MANDATORY_KEYS)
    .or(Flags::MOVABLE_KEYS);

const REST: [Arg; 3] =
    [integer("numkeys"), key("key").optional().multiple(), string("arg").optional().multiple()];

/// EVAL script numkeys [key ...] [arg ...]
pub(super) const EVAL: Command = Command {
    spec: Spec::new("eval", Group::Scripting, "2.6.0", "Runs a script.")
        .args(&[string("script"), REST[0], REST[1], REST[2]])
        .complexity("Depends on the script that is executed.")
        .flags(FLAGS),
    run: Run::Write(eval),
};

/// EVALSHA sha1 numkeys [key ...] [arg ...]
pub(super) const EVALSHA: Command = Command {
    spec: Spec::new("evalsha", Group::Scripting, "2.6.0", "Runs a script of the cache.")
        .args(&[string("sha1"), REST[0], REST[1], REST[2]])
        .complexity("Depends on the script that is executed.")
        .flags(FLAGS),
    run: Run::Write(evalsha),
};

/// `EVAL_RO` script numkeys [key ...] [arg ...]
pub(super) const EVAL_RO: Command = Command {
    spec: Spec::new("eval_ro", Group::Scripting, "7.0.0", "Runs a script that only reads.")
        .args(&[string("script"), REST[0], REST[1], REST[2]])
        .complexity("Depends on the script that is executed.")
        .differs(
            "Only reads: the script is kept for `EVALSHA_RO` on this node, and not for others.",
        )
        .flags(FLAGS),
    run: Run::Read(eval_ro),
};

/// `EVALSHA_RO` sha1 numkeys [key ...] [arg ...]
pub(super) const EVALSHA_RO: Command = Command {
    spec: Spec::new(
        "evalsha_ro",
        Group::Scripting,
        "7.0.0",
        "Runs a script of the cache that only reads.",
    )
    .args(&[string("sha1"), REST[0], REST[1], REST[2]])
    .complexity("Depends on the script that is executed.")
    .flags(FLAGS),
    run: Run::Read(evalsha_ro),
};

const NO_SCRIPT: CommandError =
    CommandError::fixed("NOSCRIPT No matching script. Please use EVAL.");
const MAY_WRITE: CommandError =
    CommandError::fixed("ERR Can not execute a script with write flag using *_ro command.");
const NO_CLUSTER: CommandError =
    CommandError::fixed("ERR Can not run script on cluster, 'no-cluster' flag is set.");

/// How long the name of a script is.
const SHA_TEXT_BYTES: usize = 40;

fn eval(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let parameters = Parameters::of(args)?;
    let sha = Sha::of(&args[1]);
    let script = if let Some(script) = cx.scripting.cache.used(&sha) {
        script
    } else {
        let script = Rc::new(Script::new(&args[1])?);
        with_host(cx, |_, host| compile(host, &script))?;
        cx.scripting.cache.evaluate(script.clone());
        script
    };
    write(cx, &script, parameters, reply)
}

fn evalsha(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (sha, parameters) = named(args)?;
    let sha = sha.ok_or(NO_SCRIPT)?;
    let script = cx.scripting.cache.used(&sha).ok_or(NO_SCRIPT)?;
    write(cx, &script, parameters, reply)
}

fn eval_ro(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let parameters = Parameters::of(args)?;
    let script = if let Some(script) = seen(cx, &Sha::of(&args[1])) {
        script
    } else {
        let script = Rc::new(Script::new(&args[1])?);
        compile(cx.scripting.borrow_host()?.get(), &script)?;
        cx.scripting.seen_by_reads.borrow_mut().evaluate(script.clone());
        script
    };
    read(cx, &script, parameters, reply)
}

fn evalsha_ro(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (sha, parameters) = named(args)?;
    let script = sha.and_then(|sha| seen(cx, &sha)).ok_or(NO_SCRIPT)?;
    read(cx, &script, parameters, reply)
}

/// Which script a request names, and with what; a name of another length fails before the rest is
/// looked at.
fn named(args: Args<'_>) -> Result<(Option<Sha>, Parameters<'_>)> {
    if args[1].len() != SHA_TEXT_BYTES {
        return Err(NO_SCRIPT);
    }
    Ok((Sha::parse(&args[1]), Parameters::of(args)?))
}

/// A script that a read may run: one of the cache, or one that another read brought to this node.
fn seen(cx: &ReadCx<'_>, sha: &Sha) -> Option<Rc<Script>> {
    let cached = cx.scripting.cache.get(sha);
    cached.or_else(|| cx.scripting.seen_by_reads.borrow_mut().used(sha))
}

pub(in crate::commands) fn write(
    cx: &mut WriteCx<'_>,
    script: &Rc<Script>,
    parameters: Parameters<'_>,
    reply: &mut Writer<'_>,
) -> Result {
    check_cluster(cx.settings, script.flags)?;
    let reads_only = script.flags.has(ScriptFlags::NO_WRITES);
    with_host(cx, |cx, host| {
        let mut calls = Writing::new(cx, &parameters, reads_only);
        host.run(script, parameters, &mut calls, reply)
    })
}

pub(in crate::commands) fn read(
    cx: &ReadCx<'_>,
    script: &Rc<Script>,
    parameters: Parameters<'_>,
    reply: &mut Writer<'_>,
) -> Result {
    check_cluster(cx.settings, script.flags)?;
    let states = !script.flags.has(ScriptFlags::UNSTATED);
    if states && !script.flags.has(ScriptFlags::NO_WRITES) {
        return Err(MAY_WRITE);
    }
    let mut calls = Reading::new(cx, &parameters);
    cx.scripting.borrow_host()?.get().run(script, parameters, &mut calls, reply)
}

fn check_cluster(settings: &Settings, flags: ScriptFlags) -> Result {
    let refused = settings.several_shards && flags.has(ScriptFlags::NO_CLUSTER);
    if refused { Err(NO_CLUSTER) } else { Ok(()) }
}

/// Lends the host to `act` while the rest of the context stays usable.
pub(in crate::commands) fn with_host<T>(
    cx: &mut WriteCx<'_>,
    act: impl FnOnce(&mut WriteCx<'_>, &mut dyn ScriptHost) -> Result<T>,
) -> Result<T> {
    let mut host = cx.scripting.lend_host()?;
    let outcome = act(cx, &mut *host);
    cx.scripting.return_host(host);
    outcome
}

pub(super) fn compile(host: &mut dyn ScriptHost, script: &Rc<Script>) -> Result {
    host.compile(script).map_err(|complaint| {
        CommandError::text(format!("ERR Error compiling script (new function): {complaint}"))
    })
}
