//! The libraries that Redis gives to scripts: `bit`, `cjson`, `cmsgpack` and `struct`.
//!
//! They behave as the C libraries of these names in Redis do, complaints included. What a script
//! sets in them lasts until its end, so that no script depends on those before it.

mod bits;
mod json;
mod msgpack;
mod packed;

use std::rc::Rc;

use corosensei::stack::DefaultStack;
use mlua::{Error, Lua, MultiValue, Result, Table, Value};

use crate::meter::Meter;

pub(crate) use json::Settings as JsonSettings;

/// Why a function of a library has no result.
pub(crate) enum Fault {
    /// What the script is told.
    Said(String),
    /// The interpreter has no memory left.
    Lua(Error),
}

impl From<String> for Fault {
    fn from(text: String) -> Self {
        Fault::Said(text)
    }
}

impl From<&str> for Fault {
    fn from(text: &str) -> Self {
        Fault::Said(text.into())
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Lua(error)
    }
}

pub(crate) type Answer<T = MultiValue> = core::result::Result<T, Fault>;

/// A function of a library.
pub(crate) type Native = fn(&Lua, &Meter, &MultiValue) -> Answer;

/// All libraries by name.
pub(crate) fn all(lua: &Lua, meter: &Rc<Meter>) -> Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("bit", library(lua, meter, bits::FUNCTIONS)?)?;
    table.raw_set("cmsgpack", msgpack::constants(library(lua, meter, msgpack::FUNCTIONS)?)?)?;
    table.raw_set("struct", library(lua, meter, packed::FUNCTIONS)?)?;
    table.raw_set("cjson", json::constants(library(lua, meter, json::FUNCTIONS)?)?)?;
    Ok(table)
}

/// A table of functions that return true and their results, or false and a complaint.
pub(crate) fn library(lua: &Lua, meter: &Rc<Meter>, functions: &[(&str, Native)]) -> Result<Table> {
    let table = lua.create_table()?;
    for (name, function) in functions {
        let (meter, function) = (meter.clone(), *function);
        let raw =
            lua.create_function(move |lua, args: MultiValue| match function(lua, &meter, &args) {
                Ok(mut values) => {
                    values.push_front(Value::Boolean(true));
                    Ok(values)
                }
                Err(Fault::Said(text)) => {
                    let text = Value::String(lua.create_string(text)?);
                    Ok(MultiValue::from_iter([Value::Boolean(false), text]))
                }
                Err(Fault::Lua(error)) => Err(error),
            })?;
        table.raw_set(*name, raw)?;
    }
    Ok(table)
}

/// One result.
pub(super) fn one(value: Value) -> MultiValue {
    MultiValue::from_iter([value])
}

/// One string as the result.
pub(super) fn one_string(lua: &Lua, bytes: &[u8]) -> Answer {
    Ok(one(Value::String(lua.create_string(bytes)?)))
}

/// A value as a number, if it is one.
pub(super) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Number(number) => Some(*number),
        _ => None,
    }
}

/// After how many levels of nested data what goes through them goes on on another stack.
const LEVELS_PER_STACK: usize = 64;
/// The size of that, enough for a build without optimisation.
const STACK_BYTES: usize = 2 << 20;

/// Runs what goes a level deeper where there is room for it on the stack.
pub(super) fn on_room<T>(depth: usize, deeper: impl FnOnce() -> Answer<T>) -> Answer<T> {
    if depth % LEVELS_PER_STACK != LEVELS_PER_STACK - 1 {
        return deeper();
    }
    match DefaultStack::new(STACK_BYTES) {
        Ok(stack) => corosensei::on_stack(stack, deeper),
        Err(error) => Err(format!("no memory for the stack: {error}").into()),
    }
}
