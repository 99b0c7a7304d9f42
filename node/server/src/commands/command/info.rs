//! The ten fields of `COMMAND INFO`.

use quoris_engine::Run;
use quoris_engine::spec::{Begin, Categories, Find, Flags, Group, KeySpec, Spec};
use quoris_resp::Writer;

use super::Named;

/// Writes what `COMMAND INFO` says about a command, subcommands included.
pub(super) fn write(named: Named, reply: &mut Writer<'_>) {
    let (command, spec) = (named.command, &named.command.spec);
    let writes = command.writes();
    let (first, last, step) = legacy_keys(spec);
    reply.array(10);
    reply.bulk(named.full_name().as_bytes());
    reply.integer(i64::from(spec.arity));
    write_set(&flags(named), reply);
    [first, last, step].iter().for_each(|number| reply.integer(i64::from(*number)));
    let categories: Vec<String> =
        command.categories().names().map(|name| format!("@{name}")).collect();
    write_set(&categories, reply);
    reply.array(spec.tips.len());
    spec.tips.iter().for_each(|tip| reply.bulk(tip.as_bytes()));
    reply.array(spec.key_specs.iter().flatten().count());
    spec.key_specs.iter().flatten().for_each(|keys| write_keys(keys, writes, reply));
    reply.array(named.subcommands().len());
    named.subcommands().for_each(|sub| write(sub, reply));
}

fn write_set(names: &[impl AsRef<str>], reply: &mut Writer<'_>) {
    reply.set(names.len());
    names.iter().for_each(|name| reply.simple(name.as_ref()));
}

fn flags(named: Named) -> Vec<&'static str> {
    let own = named.command.spec.flags;
    let mut flags = Vec::new();
    match named.command.run {
        Run::Write(_) if is_a_write(named) => flags.push("write"),
        Run::Read(_) if named.command.spec.key_specs[0].is_some() || is_about_data(named) => {
            flags.push("readonly");
        }
        _ => {}
    }
    flags.extend(own.names());
    if !own.has(Flags::MOVABLE_KEYS) && has_movable_keys(&named.command.spec) {
        flags.push("movablekeys");
    }
    flags
}

/// Whether a command that goes through the log is one that writes as such: what a script does is not
/// known of EVAL.
fn is_a_write(named: Named) -> bool {
    let spec = &named.command.spec;
    spec.group != Group::Scripting || spec.categories.has(Categories::WRITE)
}

/// Whether a reading command without keys reads the data, and not only a text of its own.
fn is_about_data(named: Named) -> bool {
    named.container.is_none()
}

/// First, last and step as they were told before there were key specifications: of the only range,
/// or of the ranges that lie next to each other.
///
/// Source: <https://redis.io/docs/latest/commands/command/>.
fn legacy_keys(spec: &Spec) -> (i32, i32, i32) {
    if let [Some(only), None, ..] = &spec.key_specs {
        return match (only.begin, only.find) {
            (Begin::Index(at), Find::Range { last, step, .. }) => {
                (at as i32, from_start(at, last), step as i32)
            }
            _ => (0, 0, 0),
        };
    }
    let mut joined: Option<(i32, i32)> = None;
    for (at, last) in spec.key_specs.iter().flatten().filter_map(plain_range) {
        match joined {
            None => joined = Some((at as i32, from_start(at, last))),
            Some((first, end)) if end == at as i32 - 1 => {
                joined = Some((first, from_start(at, last)));
            }
            Some(_) => {}
        }
    }
    joined.map_or((0, 0, 0), |(first, last)| (first, last, 1))
}

/// Where a specification begins and ends, if it is a range of neighbouring words.
fn plain_range(spec: &KeySpec) -> Option<(usize, i32)> {
    match (spec.begin, spec.find) {
        (Begin::Index(at), Find::Range { last, step: 1, .. }) => Some((at, last)),
        _ => None,
    }
}

/// A negative last key counts from the end of the request already.
fn from_start(first: usize, last: i32) -> i32 {
    if last < 0 { last } else { first as i32 + last }
}

/// Whether first, last and step do not tell the whole truth.
fn has_movable_keys(spec: &Spec) -> bool {
    let specs = || spec.key_specs.iter().flatten();
    match specs().count() {
        0 => false,
        1 => !specs()
            .all(|keys| matches!((keys.begin, keys.find), (Begin::Index(_), Find::Range { .. }))),
        _ => {
            let mut end = None;
            !specs().all(|keys| {
                let Some((at, last)) = plain_range(keys) else { return false };
                let joins = end.is_none_or(|end| end == at as i32 - 1);
                end = Some(from_start(at, last));
                joins
            })
        }
    }
}

fn write_keys(keys: &KeySpec, writes: bool, reply: &mut Writer<'_>) {
    let access = keys.access.or_default(writes);
    reply.map(3);
    reply.bulk(b"flags");
    let flags: Vec<_> = access.names().collect();
    write_set(&flags, reply);
    reply.bulk(b"begin_search");
    match keys.begin {
        Begin::Index(at) | Begin::Selected(at) => {
            write_search(reply, "index", &[("index", Value::Number(at as i64))]);
        }
        Begin::Keyword(word, from) => {
            let fields =
                [("keyword", Value::Word(word)), ("startfrom", Value::Number(from as i64))];
            write_search(reply, "keyword", &fields);
        }
        Begin::Option(_) | Begin::Unknown => {
            write_search(reply, "unknown", &[]);
            reply.bulk(b"find_keys");
            return write_search(reply, "unknown", &[]);
        }
    }
    reply.bulk(b"find_keys");
    match keys.find {
        Find::Range { last, step, limit } => {
            let fields = [
                ("lastkey", Value::Number(i64::from(last))),
                ("keystep", Value::Number(step as i64)),
                ("limit", Value::Number(limit as i64)),
            ];
            write_search(reply, "range", &fields);
        }
        Find::Count { first, step } => {
            let fields = [
                ("keynumidx", Value::Number(0)),
                ("firstkey", Value::Number(first as i64)),
                ("keystep", Value::Number(step as i64)),
            ];
            write_search(reply, "keynum", &fields);
        }
    }
}

#[derive(Clone, Copy)]
enum Value {
    Number(i64),
    Word(&'static str),
}

fn write_search(reply: &mut Writer<'_>, kind: &str, fields: &[(&str, Value)]) {
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(kind.as_bytes());
    reply.bulk(b"spec");
    reply.map(fields.len());
    for (name, value) in fields {
        reply.bulk(name.as_bytes());
        match value {
            Value::Number(number) => reply.integer(*number),
            Value::Word(word) => reply.bulk(word.as_bytes()),
        }
    }
}
