//! What functions of the host have in common, and those of `redis.*` that need no commands.

use std::rc::Rc;

use mlua::{IntoLuaMulti, Lua, MultiValue, Result, Table, Value};
use quoris_engine::scripting::Sha;
use quoris_resp::Protocol;

use crate::meter::{Meter, STEPS_MAX};
use crate::{number, values};

/// What a function of the host returns: true and its results, or false and a text that the prelude
/// raises. An error of Rust's own would reach scripts as an object that Redis has not.
pub(crate) struct Answer(bool, Value);

impl Answer {
    pub(crate) fn of(lua: &Lua, outcome: core::result::Result<Value, String>) -> Result<Answer> {
        Ok(match outcome {
            Ok(value) => Answer(true, value),
            Err(message) => Answer(false, Value::String(lua.create_string(message)?)),
        })
    }
}

impl IntoLuaMulti for Answer {
    fn into_lua_multi(self, lua: &Lua) -> Result<MultiValue> {
        (self.0, self.1).into_lua_multi(lua)
    }
}

/// `bad argument #1 to 'f' (…)`.
pub(crate) fn complaint(place: usize, function: &str, what: &str) -> String {
    format!("bad argument #{place} to '{function}' ({what})")
}

fn expected(args: &MultiValue, at: usize, function: &str, kind: &str) -> String {
    let got = args.get(at).map_or("no value", |value| match value {
        Value::LightUserData(_) => "userdata",
        Value::Integer(_) => "number",
        other => other.type_name(),
    });
    complaint(at + 1, function, &format!("{kind} expected, got {got}"))
}

/// Argument `at` as a number, or as a string that is one.
pub(crate) fn number(
    args: &MultiValue,
    at: usize,
    function: &str,
) -> core::result::Result<f64, String> {
    let found = match args.get(at) {
        Some(Value::Integer(number)) => Some(*number as f64),
        Some(Value::Number(number)) => Some(*number),
        Some(Value::String(text)) => {
            core::str::from_utf8(&text.as_bytes()).ok().and_then(|text| text.trim().parse().ok())
        }
        _ => None,
    };
    found.ok_or_else(|| expected(args, at, function, "number"))
}

/// The same, without its fraction.
pub(crate) fn integer(
    args: &MultiValue,
    at: usize,
    function: &str,
) -> core::result::Result<i64, String> {
    number(args, at, function).map(|number| number as i64)
}

/// Argument `at` as a string, or as a number's text.
pub(crate) fn text(
    args: &MultiValue,
    at: usize,
    function: &str,
) -> core::result::Result<Vec<u8>, String> {
    args.get(at).and_then(bytes_of).ok_or_else(|| expected(args, at, function, "string"))
}

/// A string, or the text of a number.
pub(crate) fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        Value::Integer(number) => Some(number::lua(*number as f64).into_bytes()),
        Value::Number(number) => Some(number::lua(*number).into_bytes()),
        _ => None,
    }
}

/// Redis's version, which scripts may ask for.
const VERSION: (&str, u32) = ("7.0.15", 0x0007_000f);

/// Constants of `redis.*`.
fn constants(lua: &Lua) -> Result<Table> {
    let table = lua.create_table()?;
    for (name, value) in [
        ("LOG_DEBUG", 0),
        ("LOG_VERBOSE", 1),
        ("LOG_NOTICE", 2),
        ("LOG_WARNING", 3),
        ("REPL_NONE", 0),
        ("REPL_AOF", 1),
        ("REPL_SLAVE", 2),
        ("REPL_REPLICA", 2),
        ("REPL_ALL", 3),
        ("REDIS_VERSION_NUM", VERSION.1),
    ] {
        table.raw_set(name, value)?;
    }
    table.raw_set("REDIS_VERSION", VERSION.0)?;
    Ok(table)
}

type Checked = fn(&Meter, &MultiValue) -> core::result::Result<Plain, String>;

/// What such a function returns.
enum Plain {
    Nothing,
    Truth(bool),
    Text(Vec<u8>),
}

