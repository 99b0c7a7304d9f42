//! COMMAND: what clients may ask about commands. Everything is derived from the declarations.

mod docs;
mod info;
mod keys;
mod list;

use quoris_engine::spec::{Arg, Categories, Flags, Group, Spec, one_of, pattern, string};
use quoris_engine::{Args, Command, Result, Run};
use quoris_resp::Writer;

use super::help;
use crate::registry::{NodeCommand, NodeCx, Outcome, Registry};
use crate::subcommands;

pub(super) const COMMANDS: &[NodeCommand] = &[COMMAND];

const FLAGS: Flags = Flags::LOADING.or(Flags::STALE);
const UNORDERED: &[&str] = &["nondeterministic_output_order"];
const ANY_COMMAND: &[Arg] = &[string("command"), string("arg").optional().multiple()];
const NAMES: &[Arg] = &[string("command-name").optional().multiple()];
const PER_COMMAND: &str = "O(N) where N is the number of commands to look up";
const PER_WORD: &str = "O(N) where N is the number of arguments to the command";

const fn sub(name: &'static str, since: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::Server, since, summary)
        .sub_args(&[])
        .flags(FLAGS)
        .categories(Categories::CONNECTION)
}

/// COMMAND
const COMMAND: NodeCommand = NodeCommand::container(
    Spec::new("command", Group::Server, "2.8.13", "Describes all commands.")
        .arity(-1)
        .flags(FLAGS)
        .categories(Categories::CONNECTION)
        .complexity("O(N) where N is the total number of Redis commands")
        .tips(UNORDERED),
    SUBCOMMANDS,
)
.or_alone(all);

subcommands!(SUBCOMMANDS: 7 = [COUNT, DOCS, GETKEYS, GETKEYSANDFLAGS, HELP, INFO, LIST]);

/// COMMAND COUNT
const COUNT: NodeCommand = NodeCommand::new(sub("count", "2.8.13", "Counts the commands."), count);

/// COMMAND DOCS [command-name ...]
const DOCS: NodeCommand = NodeCommand::new(
    sub("docs", "7.0.0", "Documents commands.")
        .sub_args(NAMES)
        .complexity(PER_COMMAND)
        .tips(UNORDERED),
    docs,
);

/// COMMAND GETKEYS command [arg ...]
const GETKEYS: NodeCommand = NodeCommand::new(
    sub("getkeys", "2.8.13", "Finds the keys of a request.")
        .sub_args(ANY_COMMAND)
        .complexity(PER_WORD),
    getkeys,
);

/// COMMAND GETKEYSANDFLAGS command [arg ...]
const GETKEYSANDFLAGS: NodeCommand = NodeCommand::new(
    sub("getkeysandflags", "7.0.0", "Finds the keys of a request and what is done with them.")
        .sub_args(ANY_COMMAND)
        .complexity(PER_WORD),
    getkeysandflags,
);

/// COMMAND HELP
const HELP: NodeCommand =
    NodeCommand::new(sub("help", "5.0.0", "Lists the subcommands."), show_help);

/// COMMAND INFO [command-name ...]
const INFO: NodeCommand = NodeCommand::new(
    sub("info", "2.8.13", "Describes commands.")
        .sub_args(NAMES)
        .complexity(PER_COMMAND)
        .tips(UNORDERED),
    describe,
);

/// COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern]
const LIST: NodeCommand = NodeCommand::new(
    sub("list", "7.0.0", "Names the commands.")
        .sub_args(&[one_of(
            "filterby",
            &[
                string("module-name").after("MODULE"),
                string("category").after("ACLCAT"),
                pattern("pattern").after("PATTERN"),
            ],
        )
        .after("FILTERBY")
        .optional()])
        .complexity("O(N) where N is the total number of Redis commands")
        .tips(UNORDERED),
    list,
);

const LINES: &[&str] = &[
    "(no subcommand)",
    "    Return details about all Redis commands.",
    "COUNT",
    "    Return the total number of commands in this Redis server.",
    "LIST",
    "    Return a list of all commands in this Redis server.",
    "INFO [<command-name> ...]",
    "    Return details about multiple Redis commands.",
    "    If no command names are given, documentation details for all",
    "    commands are returned.",
    "DOCS [<command-name> ...]",
    "    Return documentation details about multiple Redis commands.",
    "    If no command names are given, documentation details for all",
    "    commands are returned.",
    "GETKEYS <full-command>",
    "    Return the keys from a full Redis command.",
    "GETKEYSANDFLAGS <full-command>",
    "    Return the keys and the access flags from a full Redis command.",
];

