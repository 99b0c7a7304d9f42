//! `cmsgpack`: the `MessagePack` format.
//!
//! Source: <https://github.com/antirez/lua-cmsgpack>.

use mlua::{Lua, MultiValue, Table, Value};

use super::{Answer, Fault, Native, as_number, on_room, one_string};
use crate::api::{integer, text};
use crate::meter::Meter;

pub(super) const FUNCTIONS: &[(&str, Native)] = &[
    ("pack", pack),
    ("unpack", |lua, meter, args| unpack(lua, meter, &text(args, 0, "unpack")?, 0, 0)),
    ("unpack_limit", unpack_limit),
    ("unpack_one", unpack_one),
];

/// Tables that are nested deeper become nil.
const NESTING_MAX: usize = 16;
/// Data that is nested deeper is refused.
const DEPTH_MAX: usize = 256;
/// The most results of one call.
const RESULTS_MAX: usize = 4000;

pub(super) fn constants(table: Table) -> mlua::Result<Table> {
    table.raw_set("_NAME", "cmsgpack")?;
    table.raw_set("_VERSION", "lua-cmsgpack 0.4.0")?;
    table.raw_set("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo")?;
    table.raw_set("_DESCRIPTION", "MessagePack C implementation for Lua")?;
    Ok(table)
}

fn pack(lua: &Lua, meter: &Meter, args: &MultiValue) -> Answer {
    if args.is_empty() {
        return Err("bad argument #0 to 'pack' (MessagePack pack needs input.)".into());
    }
    let mut out = Vec::new();
    for value in args {
        encode(meter, value, 0, &mut out)?;
    }
    meter.charge_bytes(out.len());
    one_string(lua, &out)
}

fn encode(meter: &Meter, value: &Value, level: usize, out: &mut Vec<u8>) -> Answer<()> {
    // A table that stands in many places is written as often.
    meter.afford(out.len())?;
    match value {
        Value::String(bytes) => {
            let bytes = bytes.as_bytes();
            header(out, bytes.len(), Some((0xa0, 31)), Some(0xd9), 0xda);
            out.extend_from_slice(&bytes);
        }
        Value::Boolean(truth) => out.push(if *truth { 0xc3 } else { 0xc2 }),
        Value::Integer(_) | Value::Number(_) => {
            encode_number(as_number(value).expect("it is one"), out);
        }
        Value::Table(table) if level < NESTING_MAX => encode_table(meter, table, level, out)?,
        _ => out.push(0xc0),
    }
    Ok(())
}

/// The shortest header for `len`: a few bits of the type byte, one byte, two or four.
fn header(out: &mut Vec<u8>, len: usize, fix: Option<(u8, usize)>, byte: Option<u8>, word: u8) {
    match (fix, byte) {
        (Some((base, max)), _) if len <= max => out.push(base | len as u8),
        (_, Some(kind)) if len <= 0xff => out.extend([kind, len as u8]),
        _ if len <= 0xffff => {
            out.push(word);
            out.extend((len as u16).to_be_bytes());
        }
        _ => {
            out.push(word + 1);
            out.extend((len as u32).to_be_bytes());
        }
    }
}

fn encode_number(number: f64, out: &mut Vec<u8>) {
    let integer = number as i64;
    if integer as f64 != number || integer == i64::MAX {
        let short = number as f32;
        if f64::from(short) == number {
            out.push(0xca);
            out.extend(short.to_be_bytes());
        } else {
            out.push(0xcb);
            out.extend(number.to_be_bytes());
        }
        return;
    }
    match integer {
        -32..=0x7f => out.push(integer as u8),
        0x80..=0xff => out.extend([0xcc, integer as u8]),
        0x100..=0xffff => tagged(out, 0xcd, &(integer as u16).to_be_bytes()),
        0x1_0000..=0xffff_ffff => tagged(out, 0xce, &(integer as u32).to_be_bytes()),
        0x1_0000_0000.. => tagged(out, 0xcf, &integer.to_be_bytes()),
        -0x80..-32 => out.extend([0xd0, integer as u8]),
        -0x8000..-0x80 => tagged(out, 0xd1, &(integer as i16).to_be_bytes()),
        -0x8000_0000..-0x8000 => tagged(out, 0xd2, &(integer as i32).to_be_bytes()),
        _ => tagged(out, 0xd3, &integer.to_be_bytes()),
    }
}