/// The constants of `redis.*`, and its functions that call no command. Their complaints have no
/// place in front, so they are the tables that errors of commands are.
pub(crate) fn functions(lua: &Lua, meter: &Rc<Meter>) -> Result<Table> {
    let table = constants(lua)?;
    let functions: [(&str, Checked); 7] = [
        ("breakpoint", |_, _| Ok(Plain::Truth(false))),
        ("debug", |_, _| Ok(Plain::Nothing)),
        ("log", |_, args| log(args)),
        ("replicate_commands", |_, _| Ok(Plain::Truth(true))),
        ("set_repl", |_, args| set_repl(args)),
        ("setresp", set_protocol),
        ("sha1hex", sha1hex),
    ];
    for (name, function) in functions {
        let meter = meter.clone();
        let raw = lua.create_function(move |lua, args: MultiValue| {
            let value = match function(&meter, &args) {
                Ok(Plain::Nothing) => Value::Nil,
                Ok(Plain::Truth(truth)) => Value::Boolean(truth),
                Ok(Plain::Text(text)) => Value::String(lua.create_string(text)?),
                Err(message) => {
                    let error = values::error(lua, format!("ERR {message}").as_bytes())?;
                    return Ok(Answer(false, error));
                }
            };
            Ok(Answer(true, value))
        })?;
        table.raw_set(name, raw)?;
    }
    Ok(table)
}

/// `os.clock`: seconds at a pace of fifty million instructions each, the same on every replica.
pub(crate) fn clock(lua: &Lua, meter: &Rc<Meter>) -> Result<Table> {
    let table = lua.create_table()?;
    let meter = meter.clone();
    let raw = lua.create_function(move |_, ()| {
        Ok(Answer(true, Value::Number(meter.used() as f64 / (STEPS_MAX as f64 / 2.0))))
    })?;
    table.raw_set("clock", raw)?;
    Ok(table)
}

fn log(args: &MultiValue) -> core::result::Result<Plain, String> {
    if args.len() < 2 {
        return Err("redis.log() requires two arguments or more.".into());
    }
    let level = match &args[0] {
        Value::Integer(level) => *level,
        Value::Number(level) => *level as i64,
        _ => return Err("First argument must be a number (log level).".into()),
    };
    let words: Vec<String> = args
        .iter()
        .skip(1)
        .filter_map(bytes_of)
        .map(|word| String::from_utf8_lossy(&word).into_owned())
        .collect();
    let message = words.join(" ");
    match level {
        0 | 1 => tracing::debug!("script: {message}"),
        2 => tracing::info!("script: {message}"),
        3 => tracing::warn!("script: {message}"),
        _ => return Err("Invalid debug level.".into()),
    }
    Ok(Plain::Nothing)
}

/// Entries reach every replica whole, so there is nothing to choose.
fn set_repl(args: &MultiValue) -> core::result::Result<Plain, String> {
    if args.len() != 1 {
        return Err("redis.set_repl() requires two arguments.".into());
    }
    let flags = args.front().and_then(Value::as_i64).unwrap_or(0);
    if flags & !3 != 0 {
        return Err(
            "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.".into(),
        );
    }
    Ok(Plain::Nothing)
}

fn set_protocol(meter: &Meter, args: &MultiValue) -> core::result::Result<Plain, String> {
    if args.len() != 1 {
        return Err("redis.setresp() requires one argument.".into());
    }
    meter.protocol.set(match args.front().and_then(Value::as_i64) {
        Some(2) => Protocol::Resp2,
        Some(3) => Protocol::Resp3,
        _ => return Err("RESP version must be 2 or 3.".into()),
    });
    Ok(Plain::Nothing)
}

fn sha1hex(meter: &Meter, args: &MultiValue) -> core::result::Result<Plain, String> {
    if args.len() != 1 {
        return Err("wrong number of arguments".into());
    }
    let bytes = bytes_of(&args[0]).unwrap_or_default();
    meter.charge_bytes(bytes.len() * 4);
    Ok(Plain::Text(Sha::of(&bytes).hex().to_vec()))
}
