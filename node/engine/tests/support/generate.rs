//! Makes requests for any command from its declaration.

use quoris_engine::spec::{Arg, ArgKind};
use quoris_engine::{Command, Rng, Run};

/// Few keys and members, so that commands meet each other's values.
const KEYS: [&str; 7] = ["a", "b", "c", "{t}d", "{t}e", "f", "g"];
const TEXTS: [&str; 10] = [
    "x",
    "y",
    "1",
    "-7",
    "2.5",
    "70000",
    "",
    "members",
    "a-text-that-is-too-long-for-compact-values-of-sixty-four-bytes!!",
    "inf",
];
const INTEGERS: [&str; 9] = ["0", "1", "2", "3", "-1", "-2", "10", "100", "5000"];
/// Everything, keys of the elements that are called like keys, and what only `SORT` understands.
const PATTERNS: [&str; 5] = ["*", "*", "*->x", "#", "[a-c]*"];
/// Ids of streams, so that commands meet each other's entries, and what may stand in their place.
const IDS: [&str; 12] =
    ["1-1", "1-2", "2", "3-0", "5-*", "*", "1700000000000-0", "0", "$", "-", "+", "(2"];
const GROUPS: [&str; 2] = ["g", "h"];
const DOUBLES: [&str; 6] = ["0", "1", "-1.5", "2.25", "1e10", "(3"];

/// The words of a request for `command`, most of the time a valid one.
pub fn request(command: &Command, subcommand_of: Option<&str>, rng: &mut Rng) -> Vec<String> {
    let mut words: Vec<String> = subcommand_of.into_iter().map(String::from).collect();
    words.push(command.spec.name.into());
    append_all(command.spec.args, rng, &mut words);
    words
}

fn append_all(args: &[Arg], rng: &mut Rng, words: &mut Vec<String>) {
    let mut counted = false;
    for arg in args {
        append(arg, counted, rng, words);
        counted = arg.name.starts_with("num");
    }
}

fn append(arg: &Arg, counted: bool, rng: &mut Rng, words: &mut Vec<String>) {
    if arg.optional && rng.below(3) > 0 {
        return;
    }
    let times = if arg.multiple { 1 + rng.below(3) } else { 1 };
    // A count is followed by as many keys or fields.
    if arg.multiple && counted {
        *words.last_mut().expect("the count") = times.to_string();
    }
    for _ in 0..times {
        if let (Some(token), true) = (arg.token, arg.kind != ArgKind::Token) {
            words.push(token.into());
        }
        let pick = |from: &[&str], rng: &mut Rng| from[rng.below(from.len())].to_string();
        match arg.kind {
            ArgKind::Key => words.push(pick(&KEYS, rng)),
            ArgKind::String => words.push(pick(texts(arg.name), rng)),
            ArgKind::Integer => words.push(pick(&INTEGERS, rng)),
            ArgKind::Double => words.push(pick(&DOUBLES, rng)),
            ArgKind::UnixTime => words.push((1_700_000_000_000 + rng.below(100_000)).to_string()),
            ArgKind::Pattern => words.push(pick(&PATTERNS, rng)),
            ArgKind::Token => words.push(arg.token.expect("a token has its word").into()),
            ArgKind::OneOf => {
                append(&arg.children[rng.below(arg.children.len())], false, rng, words)
            }
            ArgKind::Block => append_all(arg.children, rng, words),
        }
    }
}

/// The texts for arguments of a name.
fn texts(name: &str) -> &'static [&'static str] {
    match name {
        "id" | "start" | "end" | "last-id" | "lastid" | "max-deleted-id" | "threshold" => &IDS,
        "group" | "consumer" => &GROUPS,
        "min-idle-time" => &INTEGERS,
        _ => &TEXTS,
    }
}

/// All commands that an engine runs, subcommands with the name of their container; those that
/// would only wipe everything are left out.
pub fn commands(engine: &quoris_engine::Engine) -> Vec<(Option<&'static str>, &'static Command)> {
    let mut found = Vec::new();
    for command in engine.table().iter() {
        match command.run {
            Run::Read(_) | Run::Write(_) => found.push((None, command)),
            Run::Container(subcommands) => {
                found.extend(subcommands.iter().map(|sub| (Some(command.spec.name), sub)));
            }
            Run::Node => {}
        }
    }
    found.retain(|(_, command)| !["flushall", "flushdb"].contains(&command.spec.name));
    found
}
