//! MODULE: there are none, and none can be loaded.

use quoris_engine::spec::{Flags, Group, Spec, block, string};
use quoris_engine::{Args, Result};
use quoris_resp::Writer;

use super::help;
use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::{replies, subcommands};

pub(super) const COMMANDS: &[NodeCommand] = &[MODULE];

const REFUSED: Flags = Flags::ADMIN.or(Flags::NOSCRIPT).or(Flags::NO_ASYNC_LOADING);
const NEVER: &str = "Always refused: code of strangers could make replicas differ.";

/// MODULE subcommand
const MODULE: NodeCommand = NodeCommand::container(
    Spec::new("module", Group::Server, "4.0.0", "Knows which modules are loaded.")
        .arity(-2)
        .complexity("Depends on subcommand."),
    SUBCOMMANDS,
);

subcommands!(SUBCOMMANDS: 5 = [HELP, LIST, LOAD, LOADEX, UNLOAD]);

const fn sub(name: &'static str, since: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::Server, since, summary).sub_args(&[])
}

/// MODULE HELP
const HELP: NodeCommand = NodeCommand::new(
    sub("help", "5.0.0", "Lists the subcommands.").flags(Flags::LOADING.or(Flags::STALE)),
    show_help,
);

/// MODULE LIST
const LIST: NodeCommand = NodeCommand::new(
    sub("list", "4.0.0", "Lists the loaded modules.")
        .complexity("O(N) where N is the number of loaded modules.")
        .tips(&["nondeterministic_output_order"])
        .differs("Always empty.")
        .flags(Flags::ADMIN.or(Flags::NOSCRIPT)),
    list,
);

/// MODULE LOAD path [arg …]
const LOAD: NodeCommand = NodeCommand::new(
    sub("load", "4.0.0", "Loads a module.")
        .sub_args(&[string("path"), string("arg").optional().multiple()])
        .differs(NEVER)
        .flags(REFUSED),
    refuse,
);

/// MODULE LOADEX path [CONFIG name value …] [ARGS arg …]
const LOADEX: NodeCommand = NodeCommand::new(
    sub("loadex", "7.0.0", "Loads a module with directives of its own.")
        .sub_args(&[
            string("path"),
            block("configs", &[string("name"), string("value")])
                .after("CONFIG")
                .optional()
                .multiple(),
            string("args").after("ARGS").optional().multiple(),
        ])
        .differs(NEVER)
        .flags(REFUSED),
    refuse,
);

/// MODULE UNLOAD name
const UNLOAD: NodeCommand = NodeCommand::new(
    sub("unload", "4.0.0", "Unloads a module.")
        .sub_args(&[string("name")])
        .differs("Always refused: there is none.")
        .flags(REFUSED),
    refuse,
);

const LINES: &[&str] = &[
    "LIST",
    "    Return a list of loaded modules.",
    "LOAD <path> [<arg> ...]",
    "    Load a module library from <path>, passing to it any optional arguments.",
    "LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
    "    Load a module library from <path>, while passing it module configurations and optional arguments.",
    "UNLOAD <name>",
    "    Unload a module.",
];

fn show_help(_: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    help::write(reply, "MODULE", LINES);
    Ok(Outcome::Done)
}

fn list(_: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    reply.array(0);
    Ok(Outcome::Done)
}

fn refuse(_: &mut NodeCx<'_>, _: Args<'_>, _: &mut Writer<'_>) -> Result<Outcome> {
    Err(replies::NO_MODULES)
}
