//! The functions of `string` that could keep the interpreter busy without executing instructions.
//!
//! Where a function calls back into the script, what it needs of patterns is here and its loop is in
//! the prelude, since the interpreter cannot be entered again from here.

use std::rc::Rc;

use mlua::{Lua, LuaString, MultiValue, Result, Table, Value};

use crate::api::{integer, text};
use crate::libraries::{Answer, Native, library};
use crate::machine::MEMORY_BYTES_MAX;
use crate::meter::Meter;
use crate::patterns::{Capture, Matcher};

const FUNCTIONS: &[(&str, Native)] = &[
    ("find", |lua, meter, args| search(lua, meter, args, true)),
    ("match", |lua, meter, args| search(lua, meter, args, false)),
    ("rep", rep),
];

/// What the prelude makes `gmatch` and `gsub` of.
const PARTS: &[(&str, Native)] = &[("both", both), ("scan", scan), ("replace", replace)];

/// A pattern without these is looked for as it is.
const SPECIAL: &[u8] = b"^$*+?.([%-";

/// The functions that scripts call.
pub(crate) fn functions(lua: &Lua, meter: &Rc<Meter>) -> Result<Table> {
    library(lua, meter, FUNCTIONS)
}

/// The functions that the prelude calls.
pub(crate) fn parts(lua: &Lua, meter: &Rc<Meter>) -> Result<Table> {
    library(lua, meter, PARTS)
}

/// `string.rep`, whose size is judged before it is made.
fn rep(lua: &Lua, meter: &Meter, args: &MultiValue) -> Answer {
    let piece = text(args, 0, "rep")?;
    let times = usize::try_from(integer(args, 1, "rep")?).unwrap_or(0);
    if piece.len().saturating_mul(times) > MEMORY_BYTES_MAX {
        return Err("not enough memory".into());
    }
    meter.charge_bytes(piece.len() * times);
    let made = if piece.is_empty() { Vec::new() } else { piece.repeat(times) };
    Ok(one(Value::String(lua.create_string(made)?)))
}

fn one(value: Value) -> MultiValue {
    MultiValue::from_iter([value])
}

/// An argument as a string of Lua's, so that a long one is not copied.
fn string(lua: &Lua, args: &MultiValue, at: usize, function: &str) -> Answer<LuaString> {
    match args.get(at) {
        Some(Value::String(text)) => Ok(text.clone()),
        _ => Ok(lua.create_string(text(args, at, function)?)?),
    }
}

/// Where to begin: argument `at` counts from 1, or from the end if it is negative.
fn place(args: &MultiValue, at: usize, function: &str, len: usize) -> Answer<usize> {
    if args.get(at).is_none_or(Value::is_nil) {
        return Ok(0);
    }
    let given = integer(args, at, function)?;
    let from = if given < 0 { given.saturating_add(len as i64 + 1) } else { given };
    Ok((from.max(1) - 1).min(len as i64) as usize)
}

/// `string.find` and `string.match`.
fn search(lua: &Lua, meter: &Meter, args: &MultiValue, finds: bool) -> Answer {
    let name = if finds { "find" } else { "match" };
    let (subject, pattern) = (string(lua, args, 0, name)?, string(lua, args, 1, name)?);
    let (subject, pattern) = (&*subject.as_bytes(), &*pattern.as_bytes());
    let from = place(args, 2, name, subject.len())?;
    if finds && (is_true(args.get(3)) || !is_special(pattern)) {
        let found = memchr::memmem::find(&subject[from..], pattern);
        meter.charge_bytes(found.unwrap_or(subject.len() - from) + pattern.len());
        return Ok(found.map_or_else(
            || one(Value::Nil),
            |at| MultiValue::from_iter([number(from + at + 1), number(from + at + pattern.len())]),
        ));
    }
    let (pattern, is_anchored) = anchored(pattern);
    let mut matcher = Matcher::new(meter, subject, pattern);
    let Some(whole) = matcher.find(from, is_anchored)? else { return Ok(one(Value::Nil)) };
    let mut results = MultiValue::new();
    if finds {
        results.push_back(number(whole.0 + 1));
        results.push_back(number(whole.1));
        if matcher.level() == 0 {
            return Ok(results);
        }
    }
    captures(lua, &matcher, subject, whole, &mut results)?;
    Ok(results)
}

fn is_true(value: Option<&Value>) -> bool {
    value.is_some_and(|value| !matches!(value, Value::Nil | Value::Boolean(false)))
}

/// Whether a pattern, which ends at a zero, means anything but itself.
fn is_special(pattern: &[u8]) -> bool {
    pattern.iter().take_while(|byte| **byte != 0).any(|byte| SPECIAL.contains(byte))
}

