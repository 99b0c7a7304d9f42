//! The functions of `string` that could keep the interpreter busy without executing instructions.

use std::rc::Rc;

use mlua::{Lua, MultiValue, Result, Table, Value};

use crate::api::{Answer, integer, text};
use crate::machine::MEMORY_BYTES_MAX;
use crate::meter::Meter;

/// Those functions.
pub(crate) fn functions(lua: &Lua, meter: &Rc<Meter>) -> Result<Table> {
    let table = lua.create_table()?;
    let meter = meter.clone();
    table.raw_set(
        "rep",
        lua.create_function(move |lua, args: MultiValue| {
            let made = match repeated(&meter, &args) {
                Ok(bytes) => Ok(Value::String(lua.create_string(bytes)?)),
                Err(message) => Err(message),
            };
            Answer::of(lua, made)
        })?,
    )?;
    Ok(table)
}

/// `string.rep`, whose size is judged before it is made.
fn repeated(meter: &Meter, args: &MultiValue) -> core::result::Result<Vec<u8>, String> {
    let piece = text(args, 0, "rep")?;
    let times = usize::try_from(integer(args, 1, "rep")?).unwrap_or(0);
    if piece.len().saturating_mul(times) > MEMORY_BYTES_MAX {
        return Err("not enough memory".into());
    }
    if piece.is_empty() {
        return Ok(Vec::new());
    }
    meter.charge_bytes(piece.len() * times);
    Ok(piece.repeat(times))
}
