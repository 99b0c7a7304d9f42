//! Tables of commands in Markdown, made from their declarations.

use std::fmt::Write as _;

use quoris_engine::spec::{Arg, ArgKind, Flags, Group};
use quoris_engine::{Command, Run};

/// A command or subcommand with its full name.
pub struct Named {
    pub name: String,
    pub command: &'static Command,
}

/// All that clients can call of these commands, subcommands among them, by name.
pub fn named(commands: impl Iterator<Item = &'static Command>) -> Vec<Named> {
    let mut all = Vec::new();
    for command in commands {
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

/// An introduction, and a table for each group that has commands.
pub fn markdown(introduction: &str, groups: &[(Group, &str)], all: &[Named]) -> String {
    let mut page = String::from(introduction);
    for (group, title) in groups {
        let mut members = all.iter().filter(|one| one.command.spec.group == *group).peekable();
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

/// Compares a page below `docs/` with what is kept there, or replaces it where
/// `UPDATE_GOLDENFILES` is set.
pub fn check(path: &str, page: &str) {
    if std::env::var_os("UPDATE_GOLDENFILES").is_some() {
        std::fs::write(path, page).expect("write the page");
    }
    let kept = std::fs::read_to_string(path).expect("the page exists");
    assert!(kept == page, "{path} is out of date: set UPDATE_GOLDENFILES=1");
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
