//! What a library has registered, as the prelude lists it.

use mlua::{LuaString, Result as LuaResult, Table, Value};
use quoris_engine::scripting::{Registered, ScriptFlags};

use crate::machine::Outcome;
use crate::meter::Ending;
use crate::replies::string;

const TOO_LONG: &str = "ERR FUNCTION LOAD timeout";
const TOO_LARGE: &str = "ERR the library needs more memory than a script may have";
const UNKNOWN: &str = "ERR unknown error";

/// The functions, or what the library did wrong.
pub(crate) fn registered(outcome: &Outcome) -> Result<Vec<Registered>, String> {
    match outcome {
        Outcome::Returned(Value::Table(list)) => all(list).map_err(|error| error.to_string()),
        Outcome::Failed(Value::Table(error)) => Err(match string(error, "err") {
            Ok(Some(text)) => text.to_string_lossy(),
            _ => UNKNOWN.into(),
        }),
        Outcome::Ended(Ending::Steps) => Err(TOO_LONG.into()),
        Outcome::Ended(_) => Err(TOO_LARGE.into()),
        Outcome::Returned(_) | Outcome::Said(_) | Outcome::Failed(_) => Err(UNKNOWN.into()),
    }
}

fn all(list: &Table) -> LuaResult<Vec<Registered>> {
    list.sequence_values::<Table>().map(|function| one(&function?)).collect()
}

fn one(function: &Table) -> LuaResult<Registered> {
    let name: LuaString = function.raw_get("function_name")?;
    let description: Option<LuaString> = function.raw_get("description")?;
    let given: Table = function.raw_get("flags")?;
    let mut flags = ScriptFlags::NONE;
    for flag in given.sequence_values::<LuaString>() {
        let flag = ScriptFlags::by_name(&flag?.as_bytes());
        flags = flags.or(flag.expect("the prelude passes on known flags only"));
    }
    let description = description.map(|text| text.as_bytes().to_vec());
    Ok(Registered { name: name.to_string_lossy(), description, flags })
}
