//! The libraries.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::helping;
use crate::commands::scripts::eval::with_host;
use crate::commands::scripts::script::NOT_BUSY;
use crate::context::{ReadCx, WriteCx};
use crate::error::{CommandError, Result};
use crate::functions::{Change, Library};
use crate::glob::{Case, matches};
use crate::rdb::dump_functions;
use crate::spec::{Categories, Flags, Group, Spec, one_of, string, token};

/// FUNCTION subcommand
pub(super) const FUNCTION: Command = Command {
    spec: Spec::new("function", Group::Scripting, "7.0.0", "Administers libraries of functions.")
        .arity(-2)
        .complexity("Depends on subcommand."),
    run: Run::Container(&[DELETE, DUMP, FLUSH, HELP, KILL, LIST, LOAD, RESTORE, STATS]),
};

const ALL_SHARDS: &[&str] = &["request_policy:all_shards", "response_policy:all_succeeded"];

/// FUNCTION DELETE library-name
const DELETE: Command = Command {
    spec: Spec::new("delete", Group::Scripting, "7.0.0", "Deletes a library and its functions.")
        .sub_args(&[string("library-name")])
        .flags(Flags::NOSCRIPT)
        .categories(Categories::WRITE)
        .tips(ALL_SHARDS),
    run: Run::Write(change),
};

/// FUNCTION DUMP
const DUMP: Command = Command {
    spec: Spec::new("dump", Group::Scripting, "7.0.0", "Returns all libraries as one payload.")
        .sub_args(&[])
        .complexity("O(N) where N is the number of functions")
        .flags(Flags::NOSCRIPT),
    run: Run::Read(dump),
};

/// FUNCTION FLUSH [ASYNC | SYNC]
const FLUSH: Command = Command {
    spec: Spec::new("flush", Group::Scripting, "7.0.0", "Deletes all libraries.")
        .sub_args(&[
            one_of("flush-type", &[token("async", "ASYNC"), token("sync", "SYNC")]).optional()
        ])
        .complexity("O(N) where N is the number of functions deleted")
        .flags(Flags::NOSCRIPT)
        .categories(Categories::WRITE)
        .tips(ALL_SHARDS),
    run: Run::Write(change),
};

/// FUNCTION HELP
const HELP: Command =
    Command { spec: helping::spec(Group::Scripting, "7.0.0"), run: Run::Read(help) };

/// FUNCTION KILL
const KILL: Command = Command {
    spec: Spec::new("kill", Group::Scripting, "7.0.0", "Ends a function that only reads.")
        .sub_args(&[])
        .flags(Flags::NOSCRIPT.or(Flags::ALLOW_BUSY))
        .tips(&["request_policy:all_shards", "response_policy:one_succeeded"]),
    run: Run::Read(kill),
};

/// FUNCTION LIST [LIBRARYNAME library-name-pattern] [WITHCODE]
const LIST: Command = Command {
    spec: Spec::new("list", Group::Scripting, "7.0.0", "Describes the libraries.")
        .sub_args(&[
            string("library-name-pattern").after("LIBRARYNAME").optional(),
            token("withcode", "WITHCODE").optional(),
        ])
        .complexity("O(N) where N is the number of functions")
        .flags(Flags::NOSCRIPT)
        .tips(&["nondeterministic_output_order"])
        .differs("In the order of the libraries' names."),
    run: Run::Read(list),
};

/// FUNCTION LOAD [REPLACE] function-code
const LOAD: Command = Command {
    spec: Spec::new("load", Group::Scripting, "7.0.0", "Brings a library.")
        .sub_args(&[token("replace", "REPLACE").optional(), string("function-code")])
        .complexity("O(1) (considering compilation time is redundant)")
        .flags(Flags::NOSCRIPT.or(Flags::DENYOOM))
        .categories(Categories::WRITE)
        .tips(ALL_SHARDS)
        .differs("On any shard it is for all of them: docs/adr/0009."),
    run: Run::Write(change),
};

/// FUNCTION RESTORE serialized-value [FLUSH | APPEND | REPLACE]
const RESTORE: Command = Command {
    spec: Spec::new("restore", Group::Scripting, "7.0.0", "Brings the libraries of a payload.")
        .sub_args(&[
            string("serialized-value"),
            one_of(
                "policy",
                &[token("flush", "FLUSH"), token("append", "APPEND"), token("replace", "REPLACE")],
            )
            .optional(),
        ])
        .complexity("O(N) where N is the number of functions on the payload")
        .flags(Flags::NOSCRIPT.or(Flags::DENYOOM))
        .categories(Categories::WRITE)
        .tips(ALL_SHARDS),
    run: Run::Write(change),
};

/// FUNCTION STATS
const STATS: Command = Command {
    spec: Spec::new("stats", Group::Scripting, "7.0.0", "Says what runs, and counts functions.")
        .sub_args(&[])
        .flags(Flags::NOSCRIPT.or(Flags::ALLOW_BUSY))
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
    run: Run::Read(stats),
};

