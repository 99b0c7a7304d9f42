//! Reading places, distances and units.

use alloc::format;

use crate::command::Args;
use crate::commands::options;
use crate::error::{CommandError, NOT_FLOAT, Result};
use crate::spec::{Arg, one_of, token};
use crate::types::geohash::{Point, Shape};

/// The grammar of a unit.
pub(super) const UNIT: Arg =
    one_of("unit", &[token("m", "M"), token("km", "KM"), token("ft", "FT"), token("mi", "MI")]);

const UNKNOWN_UNIT: CommandError =
    CommandError::fixed("ERR unsupported unit provided. please use M, KM, FT, MI");
const RADIUS: CommandError = CommandError::fixed("ERR need numeric radius");
const RADIUS_NEGATIVE: CommandError = CommandError::fixed("ERR radius cannot be negative");
const WIDTH: CommandError = CommandError::fixed("ERR need numeric width");
const HEIGHT: CommandError = CommandError::fixed("ERR need numeric height");
const BOX_NEGATIVE: CommandError = CommandError::fixed("ERR height or width cannot be negative");

/// A place from the two words at `at`: longitude and latitude in degrees.
///
/// # Errors
/// That one of them is no number, or that the place is not on the map.
pub(super) fn point(args: &Args<'_>, at: usize) -> Result<Point> {
    let longitude = double(args.get(at), NOT_FLOAT)?;
    let latitude = double(args.get(at + 1), NOT_FLOAT)?;
    let point = Point { longitude, latitude };
    if !point.is_valid() {
        let text = format!("ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}");
        return Err(CommandError::text(text));
    }
    Ok(point)
}

/// How many metres a unit is.
///
/// # Errors
/// `ERR unsupported unit provided. …`.
pub(super) fn unit_m(word: &[u8]) -> Result<f64> {
    match word {
        _ if options::is(word, "m") => Ok(1.0),
        _ if options::is(word, "km") => Ok(1000.0),
        _ if options::is(word, "ft") => Ok(0.3048),
        _ if options::is(word, "mi") => Ok(1609.34),
        _ => Err(UNKNOWN_UNIT),
    }
}

/// A circle from the two words at `at`, radius and unit; and how many metres the unit is.
///
/// # Errors
/// That the radius is no number or negative, or the unit unknown.
pub(super) fn circle(args: &Args<'_>, at: usize) -> Result<(Shape, f64)> {
    let radius = double(args.get(at), RADIUS)?;
    if radius < 0.0 {
        return Err(RADIUS_NEGATIVE);
    }
    let unit_m = unit_m(args.get(at + 1))?;
    Ok((Shape::Circle { radius_m: radius * unit_m }, unit_m))
}

/// A rectangle from the three words at `at`, width, height and unit; and how many metres the unit
/// is.
///
/// # Errors
/// That a side is no number or negative, or the unit unknown.
pub(super) fn rectangle(args: &Args<'_>, at: usize) -> Result<(Shape, f64)> {
    let (width, height) = (double(args.get(at), WIDTH)?, double(args.get(at + 1), HEIGHT)?);
    if width < 0.0 || height < 0.0 {
        return Err(BOX_NEGATIVE);
    }
    let unit_m = unit_m(args.get(at + 2))?;
    Ok((Shape::Rectangle { width_m: width * unit_m, height_m: height * unit_m }, unit_m))
}

fn double(text: &[u8], error: CommandError) -> Result<f64> {
    quoris_resp::parse_double(text).ok_or(error)
}
