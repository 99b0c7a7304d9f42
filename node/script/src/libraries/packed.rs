//! `struct`: numbers and strings in binary layouts.
//!
//! Source: <https://www.inf.puc-rio.br/~roberto/struct/>.

use mlua::{Lua, MultiValue, Value};

use super::{Answer, Fault, Native, one, one_string};
use crate::api::{complaint, integer, number, text};
use crate::meter::Meter;

pub(super) const FUNCTIONS: &[(&str, Native)] =
    &[("pack", pack), ("size", size), ("unpack", unpack)];

/// The largest integer, in bytes; what is beyond eight is padding.
const INTEGER_BYTES_MAX: usize = 32;
/// The alignment of `!` without a number.
const ALIGNMENT: usize = 8;
/// The most results of one call.
const RESULTS_MAX: usize = 4000;

/// What a format describes, item by item.
struct Format<'f> {
    rest: &'f [u8],
    big_endian: bool,
    align: usize,
}

impl<'f> Format<'f> {
    fn new(format: &'f [u8]) -> Self {
        let end = format.iter().position(|byte| *byte == 0).unwrap_or(format.len());
        Format { rest: &format[..end], big_endian: false, align: 1 }
    }

    /// The next option and the size of its item.
    fn next(&mut self) -> Answer<Option<(u8, usize)>> {
        let Some((&option, rest)) = self.rest.split_first() else { return Ok(None) };
        self.rest = rest;
        let size = match option {
            b'b' | b'B' | b'x' => 1,
            b'h' | b'H' => 2,
            b'f' => 4,
            b'l' | b'L' | b'T' | b'd' => 8,
            b'c' => self.count(1)?,
            b'i' | b'I' => {
                let size = self.count(4)?;
                if size > INTEGER_BYTES_MAX {
                    let limit = INTEGER_BYTES_MAX;
                    let text = format!("integral size {size} is larger than limit of {limit}");
                    return Err(text.into());
                }
                size
            }
            _ => 0,
        };
        Ok(Some((option, size)))
    }

    fn count(&mut self, otherwise: usize) -> Answer<usize> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return Ok(otherwise);
        }
        let (digits, rest) = self.rest.split_at(digits);
        self.rest = rest;
        let number = core::str::from_utf8(digits).ok().and_then(|text| text.parse::<i32>().ok());
        Ok(number.ok_or("integral size overflow")? as usize)
    }

    /// How many bytes are left out in front of an item.
    fn padding(&self, position: usize, option: u8, size: usize) -> usize {
        if size == 0 || option == b'c' {
            return 0;
        }
        let size = size.min(self.align);
        size.wrapping_sub(position & size.wrapping_sub(1)) & size.wrapping_sub(1)
    }

    /// An option that describes no item.
    fn control(&mut self, option: u8, function: &str) -> Answer<()> {
        match option {
            b' ' => {}
            b'>' => self.big_endian = true,
            b'<' => self.big_endian = false,
            b'!' => {
                let align = self.count(ALIGNMENT)?;
                if !align.is_power_of_two() {
                    return Err(format!("alignment {align} is not a power of 2").into());
                }
                self.align = align;
            }
            _ => {
                let what = format!("invalid format option '{}'", char::from(option));
                return Err(complaint(1, function, &what).into());
            }
        }
        Ok(())
    }

    fn ordered(&self, mut little_endian: Vec<u8>) -> Vec<u8> {
        if self.big_endian {
            little_endian.reverse();
        }
        little_endian
    }
}

fn is_integer(option: u8) -> bool {
    b"bBhHlLTiI".contains(&option)
}