fn tagged(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    out.push(kind);
    out.extend_from_slice(bytes);
}

/// A table is an array if its keys are 1 to the number of its elements.
fn encode_table(meter: &Meter, table: &Table, level: usize, out: &mut Vec<u8>) -> Answer<()> {
    let (mut len, mut largest, mut is_array) = (0_usize, 0.0_f64, true);
    for pair in table.pairs::<Value, Value>() {
        let (key, _) = pair?;
        len += 1;
        match as_number(&key) {
            Some(key) if key > 0.0 && key == libm::floor(key) => largest = largest.max(key),
            _ => is_array = false,
        }
        if matches!(key, Value::Table(_) | Value::Function(_) | Value::Thread(_)) {
            return Err("a table with objects for keys has no order to be packed in".into());
        }
    }
    if is_array && largest == len as f64 {
        header(out, len, Some((0x90, 15)), None, 0xdc);
        for at in 1..=len {
            encode(meter, &table.raw_get(at)?, level + 1, out)?;
        }
        return Ok(());
    }
    header(out, len, Some((0x80, 15)), None, 0xde);
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        encode(meter, &key, level + 1, out)?;
        encode(meter, &value, level + 1, out)?;
    }
    Ok(())
}

fn unpack_one(lua: &Lua, meter: &Meter, args: &MultiValue) -> Answer {
    let offset = optional(args, 1, "unpack_one")?;
    unpack(lua, meter, &text(args, 0, "unpack_one")?, 1, offset)
}

fn unpack_limit(lua: &Lua, meter: &Meter, args: &MultiValue) -> Answer {
    let limit = integer(args, 1, "unpack_limit")?;
    let offset = optional(args, 2, "unpack_limit")?;
    unpack(lua, meter, &text(args, 0, "unpack_limit")?, limit, offset)
}

fn optional(args: &MultiValue, at: usize, function: &str) -> Answer<i64> {
    let is_given = args.get(at).is_some_and(|value| !value.is_nil());
    Ok(if is_given { integer(args, at, function)? } else { 0 })
}

/// Up to `limit` values from `offset` on, with the offset behind them in front; or all.
fn unpack(lua: &Lua, meter: &Meter, bytes: &[u8], limit: i64, offset: i64) -> Answer {
    let len = bytes.len();
    meter.charge_bytes(len * 2);
    if offset < 0 || limit < 0 {
        let text = format!("Invalid request to unpack with offset of {offset} and limit of {len}.");
        return Err(text.into());
    }
    let all = limit == 0 && offset == 0;
    let Some(mut rest) = bytes.get(offset as usize..) else {
        return Err(format!("Start offset {offset} greater than input length {len}.").into());
    };
    let limit = if all { usize::MAX } else { limit as usize };
    let mut found: Vec<Value> = Vec::new();
    while !rest.is_empty() && found.len() < limit {
        if found.len() == RESULTS_MAX {
            return Err("too many results to unpack".into());
        }
        found.push(decode(lua, &mut rest, 0)?);
    }
    let mut results: MultiValue = found.into_iter().collect();
    if !all {
        let next = if rest.is_empty() { -1.0 } else { (len - rest.len()) as f64 };
        results.push_front(Value::Number(next));
    }
    Ok(results)
}

const MISSING: &str = "Missing bytes in input.";
const BAD: &str = "Bad data format in input.";

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Answer<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(len).ok_or(MISSING)?;
    *rest = behind;
    Ok(taken)
}

fn array<const N: usize>(rest: &mut &[u8]) -> Answer<[u8; N]> {
    Ok(take(rest, N)?.try_into().expect("as many as were taken"))
}

