//! The map of `COMMAND DOCS`.

use quoris_engine::spec::{Arg, ArgKind};
use quoris_resp::Writer;

use super::Named;

/// Writes a command's name and the map of what there is to say about it.
pub(super) fn write(named: Named, reply: &mut Writer<'_>) {
    let spec = &named.command.spec;
    reply.bulk(named.full_name().as_bytes());
    let subs = named.subcommands();
    reply.map(4 + usize::from(!spec.args.is_empty()) + usize::from(subs.len() > 0));
    let texts = [
        ("summary", spec.summary),
        ("since", spec.since),
        ("group", spec.group.name()),
        ("complexity", spec.complexity),
    ];
    for (name, text) in texts {
        reply.bulk(name.as_bytes());
        reply.bulk(text.as_bytes());
    }
    if !spec.args.is_empty() {
        let mut keys = Keys { seen: 0, known: spec.key_specs.iter().flatten().count() };
        reply.bulk(b"arguments");
        write_arguments(spec.args, &mut keys, reply);
    }
    if subs.len() > 0 {
        reply.bulk(b"subcommands");
        reply.map(subs.len());
        subs.for_each(|sub| write(sub, reply));
    }
}

/// Keys and key specifications stand in the same order; the last one may be about several keys.
struct Keys {
    seen: usize,
    known: usize,
}

fn write_arguments(arguments: &[Arg], keys: &mut Keys, reply: &mut Writer<'_>) {
    reply.array(arguments.len());
    arguments.iter().for_each(|argument| write_argument(argument, keys, reply));
}

fn write_argument(argument: &Arg, keys: &mut Keys, reply: &mut Writer<'_>) {
    let mut flags = Vec::new();
    if argument.optional {
        flags.push("optional");
    }
    if argument.multiple {
        flags.push("multiple");
    }
    let (begun, mut pairs) = (reply.open(), 2);
    for (name, text) in [("name", argument.name), ("type", kind_name(argument.kind))] {
        reply.bulk(name.as_bytes());
        reply.bulk(text.as_bytes());
    }
    if argument.kind == ArgKind::Key {
        if let Some(last) = keys.known.checked_sub(1) {
            reply.bulk(b"key_spec_index");
            reply.count(keys.seen.min(last));
            pairs += 1;
        }
        keys.seen += 1;
    }
    if let Some(token) = argument.token {
        reply.bulk(b"token");
        reply.bulk(token.as_bytes());
        pairs += 1;
    }
    if !flags.is_empty() {
        reply.bulk(b"flags");
        reply.set(flags.len());
        flags.iter().for_each(|flag| reply.simple(flag));
        pairs += 1;
    }
    if !argument.children.is_empty() {
        reply.bulk(b"arguments");
        write_arguments(argument.children, keys, reply);
        pairs += 1;
    }
    reply.close_map(begun, pairs);
}

fn kind_name(kind: ArgKind) -> &'static str {
    match kind {
        ArgKind::Key => "key",
        ArgKind::String => "string",
        ArgKind::Integer => "integer",
        ArgKind::Double => "double",
        ArgKind::UnixTime => "unix-time",
        ArgKind::Pattern => "pattern",
        ArgKind::Token => "pure-token",
        ArgKind::OneOf => "oneof",
        ArgKind::Block => "block",
    }
}
