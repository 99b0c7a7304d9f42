//! The functions of `math` whose result depends on the platform or on chance.

use std::rc::Rc;

use mlua::{Lua, MultiValue, Result, Table, Value};

use crate::api::{Answer, complaint, integer, number};
use crate::meter::Meter;

/// A function of one number.
type Unary = fn(f64) -> f64;

const UNARY: [(&str, Unary); 12] = [
    ("acos", libm::acos),
    ("asin", libm::asin),
    ("atan", libm::atan),
    ("cos", libm::cos),
    ("cosh", libm::cosh),
    ("exp", libm::exp),
    ("log", libm::log),
    ("log10", libm::log10),
    ("sin", libm::sin),
    ("sinh", libm::sinh),
    ("tan", libm::tan),
    ("tanh", libm::tanh),
];
/// A name and a function of two numbers.
type Binary = (&'static str, fn(f64, f64) -> f64);
const BINARY: [Binary; 2] = [("atan2", libm::atan2), ("pow", libm::pow)];

/// Those functions.
pub(crate) fn functions(lua: &Lua, meter: &Rc<Meter>) -> Result<Table> {
    let table = lua.create_table()?;
    for (name, function) in UNARY {
        let raw = lua.create_function(move |lua, args: MultiValue| {
            let found = number(&args, 0, name).map(|x| Value::Number(function(x)));
            Answer::of(lua, found)
        })?;
        table.raw_set(name, raw)?;
    }
    for (name, function) in BINARY {
        let raw = lua.create_function(move |lua, args: MultiValue| {
            let x = number(&args, 0, name);
            let found = x.and_then(|x| Ok(Value::Number(function(x, number(&args, 1, name)?))));
            Answer::of(lua, found)
        })?;
        table.raw_set(name, raw)?;
    }
    let drawn = meter.clone();
    table.raw_set(
        "random",
        lua.create_function(move |lua, args: MultiValue| {
            Answer::of(lua, random(&drawn, &args).map(Value::Number))
        })?,
    )?;
    let seeded = meter.clone();
    table.raw_set(
        "randomseed",
        lua.create_function(move |lua, args: MultiValue| {
            let seed = integer(&args, 0, "randomseed");
            Answer::of(
                lua,
                seed.map(|seed| {
                    seeded.seed_random(seed as i32);
                    Value::Nil
                }),
            )
        })?,
    )?;
    Ok(table)
}

/// `math.random` with Redis's generator.
fn random(meter: &Meter, args: &MultiValue) -> core::result::Result<f64, String> {
    let max = f64::from(i32::MAX);
    let fraction = f64::from(meter.random() % i32::MAX as u32) / max;
    match args.len() {
        0 => Ok(fraction),
        1 => {
            let upper = integer(args, 0, "random")?;
            if upper < 1 {
                return Err(complaint(1, "random", "interval is empty"));
            }
            Ok(libm::floor(fraction * upper as f64) + 1.0)
        }
        2 => {
            let (lower, upper) = (integer(args, 0, "random")?, integer(args, 1, "random")?);
            if lower > upper {
                return Err(complaint(2, "random", "interval is empty"));
            }
            Ok(libm::floor(fraction * (upper - lower + 1) as f64) + lower as f64)
        }
        _ => Err("wrong number of arguments".into()),
    }
}
