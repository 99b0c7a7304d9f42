//! ACL: what there is to say where `default` is the only user.

mod users;

use std::fmt::Write as _;

use quoris_engine::spec::{Arg, Categories, Flags, Group, Spec, integer, one_of, string, token};
use quoris_engine::{Args, CommandError, Result, Run, error};
use quoris_resp::{Writer, parse_i64};

use super::help;
use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::{replies, subcommands};

pub(super) const COMMANDS: &[NodeCommand] = &[ACL];

const OPEN: Flags = Flags::NOSCRIPT.or(Flags::LOADING).or(Flags::STALE);
const ADMIN: Flags = OPEN.or(Flags::ADMIN);
const ONLY_ONE: &str = "Always refused: there is one user, `default`, whose password is \
                        `requirepass`.";

/// ACL subcommand
const ACL: NodeCommand = NodeCommand::container(
    Spec::new("acl", Group::Server, "6.0.0", "Knows who may do what.")
        .arity(-2)
        .complexity("Depends on subcommand."),
    SUBCOMMANDS,
);

subcommands!(SUBCOMMANDS: 13 = [
    CAT, DELUSER, DRYRUN, GENPASS, users::GETUSER, HELP, users::LIST, LOAD, LOG, SAVE, SETUSER,
    users::USERS, users::WHOAMI,
]);

const fn sub(name: &'static str, summary: &'static str, args: &'static [Arg]) -> Spec {
    Spec::new(name, Group::Server, "6.0.0", summary).sub_args(args).flags(ADMIN)
}

/// ACL CAT [category]
const CAT: NodeCommand = NodeCommand::new(
    sub(
        "cat",
        "Lists the categories of commands, or the commands of one.",
        &[string("category").optional()],
    )
    .complexity("O(1) since the categories and commands are a fixed set.")
    .flags(OPEN),
    cat,
);

/// ACL DELUSER username [username …]
const DELUSER: NodeCommand = NodeCommand::new(
    sub("deluser", "Removes users.", &[string("username").multiple()])
        .complexity("O(1) amortized time considering the typical user.")
        .differs("There is nobody to remove."),
    deluser,
);

/// ACL DRYRUN username command [arg …]
const DRYRUN: NodeCommand = NodeCommand::new(
    Spec::new("dryrun", Group::Server, "7.0.0", "Says whether a user may run a command.")
        .sub_args(&[string("username"), string("command"), string("arg").optional().multiple()])
        .flags(ADMIN),
    dryrun,
);

/// ACL GENPASS [bits]
const GENPASS: NodeCommand = NodeCommand::new(
    sub("genpass", "Makes a password.", &[integer("bits").optional()]).flags(OPEN),
    genpass,
);

/// ACL HELP
const HELP: NodeCommand = NodeCommand::new(
    sub("help", "Lists the subcommands.", &[]).flags(Flags::LOADING.or(Flags::STALE)),
    show_help,
);

/// ACL LOAD
const LOAD: NodeCommand = NodeCommand::new(
    sub("load", "Reads the users from a file.", &[])
        .complexity("O(N). Where N is the number of configured users.")
        .differs("Always refused: there is no file of users."),
    no_file,
);

/// ACL LOG [count | RESET]
const LOG: NodeCommand = NodeCommand::new(
    sub(
        "log",
        "Shows who was refused what.",
        &[one_of("operation", &[integer("count"), token("reset", "RESET")]).optional()],
    )
    .complexity("O(N) with N being the number of entries shown.")
    .differs("Always empty."),
    log,
);

/// ACL SAVE
const SAVE: NodeCommand = NodeCommand::new(
    sub("save", "Writes the users to a file.", &[])
        .complexity("O(N). Where N is the number of configured users.")
        .differs("Always refused: there is no file of users."),
    no_file,
);

/// ACL SETUSER username [rule …]
const SETUSER: NodeCommand = NodeCommand::new(
    sub(
        "setuser",
        "Makes or changes a user.",
        &[string("username"), string("rule").optional().multiple()],
    )
    .complexity("O(N). Where N is the number of rules provided.")
    .differs(ONLY_ONE),
    setuser,
);