/// Arguments that are missing count as nil.
fn pack(lua: &Lua, meter: &Meter, args: &MultiValue) -> Answer {
    let mut args = args.clone();
    args.push_back(Value::Nil);
    let args = &args;
    let format = text(args, 0, "pack")?;
    let mut format = Format::new(&format);
    let (mut out, mut arg, mut position) = (Vec::new(), 1, 0);
    while let Some((option, mut size)) = format.next()? {
        let padding = format.padding(position, option, size);
        position += padding;
        out.resize(out.len() + padding, 0);
        match option {
            _ if is_integer(option) => {
                let value = number(args, arg, "pack")?;
                let value = if value < 0.0 { value as i64 as u64 } else { value as u64 };
                let mut bytes = value.to_le_bytes().to_vec();
                bytes.resize(size, 0);
                out.extend(format.ordered(bytes));
                arg += 1;
            }
            b'x' => out.push(0),
            b'f' => {
                let value = number(args, arg, "pack")? as f32;
                out.extend(format.ordered(value.to_le_bytes().to_vec()));
                arg += 1;
            }
            b'd' => {
                let value = number(args, arg, "pack")?;
                out.extend(format.ordered(value.to_le_bytes().to_vec()));
                arg += 1;
            }
            b'c' | b's' => {
                let bytes = text(args, arg, "pack")?;
                arg += 1;
                size = if size == 0 { bytes.len() } else { size };
                let piece = bytes.get(..size);
                out.extend(piece.ok_or_else(|| complaint(arg + 1, "pack", "string too short"))?);
                if option == b's' {
                    out.push(0);
                    size += 1;
                }
            }
            _ => format.control(option, "pack")?,
        }
        position += size;
    }
    meter.charge_bytes(out.len());
    one_string(lua, &out)
}

fn unpack(lua: &Lua, meter: &Meter, args: &MultiValue) -> Answer {
    let format = text(args, 0, "unpack")?;
    let mut format = Format::new(&format);
    let data = text(args, 1, "unpack")?;
    meter.charge_bytes(data.len());
    let from = if args.get(2).is_none_or(Value::is_nil) { 1 } else { integer(args, 2, "unpack")? };
    if from <= 0 {
        return Err(complaint(3, "unpack", "offset must be 1 or greater").into());
    }
    let too_short = || Fault::Said(complaint(2, "unpack", "data string too short"));
    let mut position = from as usize - 1;
    let mut results: Vec<Value> = Vec::new();
    while let Some((option, mut size)) = format.next()? {
        position += format.padding(position, option, size);
        let item = data.get(position..).and_then(|rest| rest.get(..size)).ok_or_else(too_short)?;
        if results.len() == RESULTS_MAX {
            return Err("too many results".into());
        }
        match option {
            _ if is_integer(option) => {
                let value = integer_of(&format.ordered(item.to_vec()), option.is_ascii_lowercase());
                results.push(Value::Number(value));
            }
            b'x' => {}
            b'f' => {
                let bytes = format.ordered(item.to_vec());
                let value = f32::from_le_bytes(bytes.try_into().expect("an item of four bytes"));
                results.push(Value::Number(value.into()));
            }
            b'd' => {
                let bytes = format.ordered(item.to_vec());
                let value = f64::from_le_bytes(bytes.try_into().expect("an item of eight bytes"));
                results.push(Value::Number(value));
            }
            b'c' => {
                if size == 0 {
                    let before = results.pop().as_ref().and_then(super::as_number);
                    size = before.ok_or("format 'c0' needs a previous size")? as usize;
                }
                let rest = &data[position..];
                let piece = rest.get(..size).ok_or_else(too_short)?;
                results.push(Value::String(lua.create_string(piece)?));
            }
            b's' => {
                let rest = &data[position..];
                let end = rest.iter().position(|byte| *byte == 0);
                let end = end.ok_or("unfinished string in data")?;
                results.push(Value::String(lua.create_string(&rest[..end])?));
                size = end + 1;
            }
            _ => format.control(option, "unpack")?,
        }
        position += size;
    }
    results.push(Value::Number((position + 1) as f64));
    Ok(results.into_iter().collect())
}

/// The integer whose bytes are in little-endian order.
fn integer_of(bytes: &[u8], is_signed: bool) -> f64 {
    let folded =
        bytes.iter().take(8).rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    if !is_signed {
        return folded as f64;
    }
    let unused = 64 - 8 * bytes.len().clamp(1, 8) as u32;
    (((folded << unused) as i64) >> unused) as f64
}

fn size(_: &Lua, _: &Meter, args: &MultiValue) -> Answer {
    let format = text(args, 0, "size")?;
    let mut format = Format::new(&format);
    let mut position = 0_usize;
    while let Some((option, size)) = format.next()? {
        position += format.padding(position, option, size);
        match (option, size) {
            (b's', _) => return Err(complaint(1, "size", "option 's' has no fixed size").into()),
            (b'c', 0) => return Err(complaint(1, "size", "option 'c0' has no fixed size").into()),
            (option, _) if !option.is_ascii_alphanumeric() => format.control(option, "size")?,
            _ => {}
        }
        position += size;
    }
    Ok(one(Value::Number(position as f64)))
}
