//! `cjson`: JSON.
//!
//! Source: <https://kyne.com.au/~mark/software/lua-cjson-manual.html>.

mod decode;
mod encode;

use std::cell::Cell;

use mlua::{Lua, MultiValue, Table, Value};

use super::{Answer, Native, as_number, one};
use crate::api::{complaint, integer};
use crate::meter::Meter;

pub(super) const FUNCTIONS: &[(&str, Native)] = &[
    ("decode", decode::decode),
    ("decode_invalid_numbers", |lua, meter, args| switch(lua, args, &meter.json.decode_invalid)),
    ("decode_max_depth", |_, meter, args| depth(args, &meter.json.decode_depth)),
    ("encode", encode::encode),
    ("encode_invalid_numbers", encode_invalid_numbers),
    ("encode_keep_buffer", |lua, meter, args| switch(lua, args, &meter.json.keep_buffer)),
    ("encode_max_depth", |_, meter, args| depth(args, &meter.json.encode_depth)),
    ("encode_number_precision", encode_number_precision),
    ("encode_sparse_array", encode_sparse_array),
];

/// How deep data may be nested, whatever a script sets.
const DEPTH_MAX: i64 = 1000;

/// What a script can set.
#[derive(Debug)]
pub(crate) struct Settings {
    decode_depth: Cell<i64>,
    decode_invalid: Cell<bool>,
    encode_depth: Cell<i64>,
    encode_invalid: Cell<Invalid>,
    keep_buffer: Cell<bool>,
    precision: Cell<i64>,
    sparse_convert: Cell<bool>,
    sparse_ratio: Cell<i64>,
    sparse_safe: Cell<i64>,
}

/// What becomes of numbers that JSON has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Invalid {
    Refused,
    Written,
    Null,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            decode_depth: Cell::new(DEPTH_MAX),
            decode_invalid: Cell::new(true),
            encode_depth: Cell::new(DEPTH_MAX),
            encode_invalid: Cell::new(Invalid::Refused),
            keep_buffer: Cell::new(true),
            precision: Cell::new(14),
            sparse_convert: Cell::new(false),
            sparse_ratio: Cell::new(2),
            sparse_safe: Cell::new(10),
        }
    }
}

impl Settings {
    /// Forgets what a script has set.
    pub(crate) fn reset(&self) {
        let Settings {
            decode_depth,
            decode_invalid,
            encode_depth,
            encode_invalid,
            keep_buffer,
            precision,
            sparse_convert,
            sparse_ratio,
            sparse_safe,
        } = Settings::default();
        self.decode_depth.swap(&decode_depth);
        self.decode_invalid.swap(&decode_invalid);
        self.encode_depth.swap(&encode_depth);
        self.encode_invalid.swap(&encode_invalid);
        self.keep_buffer.swap(&keep_buffer);
        self.precision.swap(&precision);
        self.sparse_convert.swap(&sparse_convert);
        self.sparse_ratio.swap(&sparse_ratio);
        self.sparse_safe.swap(&sparse_safe);
    }
}

pub(super) fn constants(table: Table) -> mlua::Result<Table> {
    table.raw_set("_NAME", "cjson")?;
    table.raw_set("_VERSION", "2.1.0")?;
    table.raw_set("null", Value::NULL)?;
    Ok(table)
}

fn given(args: &MultiValue, at: usize) -> Option<&Value> {
    args.get(at).filter(|value| !value.is_nil())
}

fn set_integer(
    args: &MultiValue,
    at: usize,
    function: &str,
    place: &Cell<i64>,
    range: core::ops::RangeInclusive<i64>,
) -> Answer<()> {
    if given(args, at).is_some() {
        let value = integer(args, at, function)?;
        if !range.contains(&value) {
            let what = format!("expected integer between {} and {}", range.start(), range.end());
            return Err(complaint(at + 1, function, &what).into());
        }
        place.set(value);
    }
    Ok(())
}

fn depth(args: &MultiValue, place: &Cell<i64>) -> Answer {
    set_integer(args, 0, "max_depth", place, 1..=i32::MAX.into())?;
    Ok(one(Value::Number(place.get() as f64)))
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Boolean(truth) => Some(*truth),
        Value::String(text) if &*text.as_bytes() == b"on" => Some(true),
        Value::String(text) if &*text.as_bytes() == b"off" => Some(false),
        _ => None,
    }
}

fn switch(_: &Lua, args: &MultiValue, place: &Cell<bool>) -> Answer {
    if let Some(value) = given(args, 0) {
        let truth = truth(value);
        place.set(truth.ok_or_else(|| complaint(1, "switch", "invalid option"))?);
    }
    Ok(one(Value::Boolean(place.get())))
}

fn encode_invalid_numbers(lua: &Lua, meter: &Meter, args: &MultiValue) -> Answer {
    let place = &meter.json.encode_invalid;
    if let Some(value) = given(args, 0) {
        place.set(match (truth(value), value) {
            (Some(true), _) => Invalid::Written,
            (Some(false), _) => Invalid::Refused,
            (None, Value::String(text)) if &*text.as_bytes() == b"null" => Invalid::Null,
            _ => return Err(complaint(1, "encode_invalid_numbers", "invalid option").into()),
        });
    }
    Ok(one(match place.get() {
        Invalid::Refused => Value::Boolean(false),
        Invalid::Written => Value::Boolean(true),
        Invalid::Null => Value::String(lua.create_string("null")?),
    }))
}

fn encode_number_precision(_: &Lua, meter: &Meter, args: &MultiValue) -> Answer {
    set_integer(args, 0, "encode_number_precision", &meter.json.precision, 1..=16)?;
    Ok(one(Value::Number(meter.json.precision.get() as f64)))
}

fn encode_sparse_array(_: &Lua, meter: &Meter, args: &MultiValue) -> Answer {
    let json = &meter.json;
    if let Some(value) = given(args, 0) {
        let truth = truth(value);
        let refused = || complaint(1, "encode_sparse_array", "invalid option");
        json.sparse_convert.set(truth.ok_or_else(refused)?);
    }
    set_integer(args, 1, "encode_sparse_array", &json.sparse_ratio, 0..=i32::MAX.into())?;
    set_integer(args, 2, "encode_sparse_array", &json.sparse_safe, 0..=i32::MAX.into())?;
    Ok(MultiValue::from_iter([
        Value::Boolean(json.sparse_convert.get()),
        Value::Number(json.sparse_ratio.get() as f64),
        Value::Number(json.sparse_safe.get() as f64),
    ]))
}

/// A value as the key of an array, if it is one.
fn as_index(value: &Value) -> Option<f64> {
    as_number(value).filter(|number| *number >= 1.0 && libm::floor(*number) == *number)
}