const LINES: &[&str] = &[
    "CAT [<category>]",
    "    List all commands that belong to <category>, or all command categories",
    "    when no category is specified.",
    "DELUSER <username> [<username> ...]",
    "    Delete a list of users.",
    "DRYRUN <username> <command> [<arg> ...]",
    "    Returns whether the user can execute the given command without executing the command.",
    "GETUSER <username>",
    "    Get the user's details.",
    "GENPASS [<bits>]",
    "    Generate a secure 256-bit user password. The optional `bits` argument can",
    "    be used to specify a different size.",
    "LIST",
    "    Show users details in config file format.",
    "LOAD",
    "    Reload users from the ACL file.",
    "LOG [<count> | RESET]",
    "    Show the ACL log entries.",
    "SAVE",
    "    Save the current config to the ACL file.",
    "SETUSER <username> <attribute> [<attribute> ...]",
    "    Create or modify a user with the specified attributes.",
    "USERS",
    "    List all the registered usernames.",
    "WHOAMI",
    "    Return the current connection username.",
];

/// The bits of a password that nobody gives a length, and those of the longest one.
const BITS: (i64, i64) = (256, 4096);
const BITS_PER_DIGIT: usize = 4;

fn show_help(_: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    help::write(reply, "ACL", LINES);
    Ok(Outcome::Done)
}

fn cat(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let names: Vec<String> = match args.try_get(2) {
        None => Categories::ALL.names().map(str::to_owned).collect(),
        Some(_) if args.len() > 3 => return Err(help::wrong_words("ACL", &args[1])),
        Some(name) => {
            let category = str::from_utf8(name).ok().and_then(Categories::by_name);
            let category = category.ok_or_else(|| unknown("Unknown category", name))?;
            super::command::names_of(&cx.shared.registry, category)
        }
    };
    reply.array(names.len());
    names.iter().for_each(|name| reply.bulk(name.as_bytes()));
    Ok(Outcome::Done)
}

/// `ERR Unknown category 'x'`
fn unknown(what: &str, name: &[u8]) -> CommandError {
    CommandError::text(format!("ERR {what} '{}'", String::from_utf8_lossy(name)))
}

fn deluser(_: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    if args.from(2).any(|name| name == users::DEFAULT.as_bytes()) {
        return Err(CommandError::fixed("ERR The 'default' user cannot be removed"));
    }
    reply.count(0);
    Ok(Outcome::Done)
}

/// The only user may do everything that can be done at all.
fn dryrun(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let not_found = |what: &str, name: &[u8]| {
        let name = String::from_utf8_lossy(name);
        CommandError::text(format!("ERR {what} '{name}' not found"))
    };
    if &args[2] != users::DEFAULT.as_bytes() {
        return Err(not_found("User", &args[2]));
    }
    let Some((_, command)) = cx.shared.registry.table().find(&args[3]) else {
        return Err(not_found("Command", &args[3]));
    };
    let sub = match command.run {
        Run::Container(subs) => args.try_get(4).and_then(|word| {
            subs.iter().find(|sub| word.eq_ignore_ascii_case(sub.spec.name.as_bytes()))
        }),
        _ => None,
    };
    if !sub.unwrap_or(command).spec.accepts(args.len() - 3) {
        return Err(CommandError::arity(command.spec.name));
    }
    reply.ok();
    Ok(Outcome::Done)
}

fn genpass(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let bits = match args.try_get(2) {
        None => BITS.0,
        Some(_) if args.len() > 3 => return Err(help::wrong_words("ACL", &args[1])),
        Some(word) => {
            let bits = parse_i64(word).ok_or(error::NOT_INTEGER)?;
            Some(bits).filter(|bits| (1..=BITS.1).contains(bits)).ok_or(replies::PASSWORD_BITS)?
        }
    };
    let digits = (bits as usize).div_ceil(BITS_PER_DIGIT);
    let mut text = String::new();
    while text.len() < digits {
        let _ = write!(text, "{:016x}", cx.shared.entropy.next_u64());
    }
    reply.bulk(&text.as_bytes()[..digits]);
    Ok(Outcome::Done)
}

fn log(_: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    match args.try_get(2) {
        Some(_) if args.len() > 3 => return Err(help::wrong_words("ACL", &args[1])),
        Some(word) if word.eq_ignore_ascii_case(b"reset") => reply.ok(),
        Some(word) => {
            parse_i64(word).ok_or(error::NOT_INTEGER)?;
            reply.array(0);
        }
        None => reply.array(0),
    }
    Ok(Outcome::Done)
}

fn no_file(_: &mut NodeCx<'_>, _: Args<'_>, _: &mut Writer<'_>) -> Result<Outcome> {
    Err(replies::NO_ACL_FILE)
}

fn setuser(_: &mut NodeCx<'_>, _: Args<'_>, _: &mut Writer<'_>) -> Result<Outcome> {
    Err(replies::ONE_USER)
}