fn anchored(pattern: &[u8]) -> (&[u8], bool) {
    match pattern.strip_prefix(b"^") {
        Some(rest) => (rest, true),
        None => (pattern, false),
    }
}

fn number(place: usize) -> Value {
    Value::Number(place as f64)
}

fn captures(
    lua: &Lua,
    matcher: &Matcher<'_>,
    subject: &[u8],
    whole: (usize, usize),
    results: &mut MultiValue,
) -> Answer<()> {
    for at in 0..matcher.len() {
        results.push_back(match matcher.capture(at, whole)? {
            Capture::Text(start, end) => Value::String(lua.create_string(&subject[start..end])?),
            Capture::Position(place) => number(place),
        });
    }
    Ok(())
}

/// The name of a function and its arguments: the first two of these as strings.
fn both(lua: &Lua, _: &Meter, args: &MultiValue) -> Answer {
    let name = text(args, 0, "?")?;
    let name = String::from_utf8_lossy(&name);
    let given: MultiValue = args.iter().skip(1).take(2).cloned().collect();
    let subject = string(lua, &given, 0, &name)?;
    let pattern = string(lua, &given, 1, &name)?;
    Ok(MultiValue::from_iter([Value::String(subject), Value::String(pattern)]))
}

/// Subject, pattern, where to begin, whether `^` anchors: the first match's beginning, its end and
/// its captures; nothing if there is none.
fn scan(lua: &Lua, meter: &Meter, args: &MultiValue) -> Answer {
    let (subject, pattern) = (string(lua, args, 0, "scan")?, string(lua, args, 1, "scan")?);
    let (subject, pattern) = (&*subject.as_bytes(), &*pattern.as_bytes());
    let from = place(args, 2, "scan", subject.len())?;
    let may_anchor = matches!(args.get(3), Some(Value::Boolean(true)));
    let (pattern, is_anchored) = if may_anchor { anchored(pattern) } else { (pattern, false) };
    let mut matcher = Matcher::new(meter, subject, pattern);
    let Some(whole) = matcher.find(from, is_anchored)? else { return Ok(MultiValue::new()) };
    let mut results = MultiValue::from_iter([number(whole.0 + 1), number(whole.1 + 1)]);
    captures(lua, &matcher, subject, whole, &mut results)?;
    Ok(results)
}

/// `string.gsub` with a string for a replacement.
fn replace(lua: &Lua, meter: &Meter, args: &MultiValue) -> Answer {
    let (subject, pattern) = (string(lua, args, 0, "gsub")?, string(lua, args, 1, "gsub")?);
    let (subject, pattern) = (&*subject.as_bytes(), &*pattern.as_bytes());
    let replacement = text(args, 2, "gsub")?;
    let most =
        if args.get(3).is_none_or(Value::is_nil) { i64::MAX } else { integer(args, 3, "gsub")? };
    let (pattern, is_anchored) = anchored(pattern);
    let mut matcher = Matcher::new(meter, subject, pattern);
    let (mut out, mut at, mut count) = (Vec::new(), 0, 0_i64);
    while count < most {
        let Some(whole) = matcher.find(at, is_anchored)? else { break };
        count += 1;
        out.extend_from_slice(&subject[at..whole.0]);
        expand(&matcher, subject, whole, &replacement, &mut out)?;
        if out.len() > MEMORY_BYTES_MAX {
            return Err("not enough memory".into());
        }
        at = whole.1;
        if whole.1 == whole.0 {
            out.extend(subject.get(at));
            at += 1;
        }
        if at > subject.len() || is_anchored {
            break;
        }
        if meter.charge(1 + (replacement.len() / 64) as i64) {
            return Err("budget".into());
        }
    }
    out.extend_from_slice(subject.get(at..).unwrap_or_default());
    meter.charge_bytes(out.len());
    Ok(MultiValue::from_iter([Value::String(lua.create_string(out)?), Value::Number(count as f64)]))
}

/// Appends the replacement of one match: `%1` is a capture, `%0` all of it.
fn expand(
    matcher: &Matcher<'_>,
    subject: &[u8],
    whole: (usize, usize),
    replacement: &[u8],
    out: &mut Vec<u8>,
) -> Answer<()> {
    let mut bytes = replacement.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let found = match bytes.next().unwrap_or(0) {
            b'0' => Capture::Text(whole.0, whole.1),
            digit @ b'1'..=b'9' => matcher.capture(usize::from(digit - b'1'), whole)?,
            other => {
                out.push(other);
                continue;
            }
        };
        match found {
            Capture::Text(start, end) => out.extend_from_slice(&subject[start..end]),
            Capture::Position(place) => out.extend_from_slice(place.to_string().as_bytes()),
        }
    }
    Ok(())
}
