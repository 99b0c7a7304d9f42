//! The page `docs/commands.md`, made from the declarations of the engine's commands and compared with
//! them.

use std::fmt::Write as _;

use quoris_engine::commands::FAMILIES;
use quoris_engine::spec::{Arg, ArgKind, Flags, Group};
use quoris_engine::{Command, Run};

const INTRODUCTION: &str = "\
# Commands on data

What a node understands, family by family, but for the commands about connections, the server and
the cluster, which `COMMAND DOCS` describes too. A name, its arguments and its errors are those of Redis
7.2; `since` is the release of Redis (or Valkey) that brought it. The last column says what a user
of Redis would notice.

Three things differ everywhere. Hashes, sets and sorted sets keep one order on all replicas, so
that `HGETALL`, `SMEMBERS` and the like answer in the order of insertion rather than in that of a
hash table. Decimal numbers are read without C's hexadecimal form. A reply that repeats elements is
limited to what the longest string may hold.

This page is made from the declarations of the commands, which `COMMAND DOCS` answers from too.
";

const GROUPS: [(Group, &str); 12] = [
    (Group::Generic, "Keys"),
    (Group::String, "Strings"),
    (Group::Bitmap, "Bitmaps"),
    (Group::Hash, "Hashes"),
    (Group::List, "Lists"),
    (Group::Set, "Sets"),
    (Group::SortedSet, "Sorted sets"),
    (Group::Geo, "Geographic indexes"),
    (Group::HyperLogLog, "HyperLogLogs"),
    (Group::Stream, "Streams"),
    (Group::Scripting, "Scripts and functions"),
    (Group::Server, "Databases"),
];

/// A command or subcommand with its full name.
struct Named {
    name: String,
    command: &'static Command,
}

/// All that clients can call, by name.
fn commands() -> Vec<Named> {
    let mut all = Vec::new();
    for command in FAMILIES.iter().copied().flatten() {
        let name = command.spec.name;
        if let Run::Container(subs) = command.run {
            let sub = |sub: &'static Command| Named {
                name: format!("{name} {}", sub.spec.name),
                command: sub,
            };
            all.extend(subs.iter().map(sub));
        } else if !command.spec.flags.has(Flags::INTERNAL) {
            all.push(Named { name: name.into(), command });
        }
    }
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

/// The page, in Markdown.
fn markdown() -> String {
    let all = commands();
    let mut page = String::from(INTRODUCTION);
    for (group, title) in GROUPS {
        let mut members = all.iter().filter(|one| one.command.spec.group == group).peekable();
        if members.peek().is_none() {
            continue;
        }
        let _ = write!(page, "\n## {title}\n\n");
        page.push_str("| command | since | cost | what it does | what differs |\n");
        page.push_str("|---|---|---|---|---|\n");
        members.for_each(|named| page.push_str(&row(named)));
    }
    page
}

fn row(named: &Named) -> String {
    let spec = &named.command.spec;
    let mut form = named.name.to_ascii_uppercase();
    for argument in spec.args {
        form.push(' ');
        form.push_str(&grammar(argument));
    }
    let cells = [
        format!("`{}`", form.replace('|', "\\|")),
        spec.since.into(),
        spec.complexity.replace('|', "\\|"),
        spec.summary.replace('|', "\\|"),
        spec.differs.replace('|', "\\|"),
    ];
    format!("| {} |\n", cells.join(" | "))
}

/// An argument as a person would write it: `[EX seconds | PX milliseconds]`.
fn grammar(argument: &Arg) -> String {
    let inner =
        |separator: &str| argument.children.iter().map(grammar).collect::<Vec<_>>().join(separator);
    let mut text = match argument.kind {
        ArgKind::Token => argument.token.unwrap_or(argument.name).to_owned(),
        ArgKind::OneOf => inner(" | "),
        ArgKind::Block => inner(" "),
        _ => argument.name.to_owned(),
    };
    if let (Some(token), true) = (argument.token, argument.kind != ArgKind::Token) {
        let quoted = if token.is_empty() { "\"\"" } else { token };
        text = format!("{quoted} {text}");
    }
    if argument.multiple {
        text = format!("{text} [{text} …]");
    }
    match (argument.optional, argument.kind) {
        (true, _) => format!("[{text}]"),
        (false, ArgKind::OneOf) => format!("<{text}>"),
        _ => text,
    }
}

/// `UPDATE_GOLDENFILES=1 cargo test -p quoris-engine --test reference` brings the page up to date.
#[test]
fn the_page_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/commands.md");
    let page = markdown();
    if std::env::var_os("UPDATE_GOLDENFILES").is_some() {
        std::fs::write(path, &page).expect("write the page");
    }
    let kept = std::fs::read_to_string(path).expect("docs/commands.md exists");
    assert!(kept == page, "docs/commands.md is out of date: set UPDATE_GOLDENFILES=1");
}
