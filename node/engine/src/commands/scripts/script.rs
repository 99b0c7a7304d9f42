//! The cache of scripts.

use alloc::rc::Rc;

use quoris_resp::Writer;

use super::eval::{compile, with_host};
use crate::command::{Args, Command, Run};
use crate::commands::helping;
use crate::context::{ReadCx, WriteCx};
use crate::error::{CommandError, Result};
use crate::scripting::{Script, Sha};
use crate::spec::{Flags, Group, Spec, one_of, string, token};

/// SCRIPT subcommand
pub(super) const SCRIPT: Command = Command {
    spec: Spec::new("script", Group::Scripting, "2.6.0", "Administers the cache of scripts.")
        .arity(-2),
    run: Run::Container(&[DEBUG, EXISTS, FLUSH, HELP, KILL, LOAD, SHOW]),
};

/// SCRIPT DEBUG <YES | SYNC | NO>
const DEBUG: Command = Command {
    spec: Spec::new("debug", Group::Scripting, "3.2.0", "Refuses to debug scripts.")
        .sub_args(&[one_of(
            "mode",
            &[token("yes", "YES"), token("sync", "SYNC"), token("no", "NO")],
        )])
        .flags(Flags::NOSCRIPT),
    run: Run::Read(debug),
};

/// SCRIPT EXISTS sha1 [sha1 ...]
const EXISTS: Command = Command {
    spec: Spec::new("exists", Group::Scripting, "2.6.0", "Tells which scripts are in the cache.")
        .sub_args(&[string("sha1").multiple()])
        .complexity("O(N) with N being the number of scripts to check (so checking a single script is an O(1) operation).")
        .flags(Flags::NOSCRIPT)
        .tips(&["request_policy:all_shards", "response_policy:agg_logical_and"]),
    run: Run::Read(exists),
};

/// SCRIPT FLUSH [ASYNC | SYNC]
const FLUSH: Command = Command {
    spec: Spec::new("flush", Group::Scripting, "2.6.0", "Empties the cache of scripts.")
        .sub_args(&[
            one_of("flush-type", &[token("async", "ASYNC"), token("sync", "SYNC")]).optional()
        ])
        .complexity("O(N) with N being the number of scripts in cache")
        .flags(Flags::NOSCRIPT)
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    run: Run::Write(flush),
};

/// SCRIPT HELP
const HELP: Command =
    Command { spec: helping::spec(Group::Scripting, "5.0.0"), run: Run::Read(help) };

/// SCRIPT KILL
const KILL: Command = Command {
    spec: Spec::new("kill", Group::Scripting, "2.6.0", "Ends a script that only reads.")
        .sub_args(&[])
        .flags(Flags::NOSCRIPT.or(Flags::ALLOW_BUSY))
        .tips(&["request_policy:all_shards", "response_policy:one_succeeded"]),
    run: Run::Read(kill),
};

/// SCRIPT LOAD script
const LOAD: Command = Command {
    spec: Spec::new("load", Group::Scripting, "2.6.0", "Puts a script into the cache.")
        .sub_args(&[string("script")])
        .complexity("O(N) with N being the length in bytes of the script body.")
        .flags(Flags::NOSCRIPT.or(Flags::STALE))
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    run: Run::Write(load),
};

/// SCRIPT SHOW sha1
const SHOW: Command = Command {
    spec: Spec::new("show", Group::Scripting, "8.0.0", "Returns the text of a script.")
        .sub_args(&[string("sha1")])
        .flags(Flags::NOSCRIPT),
    run: Run::Read(show),
};

const NO_SUCH_SCRIPT: CommandError = CommandError::fixed("NOSCRIPT No matching script.");
pub(in crate::commands) const NOT_BUSY: CommandError =
    CommandError::fixed("NOTBUSY No scripts in execution right now.");
const FLUSH_OPTIONS: CommandError =
    CommandError::fixed("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
const NO_DEBUGGER: CommandError = CommandError::fixed(
    "ERR scripts cannot be debugged: they run on every replica, which cannot wait for a person",
);
const DEBUG_MODES: CommandError = CommandError::fixed("ERR Use SCRIPT DEBUG YES/SYNC/NO");

const TEXT: &[&str] = &[
    "SCRIPT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "DEBUG (YES|SYNC|NO)",
    "    Set the debug mode for subsequent scripts executed.",
    "EXISTS <sha1> [<sha1> ...]",
    "    Return information about the existence of the scripts in the script cache.",
    "FLUSH [ASYNC|SYNC]",
    "    Flush the Lua scripts cache. Very dangerous on replicas.",
    "    When called without the optional mode argument, the behavior is determined by the",
    "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
    "    * ASYNC: Asynchronously flush the scripts cache.",
    "    * SYNC: Synchronously flush the scripts cache.",
    "KILL",
    "    Kill the currently executing Lua script.",
    "LOAD <script>",
    "    Load a script into the scripts cache without executing it.",
    "SHOW <sha1>",
    "    Return the text of a script in the script cache.",
    "HELP",
    "    Prints this help.",
];

fn debug(_: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    match args[2].to_ascii_lowercase().as_slice() {
        b"no" => {
            reply.ok();
            Ok(())
        }
        b"yes" | b"sync" => Err(NO_DEBUGGER),
        _ => Err(DEBUG_MODES),
    }
}

fn exists(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    reply.array(args.len() - 2);
    for word in args.from(2) {
        // What only reads have brought here can be named where it only reads.
        let found = Sha::parse(word).is_some_and(|sha| {
            cx.scripting.cache.get(&sha).is_some() || cx.scripting.states_no_writes("evalsha", word)
        });
        reply.integer(found.into());
    }
    Ok(())
}

fn flush(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    check_flush(&args, FLUSH_OPTIONS)?;
    cx.scripting.flush_scripts();
    reply.ok();
    Ok(())
}

/// Whether the options of a flush are `SYNC` or `ASYNC`, which make no difference here.
pub(super) fn check_flush(args: &Args<'_>, error: CommandError) -> Result {
    let known = |word: &[u8]| [&b"sync"[..], b"async"].iter().any(|w| word.eq_ignore_ascii_case(w));
    if args.len() > 3 || args.try_get(2).is_some_and(|word| !known(word)) {
        return Err(error);
    }
    Ok(())
}

fn help(_: &ReadCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result {
    helping::write(reply, TEXT)
}

/// A script has the node's thread to itself until it ends by itself or its budget does, so whoever
/// asks finds none running.
fn kill(_: &ReadCx<'_>, _: Args<'_>, _: &mut Writer<'_>) -> Result {
    Err(NOT_BUSY)
}

fn load(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let sha = Sha::of(&args[2]);
    let script = if let Some(script) = cx.scripting.cache.get(&sha) {
        script
    } else {
        let script = Rc::new(Script::new(&args[2])?);
        with_host(cx, |_, host| compile(host, &script))?;
        script
    };
    cx.scripting.cache.load(script);
    reply.bulk(&sha.hex());
    Ok(())
}

fn show(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let script = Sha::parse(&args[2]).and_then(|sha| cx.scripting.cache.get(&sha));
    reply.bulk(&script.ok_or(NO_SUCH_SCRIPT)?.source);
    Ok(())
}
