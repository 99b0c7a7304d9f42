//! Replies as Lua values.
//!
//! Source: <https://redis.io/docs/latest/develop/programmability/lua-api/#data-type-conversion>.

use mlua::{Lua, Result, Table, Value};

/// The value of the reply at the start of `rest`, which the engine wrote, and moves `rest` behind
/// it; false if it is an error.
pub(crate) fn of_reply(lua: &Lua, rest: &mut &[u8]) -> Result<(bool, Value)> {
    let is_fine = rest.first() != Some(&b'-');
    Ok((is_fine, value(lua, rest)?))
}

/// The table that stands for an error.
pub(crate) fn error(lua: &Lua, text: &[u8]) -> Result<Value> {
    let table = single(lua, "err", Value::String(lua.create_string(text)?))?;
    table.raw_set("ignore_error_stats_update", true)?;
    Ok(Value::Table(table))
}

fn single(lua: &Lua, name: &str, value: Value) -> Result<Table> {
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set(name, value)?;
    Ok(table)
}

fn value(lua: &Lua, rest: &mut &[u8]) -> Result<Value> {
    let (kind, line) = next_line(rest);
    let table = match kind {
        b'$' | b'*' if line == b"-1" => return Ok(Value::Boolean(false)),
        b'$' => return Ok(Value::String(lua.create_string(bulk(line, rest))?)),
        b':' => return Ok(Value::Number(integer(line) as f64)),
        b'*' | b'>' => array(lua, integer(line) as usize, rest)?,
        b'+' => single(lua, "ok", Value::String(lua.create_string(line)?))?,
        b'-' => return error(lua, line),
        b'_' => return Ok(Value::Nil),
        b'#' => return Ok(Value::Boolean(line == b"t")),
        b',' => single(lua, "double", Value::Number(double(line)))?,
        b'(' => single(lua, "big_number", Value::String(lua.create_string(line)?))?,
        b'=' => verbatim(lua, bulk(line, rest))?,
        b'%' => map(lua, integer(line) as usize, rest)?,
        b'~' => set(lua, integer(line) as usize, rest)?,
        _ => unreachable!("the engine writes no such reply: {kind}"),
    };
    Ok(Value::Table(table))
}

fn array(lua: &Lua, len: usize, rest: &mut &[u8]) -> Result<Table> {
    let table = lua.create_table_with_capacity(len, 0)?;
    for place in 1..=len {
        table.raw_seti(place, value(lua, rest)?)?;
    }
    Ok(table)
}

fn map(lua: &Lua, pairs: usize, rest: &mut &[u8]) -> Result<Table> {
    let table = lua.create_table_with_capacity(0, pairs)?;
    for _ in 0..pairs {
        let key = value(lua, rest)?;
        table.raw_set(key, value(lua, rest)?)?;
    }
    single(lua, "map", Value::Table(table))
}

fn set(lua: &Lua, len: usize, rest: &mut &[u8]) -> Result<Table> {
    let table = lua.create_table_with_capacity(0, len)?;
    for _ in 0..len {
        table.raw_set(value(lua, rest)?, true)?;
    }
    single(lua, "set", Value::Table(table))
}

fn verbatim(lua: &Lua, bytes: &[u8]) -> Result<Table> {
    let table = lua.create_table_with_capacity(0, 2)?;
    table.raw_set("format", lua.create_string(&bytes[..3])?)?;
    table.raw_set("string", lua.create_string(&bytes[4..])?)?;
    single(lua, "verbatim_string", Value::Table(table))
}

/// The type byte and the line behind it.
fn next_line<'a>(rest: &mut &'a [u8]) -> (u8, &'a [u8]) {
    let end = rest.iter().position(|byte| *byte == b'\r').expect("a reply ends its lines");
    let (line, behind) = rest.split_at(end);
    *rest = &behind[2..];
    (line[0], &line[1..])
}

fn bulk<'a>(line: &[u8], rest: &mut &'a [u8]) -> &'a [u8] {
    let (bytes, behind) = rest.split_at(integer(line) as usize);
    *rest = &behind[2..];
    bytes
}

fn integer(line: &[u8]) -> i64 {
    quoris_resp::parse_i64(line).expect("the engine writes integers")
}

fn double(line: &[u8]) -> f64 {
    match line {
        b"nan" | b"-nan" => f64::NAN,
        _ => quoris_resp::parse_double(line).expect("the engine writes doubles"),
    }
}
