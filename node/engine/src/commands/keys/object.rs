//! What is known about a value besides the value.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::helping;
use crate::context::ReadCx;
use crate::error::{CommandError, Result};
use crate::keyspace::Entry;
use crate::spec::{Group, KeyAccess, Spec, key};

/// OBJECT subcommand
pub(super) const OBJECT: Command = Command {
    spec: Spec::new("object", Group::Generic, "2.2.3", "Tells how a value is kept.").arity(-2),
    run: Run::Container(&[ENCODING, FREQ, HELP, IDLETIME, REFCOUNT]),
};

/// OBJECT ENCODING key
const ENCODING: Command = Command {
    spec: Spec::new("encoding", Group::Generic, "2.2.3", "Names the encoding of a value.")
        .tips(&["nondeterministic_output"])
        .sub_args(&[key("key").access(KeyAccess::PEEK)]),
    run: Run::Read(encoding),
};

/// OBJECT FREQ key
const FREQ: Command = Command {
    spec: Spec::new("freq", Group::Generic, "4.0.0", "Returns how often a key is used.")
        .tips(&["nondeterministic_output"])
        .sub_args(&[key("key").access(KeyAccess::PEEK)]),
    run: Run::Read(freq),
};

/// OBJECT HELP
const HELP: Command = Command {
    spec: Spec::new("help", Group::Generic, "6.2.0", "Lists the subcommands.").sub_args(&[]),
    run: Run::Read(help),
};

/// OBJECT IDLETIME key
const IDLETIME: Command = Command {
    spec: Spec::new("idletime", Group::Generic, "2.2.3", "Returns the seconds since last use.")
        .tips(&["nondeterministic_output"])
        .sub_args(&[key("key").access(KeyAccess::PEEK)]),
    run: Run::Read(idletime),
};

/// OBJECT REFCOUNT key
const REFCOUNT: Command = Command {
    spec: Spec::new("refcount", Group::Generic, "2.2.3", "Returns how often a value is shared.")
        .tips(&["nondeterministic_output"])
        .differs("Always 1: no value is shared between keys.")
        .sub_args(&[key("key").access(KeyAccess::PEEK)]),
    run: Run::Read(refcount),
};

const NOT_LFU: CommandError = CommandError::fixed(
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that \
     when switching between policies at runtime LRU and LFU data will take some time to adjust.",
);
const NOT_LRU: CommandError = CommandError::fixed(
    "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when \
     switching between policies at runtime LRU and LFU data will take some time to adjust.",
);

const TEXT: &[&str] = &[
    "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "ENCODING <key>",
    "    Return the kind of internal representation used in order to store the value",
    "    associated with a <key>.",
    "FREQ <key>",
    "    Return the access frequency index of the <key>. The returned integer is",
    "    proportional to the logarithm of the recent access frequency of the key.",
    "IDLETIME <key>",
    "    Return the idle time of the <key>, that is the approximated number of",
    "    seconds elapsed since the last access to the key.",
    "REFCOUNT <key>",
    "    Return the number of references of the value associated with the specified",
    "    <key>.",
    "HELP",
    "    Prints this help.",
];

fn help(_: &ReadCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result {
    helping::write(reply, TEXT)
}

/// Runs `show` on the entry of the key, or answers null.
fn about(
    cx: &ReadCx<'_>,
    args: &Args<'_>,
    reply: &mut Writer<'_>,
    show: impl FnOnce(&Entry, &mut Writer<'_>) -> Result,
) -> Result {
    if let Some(entry) = cx.peek(&cx.key(args, 2)) {
        return show(entry, reply);
    }
    reply.null();
    Ok(())
}

fn encoding(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    about(cx, &args, reply, |entry, reply| {
        reply.bulk(entry.encoding().as_bytes());
        Ok(())
    })
}

fn refcount(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    about(cx, &args, reply, |_, reply| {
        reply.integer(1);
        Ok(())
    })
}

fn freq(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    about(cx, &args, reply, |entry, reply| {
        if !cx.settings().track_frequency {
            return Err(NOT_LFU);
        }
        reply.integer(i64::from(cx.frequency_of(entry)));
        Ok(())
    })
}

fn idletime(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    about(cx, &args, reply, |entry, reply| {
        if cx.settings().track_frequency {
            return Err(NOT_LRU);
        }
        reply.integer(i64::from(cx.idle_seconds_of(entry)));
        Ok(())
    })
}
