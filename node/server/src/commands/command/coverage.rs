//! Which of the commands of Redis 7.2 there are: a list says so, and this says whether it is right.

use quoris_engine::{Args, Run};
use quoris_resp::Span;

use super::lookup;
use crate::commands::FAMILIES;
use crate::registry::Registry;

const LIST: &str = include_str!("redis_7_2.txt");

/// The names of the list, each with the answer to it where there is no such command.
fn listed() -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    let lines = LIST.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| match line.split_once(" -> ") {
        Some((name, answer)) => (name, Some(answer)),
        None => (line, None),
    })
}

/// What a client is told that asks for a command by name alone.
fn answer(registry: &Registry, name: &str) -> String {
    let (mut bytes, mut spans) = (Vec::new(), Vec::new());
    for word in name.split('|') {
        spans.push(Span { start: bytes.len() as u32, len: word.len() as u32 });
        bytes.extend_from_slice(word.as_bytes());
    }
    let (error, _) = registry.refusal(&Args::new(&bytes, &spans));
    error.as_str().trim_end().to_owned()
}

#[test]
fn exactly_the_commands_of_the_list_are_missing() {
    let registry = Registry::new(FAMILIES);
    let mut wrong = Vec::new();
    let (mut present, mut subcommands, mut all) = (0, 0, 0);
    for (name, expected) in listed() {
        let found = lookup(&registry, name.as_bytes());
        all += 1;
        present += usize::from(found.is_some());
        subcommands += usize::from(found.is_some() && name.contains('|'));
        match (found, expected) {
            (Some(_), None) => {}
            (Some(_), Some(_)) => wrong.push(format!("{name} is there: strike out its answer")),
            (None, None) => wrong.push(format!("{name} is missing")),
            (None, Some(expected)) => {
                let given = answer(&registry, name);
                if given != expected {
                    wrong.push(format!("{name} is answered with {given}"));
                }
            }
        }
    }
    println!("{present} of {all} commands of Redis 7.2, {subcommands} of them subcommands");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_list_is_in_order_and_names_nothing_twice() {
    let names: Vec<&str> = listed().map(|(name, _)| name).collect();
    assert!(names.is_sorted_by(|one, other| one < other), "sort it as bytes");
}

#[test]
fn commands_of_the_list_can_be_called() {
    let registry = Registry::new(FAMILIES);
    for (name, _) in listed().filter(|(_, answer)| answer.is_none()) {
        let named = lookup(&registry, name.as_bytes()).expect("it was said to be there");
        let has_subcommands = matches!(named.command.run, Run::Container(_));
        let can_run = registry.entries().iter().any(|entry| entry.full_name() == name);
        assert!(can_run || has_subcommands, "{name} cannot run");
    }
}
