//! Lua values as replies.
//!
//! Source: <https://redis.io/docs/latest/develop/programmability/lua-api/#data-type-conversion>.

use mlua::{LuaString, Result, Table, Value};
use quoris_resp::{Protocol, Writer};

use crate::machine::MEMORY_BYTES_MAX;
use crate::meter::{Ending, Meter};

/// How deep tables may be nested: enough for every reader, and no danger to the stack.
const DEPTH_MAX: usize = 128;

/// What a script returned, as a reply.
pub(crate) struct Returned<'w, 'o> {
    pub reply: &'w mut Writer<'o>,
    /// What the script chose with `redis.setresp`: how booleans look.
    pub protocol: Protocol,
    /// What pays for it: a table that stands in many places is said as often.
    pub meter: &'w Meter,
    /// Where in the output it begins.
    pub mark: usize,
}

/// Why there is no reply.
pub(crate) enum Unsayable {
    TooDeep,
    /// The script's budget is used up.
    TooMuch,
    Lua(mlua::Error),
}

impl From<mlua::Error> for Unsayable {
    fn from(error: mlua::Error) -> Self {
        Unsayable::Lua(error)
    }
}

type Said = core::result::Result<(), Unsayable>;

impl Returned<'_, '_> {
    pub(crate) fn write(&mut self, value: &Value, depth: usize) -> Said {
        if self.reply.mark() - self.mark > MEMORY_BYTES_MAX {
            self.meter.end(Ending::Memory);
        }
        if self.meter.charge(1) {
            return Err(Unsayable::TooMuch);
        }
        match value {
            Value::String(text) => self.reply.bulk(&text.as_bytes()),
            Value::Integer(number) => self.reply.integer(*number),
            Value::Number(number) => self.reply.integer(truncated(*number)),
            Value::Boolean(truth) if self.protocol == Protocol::Resp3 => self.reply.boolean(*truth),
            Value::Boolean(true) => self.reply.integer(1),
            Value::Table(_) if depth == DEPTH_MAX => return Err(Unsayable::TooDeep),
            Value::Table(table) => self.table(table, depth)?,
            _ => self.reply.null(),
        }
        Ok(())
    }

    /// A table is a status, an error or one of RESP3's types if it has the field for that,
    /// otherwise an array up to the first nil.
    fn table(&mut self, table: &Table, depth: usize) -> Said {
        if let Some(text) = string(table, "err")? {
            self.text(b'-', &text.as_bytes());
            return Ok(());
        }
        if let Some(text) = string(table, "ok")? {
            self.text(b'+', &text.as_bytes());
            return Ok(());
        }
        let double = match table.raw_get("double")? {
            Value::Number(number) => Some(number),
            Value::Integer(number) => Some(number as f64),
            _ => None,
        };
        if let Some(double) = double {
            self.reply.double(double);
            return Ok(());
        }
        if let Value::Table(map) = table.raw_get("map")? {
            return self.pairs(&map, true, depth);
        }
        if let Value::Table(set) = table.raw_get("set")? {
            return self.pairs(&set, false, depth);
        }
        if let Some(digits) = string(table, "big_number")? {
            self.big_number(&digits.as_bytes());
            return Ok(());
        }
        if let Value::Table(verbatim) = table.raw_get("verbatim_string")?
            && let (Some(format), Some(text)) =
                (string(&verbatim, "format")?, string(&verbatim, "string")?)
        {
            self.verbatim(&format.as_bytes(), &text.as_bytes());
            return Ok(());
        }
        self.array(table, depth)
    }

    fn array(&mut self, table: &Table, depth: usize) -> Said {
        let begun = self.reply.open();
        let mut len = 0;
        loop {
            let value: Value = table.raw_get(len + 1)?;
            if value.is_nil() {
                break;
            }
            self.write(&value, depth + 1)?;
            len += 1;
        }
        self.reply.close_array(begun, len);
        Ok(())
    }

    /// Keys and values of a table, or its keys only.
    fn pairs(&mut self, table: &Table, is_map: bool, depth: usize) -> Said {
        let begun = self.reply.open();
        let mut len = 0;
        for pair in table.pairs::<Value, Value>() {
            let (key, value) = pair?;
            self.write(&key, depth + 1)?;
            if is_map {
                self.write(&value, depth + 1)?;
            }
            len += 1;
        }
        if is_map {
            self.reply.close_map(begun, len);
        } else {
            self.reply.close_set(begun, len);
        }
        Ok(())
    }

    /// A status or an error, which are texts of C's to Redis: they end with a zero.
    fn text(&mut self, kind: u8, text: &[u8]) {
        self.line(kind, text.split(|byte| *byte == 0).next().unwrap_or_default());
    }

    fn line(&mut self, kind: u8, text: &[u8]) {
        self.reply.raw(&[kind]);
        self.reply.raw(&one_line(text));
        self.reply.raw(b"\r\n");
    }

    fn big_number(&mut self, digits: &[u8]) {
        if self.reply.is_resp3() {
            self.line(b'(', digits);
        } else {
            self.reply.bulk(&one_line(digits));
        }
    }

    /// The format has three letters; blanks make up for missing ones, as in Redis.
    fn verbatim(&mut self, format: &[u8], text: &[u8]) {
        let mut letters = [b' '; 3];
        letters.iter_mut().zip(format).for_each(|(letter, given)| *letter = *given);
        match core::str::from_utf8(&letters) {
            Ok(letters) => self.reply.verbatim(letters, text),
            Err(_) => self.reply.verbatim("txt", text),
        }
    }
}

/// A field that is a string.
pub(crate) fn string(table: &Table, name: &str) -> Result<Option<LuaString>> {
    Ok(match table.raw_get(name)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}

fn one_line(text: &[u8]) -> Vec<u8> {
    text.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }).collect()
}

/// Two to the 63rd: the least number that is too large for an integer.
const I64_END: f64 = -(i64::MIN as f64);

/// A number without its fraction; what no integer can hold is the least one, as the machines that
/// Redis runs on have it.
fn truncated(number: f64) -> i64 {
    if number.is_nan() || !(-9.3e18..I64_END).contains(&number) { i64::MIN } else { number as i64 }
}