/// A command, or a subcommand with its container's name.
#[derive(Clone, Copy)]
struct Named {
    command: &'static Command,
    container: Option<&'static str>,
}

impl Named {
    /// `get`, or `config|get`.
    fn full_name(self) -> String {
        let name = self.command.spec.name;
        self.container.map_or_else(|| name.to_owned(), |container| format!("{container}|{name}"))
    }

    /// Its subcommands.
    fn subcommands(self) -> impl ExactSizeIterator<Item = Named> {
        let subs: &'static [Command] = match self.command.run {
            Run::Container(subs) => subs,
            _ => &[],
        };
        let container = Some(self.command.spec.name);
        subs.iter().map(move |command| Named { command, container })
    }
}

/// The commands that clients can call, without subcommands.
fn commands(registry: &Registry) -> impl Iterator<Item = Named> {
    let all = registry.table().iter();
    all.filter(|command| !command.spec.flags.has(Flags::INTERNAL))
        .map(|command| Named { command, container: None })
}

/// The full names of the commands and subcommands of an ACL category.
pub(super) fn names_of(registry: &Registry, category: Categories) -> Vec<String> {
    names(registry, &list::Filter::Category(category))
}

fn names(registry: &Registry, filter: &list::Filter<'_>) -> Vec<String> {
    commands(registry)
        .flat_map(|named| std::iter::once(named).chain(named.subcommands()))
        .filter(|named| filter.accepts(*named))
        .map(Named::full_name)
        .collect()
}

/// The command called `name`, or the subcommand called `container|name`.
fn lookup(registry: &Registry, name: &[u8]) -> Option<Named> {
    let mut parts = name.splitn(2, |byte| *byte == b'|');
    let (_, command) = registry.table().find(parts.next()?)?;
    let found = Named { command, container: None };
    if command.spec.flags.has(Flags::INTERNAL) {
        return None;
    }
    match parts.next() {
        None => Some(found),
        Some(word) => found
            .subcommands()
            .find(|sub| word.eq_ignore_ascii_case(sub.command.spec.name.as_bytes())),
    }
}

fn all(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let registry = &cx.shared.registry;
    reply.array(commands(registry).count());
    commands(registry).for_each(|named| info::write(named, reply));
    Ok(Outcome::Done)
}

fn count(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    reply.count(commands(&cx.shared.registry).count());
    Ok(Outcome::Done)
}

fn describe(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    if args.len() == 2 {
        return all(cx, args, reply);
    }
    reply.array(args.len() - 2);
    for name in args.from(2) {
        match lookup(&cx.shared.registry, name) {
            Some(named) => info::write(named, reply),
            None => reply.null_array(),
        }
    }
    Ok(Outcome::Done)
}

fn docs(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let registry = &cx.shared.registry;
    let found: Vec<Named> = match args.len() {
        2 => commands(registry).collect(),
        _ => args.from(2).filter_map(|name| lookup(registry, name)).collect(),
    };
    reply.map(found.len());
    found.iter().for_each(|named| docs::write(*named, reply));
    Ok(Outcome::Done)
}

fn getkeys(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let found = keys::find(&cx.shared.registry, &args)?;
    reply.array(found.len());
    found.iter().for_each(|(key, _)| reply.bulk(key));
    Ok(Outcome::Done)
}

fn getkeysandflags(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let found = keys::find(&cx.shared.registry, &args)?;
    reply.array(found.len());
    for (key, access) in found {
        reply.array(2);
        reply.bulk(key);
        reply.set(access.names().count());
        access.names().for_each(|name| reply.simple(name));
    }
    Ok(Outcome::Done)
}

fn show_help(_: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    help::write(reply, "COMMAND", LINES);
    Ok(Outcome::Done)
}

fn list(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let names = names(&cx.shared.registry, &list::Filter::parse(&args)?);
    reply.array(names.len());
    names.iter().for_each(|name| reply.bulk(name.as_bytes()));
    Ok(Outcome::Done)
}

#[cfg(test)]
mod coverage;
#[cfg(test)]
mod tests;
