//! INFO: what a node knows about itself, in sections of `name:value` lines.
//!
//! Names are Redis's wherever it has one for the thing, because tools look for them; what only this
//! server has begins with `quoris_`. A field that would have to be invented is left out.

mod clients;
mod commands;
mod facts;
mod keyspace;
mod memory;
mod persistence;
mod replication;
mod server;
mod stats;

use std::fmt::Write as _;

use quoris_engine::spec::{Categories, Flags, Group, Spec, string};
use quoris_engine::{Args, Result};
use quoris_resp::Writer;

use self::facts::Facts;
use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::shared::Shared;

pub(super) const COMMANDS: &[NodeCommand] = &[INFO];

/// INFO [section ...]
const INFO: NodeCommand = NodeCommand::new(
    Spec::new("info", Group::Server, "1.0.0", "Tells what the node knows about itself.")
        .differs("Fields about the log and the shard begin with `quoris_`.")
        .args(&[string("section").optional().multiple()])
        .flags(Flags::LOADING.or(Flags::STALE))
        .categories(Categories::DANGEROUS)
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
    info,
);

/// A field and how to find its value; `None` if it does not apply at present.
struct Field(&'static str, fn(&Facts<'_>) -> Option<String>);

/// Declares fields whose values print themselves: `fields![NAME: "name" => |facts| value, …]`.
macro_rules! fields {
    ($list:ident: $($name:literal => $value:expr),+ $(,)?) => {
        const $list: &[$crate::commands::info::Field] = &[
            $($crate::commands::info::Field($name, |facts| {
                let value: fn(&$crate::commands::info::Facts<'_>) -> _ = $value;
                $crate::commands::info::Shown::shown(value(facts))
            })),+
        ];
    };
}
pub(super) use fields;

/// Prints the value of a field.
trait Shown {
    fn shown(self) -> Option<String>;
}

/// A value that there may be none of.
struct Maybe<T>(Option<T>);

macro_rules! shown {
    ($($type:ty),+) => {
        $(impl Shown for $type {
            fn shown(self) -> Option<String> {
                Some(self.to_string())
            }
        })+
    };
}

shown!(&str, String, u16, u32, u64, i64, usize);

impl Shown for bool {
    fn shown(self) -> Option<String> {
        Some(if self { "1" } else { "0" }.to_owned())
    }
}

impl<T: Shown> Shown for Maybe<T> {
    fn shown(self) -> Option<String> {
        self.0.and_then(Shown::shown)
    }
}

/// A section.
struct Section {
    /// As a client asks for it.
    name: &'static str,
    /// As its heading says it.
    title: &'static str,
    /// Shown to a client that does not ask for any in particular.
    by_default: bool,
    fields: &'static [Field],
    /// Appends lines of which there are more or fewer.
    lines: fn(&Facts<'_>, &mut String),
}

const SECTIONS: &[Section] = &[
    server::SECTION,
    clients::SECTION,
    memory::SECTION,
    persistence::SECTION,
    stats::SECTION,
    replication::SECTION,
    server::CPU,
    commands::STATS,
    commands::ERRORS,
    commands::LATENCIES,
    keyspace::CLUSTER,
    keyspace::SECTION,
];

/// A section has no lines but its fields.
fn no_lines(_: &Facts<'_>, _: &mut String) {}

fn info(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let words: Vec<&[u8]> = args.from(1).collect();
    reply.verbatim("txt", text(cx.shared, &words).as_bytes());
    Ok(Outcome::Done)
}

/// The sections that some words ask for, in their usual order.
pub(crate) fn text(shared: &Shared, words: &[&[u8]]) -> String {
    let facts = Facts::gather(shared);
    let mut out = String::new();
    for section in SECTIONS.iter().filter(|section| is_wanted(section, words)) {
        if !out.is_empty() {
            out.push_str("\r\n");
        }
        let _ = write!(out, "# {}\r\n", section.title);
        for Field(name, value) in section.fields {
            if let Some(value) = value(&facts) {
                let _ = write!(out, "{name}:{value}\r\n");
            }
        }
        (section.lines)(&facts, &mut out);
    }
    out
}

fn is_wanted(section: &Section, words: &[&[u8]]) -> bool {
    let by_word = |word: &&[u8]| match word.to_ascii_lowercase().as_slice() {
        b"all" | b"everything" => true,
        b"default" => section.by_default,
        name => name == section.name.as_bytes(),
    };
    if words.is_empty() { section.by_default } else { words.iter().any(by_word) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_field_is_declared_once() {
        let mut seen = BTreeSet::new();
        for Field(name, _) in SECTIONS.iter().flat_map(|section| section.fields) {
            assert!(seen.insert(name), "{name} is there twice");
        }
    }

    #[test]
    fn words_choose_sections() {
        let chosen = |words: &[&[u8]]| -> Vec<_> {
            let wanted = SECTIONS.iter().filter(|section| is_wanted(section, words));
            wanted.map(|section| section.name).collect()
        };
        let default = [
            "server",
            "clients",
            "memory",
            "persistence",
            "stats",
            "replication",
            "cpu",
            "errorstats",
            "cluster",
            "keyspace",
        ];
        assert_eq!(chosen(&[]), default);
        assert_eq!(chosen(&[b"DEFAULT"]), default);
        assert_eq!(chosen(&[b"all"]).len(), SECTIONS.len());
        assert_eq!(chosen(&[b"everything"]).len(), SECTIONS.len());
        assert_eq!(chosen(&[b"keyspace", b"CPU"]), ["cpu", "keyspace"]);
        assert!(chosen(&[b"nonsense"]).is_empty());
    }
}
