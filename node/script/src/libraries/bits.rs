//! `bit`: operations on 32-bit integers.
//!
//! Source: <https://bitop.luajit.org/semantics.html>.

use mlua::{Lua, MultiValue, Value};

use super::{Answer, Native, one, one_string};
use crate::api::number;
use crate::meter::Meter;

pub(super) const FUNCTIONS: &[(&str, Native)] = &[
    ("arshift", |_, _, args| shift(args, "arshift", |x, n| ((x as i32) >> n) as u32)),
    ("band", |_, _, args| fold(args, "band", |a, b| a & b)),
    ("bnot", |_, _, args| Ok(signed(!bits(args, 0, "bnot")?))),
    ("bor", |_, _, args| fold(args, "bor", |a, b| a | b)),
    ("bswap", |_, _, args| Ok(signed(bits(args, 0, "bswap")?.swap_bytes()))),
    ("bxor", |_, _, args| fold(args, "bxor", |a, b| a ^ b)),
    ("lshift", |_, _, args| shift(args, "lshift", |x, n| x << n)),
    ("rol", |_, _, args| shift(args, "rol", u32::rotate_left)),
    ("ror", |_, _, args| shift(args, "ror", u32::rotate_right)),
    ("rshift", |_, _, args| shift(args, "rshift", |x, n| x >> n)),
    ("tobit", |_, _, args| Ok(signed(bits(args, 0, "tobit")?))),
    ("tohex", tohex),
];

/// Adding this leaves the integer part of a number in the lowest bits of the sum.
const SHIFTED: f64 = 6_755_399_441_055_744.0;

fn bits(args: &MultiValue, at: usize, function: &str) -> Answer<u32> {
    Ok((number(args, at, function)? + SHIFTED).to_bits() as u32)
}

fn signed(bits: u32) -> MultiValue {
    one(Value::Number(f64::from(bits as i32)))
}

fn fold(args: &MultiValue, function: &str, combine: fn(u32, u32) -> u32) -> Answer {
    let mut result = bits(args, 0, function)?;
    for at in 1..args.len() {
        result = combine(result, bits(args, at, function)?);
    }
    Ok(signed(result))
}

fn shift(args: &MultiValue, function: &str, by: fn(u32, u32) -> u32) -> Answer {
    let (x, n) = (bits(args, 0, function)?, bits(args, 1, function)?);
    Ok(signed(by(x, n & 31)))
}

/// As many digits as asked for, capital ones if the number of them is negative.
fn tohex(lua: &Lua, _: &Meter, args: &MultiValue) -> Answer {
    let x = bits(args, 0, "tohex")?;
    let digits = if args.len() < 2 { 8 } else { bits(args, 1, "tohex")? as i32 };
    let len = digits.unsigned_abs().min(8) as usize;
    let text = if digits < 0 { format!("{x:08X}") } else { format!("{x:08x}") };
    one_string(lua, &text.as_bytes()[8 - len..])
}