fn decode(lua: &Lua, rest: &mut &[u8], depth: usize) -> Answer<Value> {
    let [kind] = array(rest)?;
    let short = usize::from(kind);
    Ok(match kind {
        0x00..=0x7f => Value::Number(kind.into()),
        0x80..=0x8f => decode_map(lua, rest, short & 15, depth)?,
        0x90..=0x9f => decode_array(lua, rest, short & 15, depth)?,
        0xa0..=0xbf => decode_string(lua, rest, short & 31)?,
        0xc0 => Value::Nil,
        0xc2 => Value::Boolean(false),
        0xc3 => Value::Boolean(true),
        0xd9 => {
            let [len] = array(rest)?;
            decode_string(lua, rest, len.into())?
        }
        0xda => {
            let len = u16::from_be_bytes(array(rest)?);
            decode_string(lua, rest, len.into())?
        }
        0xdb => {
            let len = u32::from_be_bytes(array(rest)?);
            decode_string(lua, rest, len as usize)?
        }
        0xca => Value::Number(f32::from_be_bytes(array(rest)?).into()),
        0xcb => Value::Number(f64::from_be_bytes(array(rest)?)),
        0xcc => Value::Number(u8::from_be_bytes(array(rest)?).into()),
        0xcd => Value::Number(u16::from_be_bytes(array(rest)?).into()),
        0xce => Value::Number(u32::from_be_bytes(array(rest)?).into()),
        0xcf => Value::Number(u64::from_be_bytes(array(rest)?) as f64),
        0xd0 => Value::Number(i8::from_be_bytes(array(rest)?).into()),
        0xd1 => Value::Number(i16::from_be_bytes(array(rest)?).into()),
        0xd2 => Value::Number(i32::from_be_bytes(array(rest)?).into()),
        0xd3 => Value::Number(i64::from_be_bytes(array(rest)?) as f64),
        0xdc => {
            let len = u16::from_be_bytes(array(rest)?);
            decode_array(lua, rest, len.into(), depth)?
        }
        0xdd => {
            let len = u32::from_be_bytes(array(rest)?);
            decode_array(lua, rest, len as usize, depth)?
        }
        0xde => {
            let len = u16::from_be_bytes(array(rest)?);
            decode_map(lua, rest, len.into(), depth)?
        }
        0xdf => {
            let len = u32::from_be_bytes(array(rest)?);
            decode_map(lua, rest, len as usize, depth)?
        }
        0xe0..=0xff => Value::Number(f64::from(kind as i8)),
        0xc1 | 0xc4..=0xc9 | 0xd4..=0xd8 => return Err(BAD.into()),
    })
}

fn decode_string(lua: &Lua, rest: &mut &[u8], len: usize) -> Answer<Value> {
    Ok(Value::String(lua.create_string(take(rest, len)?)?))
}

fn decode_array(lua: &Lua, rest: &mut &[u8], len: usize, depth: usize) -> Answer<Value> {
    if depth == DEPTH_MAX {
        return Err(BAD.into());
    }
    on_room(depth, || fill_array(lua, rest, len, depth))
}

fn fill_array(lua: &Lua, rest: &mut &[u8], len: usize, depth: usize) -> Answer<Value> {
    let table = lua.create_table()?;
    for at in 1..=len {
        table.raw_seti(at, decode(lua, rest, depth + 1)?)?;
    }
    Ok(Value::Table(table))
}

fn decode_map(lua: &Lua, rest: &mut &[u8], len: usize, depth: usize) -> Answer<Value> {
    if depth == DEPTH_MAX {
        return Err(BAD.into());
    }
    on_room(depth, || fill_map(lua, rest, len, depth))
}

fn fill_map(lua: &Lua, rest: &mut &[u8], len: usize, depth: usize) -> Answer<Value> {
    let table = lua.create_table()?;
    for _ in 0..len {
        let key = decode(lua, rest, depth + 1)?;
        let value = decode(lua, rest, depth + 1)?;
        if key.is_nil() {
            return Err(Fault::Said("table index is nil".into()));
        }
        if as_number(&key).is_some_and(f64::is_nan) {
            return Err(Fault::Said("table index is NaN".into()));
        }
        table.raw_set(key, value)?;
    }
    Ok(Value::Table(table))
}