const TEXT: &[&str] = &[
    "FUNCTION <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "LOAD [REPLACE] <FUNCTION CODE>",
    "    Create a new library with the given library name and code.",
    "DELETE <LIBRARY NAME>",
    "    Delete the given library.",
    "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
    "    Return general information on all the libraries:",
    "    * Library name",
    "    * The engine used to run the Library",
    "    * Library description",
    "    * Functions list",
    "    * Library code (if WITHCODE is given)",
    "    It also possible to get only function that matches a pattern using LIBRARYNAME argument.",
    "STATS",
    "    Return information about the current function running:",
    "    * Function name",
    "    * Command used to run the function",
    "    * Duration in MS that the function is running",
    "    If no function is running, return nil",
    "    In addition, returns a list of available engines.",
    "KILL",
    "    Kill the current running function.",
    "FLUSH [ASYNC|SYNC]",
    "    Delete all the libraries.",
    "    When called without the optional mode argument, the behavior is determined by the",
    "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
    "    * ASYNC: Asynchronously flush the libraries.",
    "    * SYNC: Synchronously flush the libraries.",
    "DUMP",
    "    Return a serialized payload representing the current libraries, can be restored using FUNCTION RESTORE command",
    "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
    "    Restore the libraries represented by the given payload, it is possible to give a restore policy to",
    "    control how to handle existing libraries (default APPEND):",
    "    * FLUSH: delete all existing libraries.",
    "    * APPEND: appends the restored libraries to the existing libraries. On collision, abort.",
    "    * REPLACE: appends the restored libraries to the existing libraries, On collision, replace the old",
    "      libraries with the new libraries (notice that even on this option there is a chance of failure",
    "      in case of functions name collision with another library).",
    "HELP",
    "    Prints this help.",
];

const NO_PATTERN: CommandError = CommandError::fixed("ERR library name argument was not given");

/// LOAD, DELETE, FLUSH and RESTORE, which change all or nothing.
fn change(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let change = Change::of(&args)?;
    let mut next = cx.scripting.functions.clone();
    let answer = with_host(cx, |_, host| next.make(change, host))?;
    cx.scripting.functions = next;
    cx.changed_silently();
    answer.write(reply);
    Ok(())
}

fn dump(cx: &ReadCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result {
    reply.bulk(&dump_functions(cx.scripting.functions.sources()));
    Ok(())
}

fn help(_: &ReadCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result {
    helping::write(reply, TEXT)
}

/// Inside a transaction, a function has the node's thread to itself, as a script has.
fn kill(_: &ReadCx<'_>, _: Args<'_>, _: &mut Writer<'_>) -> Result {
    Err(NOT_BUSY)
}

fn list(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (mut pattern, mut with_code) = (None, false);
    let mut words = args.from(2);
    while let Some(word) = words.next() {
        if !with_code && word.eq_ignore_ascii_case(b"withcode") {
            with_code = true;
        } else if pattern.is_none() && word.eq_ignore_ascii_case(b"libraryname") {
            pattern = Some(words.next().ok_or(NO_PATTERN)?);
        } else {
            let word = alloc::string::String::from_utf8_lossy(word);
            return Err(CommandError::text(alloc::format!("ERR Unknown argument {word}")));
        }
    }
    let fits = |library: &&Library| {
        let name = library.name.as_bytes();
        pattern.is_none_or(|pattern| matches(pattern, name, Case::Insensitive))
    };
    let begun = reply.open();
    let mut count = 0;
    for library in cx.scripting.functions.libraries().filter(fits) {
        describe(library, with_code, reply);
        count += 1;
    }
    reply.close_array(begun, count);
    Ok(())
}

fn describe(library: &Library, with_code: bool, reply: &mut Writer<'_>) {
    reply.map(if with_code { 4 } else { 3 });
    reply.bulk(b"library_name");
    reply.bulk(library.name.as_bytes());
    reply.bulk(b"engine");
    reply.bulk(b"LUA");
    reply.bulk(b"functions");
    reply.array(library.functions.len());
    for function in &library.functions {
        reply.map(3);
        reply.bulk(b"name");
        reply.bulk(function.name.as_bytes());
        reply.bulk(b"description");
        reply.bulk_or_null(function.description.as_deref());
        reply.bulk(b"flags");
        let flags = function.script.flags.names();
        reply.set(flags.clone().count());
        flags.for_each(|flag| reply.simple(flag));
    }
    if with_code {
        reply.bulk(b"library_code");
        reply.bulk(&library.source);
    }
}

/// Inside a transaction, where nothing else runs.
fn stats(cx: &ReadCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result {
    reply.map(2);
    reply.bulk(b"running_script");
    reply.null();
    cx.scripting.functions.write_engines(reply);
    Ok(())
}
