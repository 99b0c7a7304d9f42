//! Values as JSON.

use mlua::{Lua, MultiValue, Table, Value};

use super::{DEPTH_MAX, Invalid, Settings, as_index};
use crate::api::complaint;
use crate::libraries::{Answer, as_number, on_room, one_string};
use crate::meter::Meter;
use crate::number;

pub(super) fn encode(lua: &Lua, meter: &Meter, args: &MultiValue) -> Answer {
    if args.len() != 1 {
        return Err(complaint(1, "encode", "expected 1 argument").into());
    }
    let mut encoder = Encoder { meter, settings: &meter.json, out: Vec::new() };
    encoder.value(&args[0], 0)?;
    meter.charge_bytes(encoder.out.len() * 2);
    one_string(lua, &encoder.out)
}

struct Encoder<'s> {
    meter: &'s Meter,
    settings: &'s Settings,
    out: Vec<u8>,
}

fn refused(what: &str, why: &str) -> String {
    format!("Cannot serialise {what}: {why}")
}

impl Encoder<'_> {
    fn value(&mut self, value: &Value, depth: i64) -> Answer<()> {
        // A table that stands in many places is written as often.
        self.meter.afford(self.out.len())?;
        match value {
            Value::String(text) => self.string(&text.as_bytes()),
            Value::Integer(_) | Value::Number(_) => {
                self.number(as_number(value).expect("it is one"))?;
            }
            Value::Boolean(true) => self.out.extend_from_slice(b"true"),
            Value::Boolean(false) => self.out.extend_from_slice(b"false"),
            Value::Nil => self.out.extend_from_slice(b"null"),
            Value::LightUserData(pointer) if pointer.0.is_null() => {
                self.out.extend_from_slice(b"null");
            }
            Value::Table(table) => self.table(table, depth + 1)?,
            other => return Err(refused(other.type_name(), "type not supported").into()),
        }
        Ok(())
    }

    fn number(&mut self, value: f64) -> Answer<()> {
        if !value.is_finite() {
            match self.settings.encode_invalid.get() {
                Invalid::Refused => {
                    return Err(refused("number", "must not be NaN or Inf").into());
                }
                Invalid::Null => {
                    self.out.extend_from_slice(b"null");
                    return Ok(());
                }
                Invalid::Written => {}
            }
        }
        let text = number::general(value, self.settings.precision.get() as usize);
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn string(&mut self, text: &[u8]) {
        self.out.push(b'"');
        for byte in text {
            match byte {
                b'"' => self.out.extend_from_slice(b"\\\""),
                b'\\' => self.out.extend_from_slice(b"\\\\"),
                b'/' => self.out.extend_from_slice(b"\\/"),
                0x08 => self.out.extend_from_slice(b"\\b"),
                0x0c => self.out.extend_from_slice(b"\\f"),
                b'\n' => self.out.extend_from_slice(b"\\n"),
                b'\r' => self.out.extend_from_slice(b"\\r"),
                b'\t' => self.out.extend_from_slice(b"\\t"),
                0..=0x1f | 0x7f => {
                    self.out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
                }
                _ => self.out.push(*byte),
            }
        }
        self.out.push(b'"');
    }

    fn table(&mut self, table: &Table, depth: i64) -> Answer<()> {
        if depth > self.settings.encode_depth.get().min(DEPTH_MAX) {
            return Err(format!("Cannot serialise, excessive nesting ({depth})").into());
        }
        on_room(depth as usize, || self.open_table(table, depth))
    }

    fn open_table(&mut self, table: &Table, depth: i64) -> Answer<()> {
        match self.array_len(table)? {
            Some(len) if len > 0 => {
                self.out.push(b'[');
                for at in 1..=len {
                    if at > 1 {
                        self.out.push(b',');
                    }
                    self.value(&table.raw_get(at)?, depth)?;
                }
                self.out.push(b']');
                Ok(())
            }
            _ => self.object(table, depth),
        }
    }

    /// How long an array a table is; none if it is an object.
    fn array_len(&self, table: &Table) -> Answer<Option<i64>> {
        let (mut largest, mut items) = (0.0_f64, 0);
        for pair in table.pairs::<Value, Value>() {
            let (key, _) = pair?;
            let Some(key) = as_index(&key) else { return Ok(None) };
            largest = largest.max(key);
            items += 1;
        }
        let (ratio, safe) = (self.settings.sparse_ratio.get(), self.settings.sparse_safe.get());
        let is_sparse = largest > (items * ratio) as f64 && largest > safe as f64;
        if ratio > 0 && is_sparse {
            if !self.settings.sparse_convert.get() {
                return Err(refused("table", "excessively sparse array").into());
            }
            return Ok(None);
        }
        Ok(Some(largest as i64))
    }

    fn object(&mut self, table: &Table, depth: i64) -> Answer<()> {
        self.out.push(b'{');
        let mut is_first = true;
        for pair in table.pairs::<Value, Value>() {
            let (key, value) = pair?;
            if !is_first {
                self.out.push(b',');
            }
            is_first = false;
            match &key {
                Value::String(text) => self.string(&text.as_bytes()),
                Value::Integer(_) | Value::Number(_) => {
                    self.out.push(b'"');
                    self.number(as_number(&key).expect("it is one"))?;
                    self.out.push(b'"');
                }
                other => {
                    let kind = other.type_name();
                    return Err(refused(kind, "table key must be a number or string").into());
                }
            }
            self.out.push(b':');
            self.value(&value, depth)?;
        }
        self.out.push(b'}');
        Ok(())
    }
}
