//! Distances on a sphere.

use core::f64::consts::PI;

use super::Point;

/// The radius of the sphere that stands for the earth, in metres.
pub(super) const EARTH_RADIUS_M: f64 = 6_372_797.560_856;

const RADIANS_PER_DEGREE: f64 = PI / 180.0;

pub(super) fn radians(degrees: f64) -> f64 {
    degrees * RADIANS_PER_DEGREE
}

pub(super) fn degrees(radians: f64) -> f64 {
    radians / RADIANS_PER_DEGREE
}

/// The distance of two places in metres, by the haversine formula.
pub fn distance_m(one: Point, other: Point) -> f64 {
    let longitudes = radians(other.longitude) - radians(one.longitude);
    let v = libm::sin(longitudes / 2.0);
    if v == 0.0 {
        return north_south_m(one, other);
    }
    let (latitude_one, latitude_other) = (radians(one.latitude), radians(other.latitude));
    let u = libm::sin((latitude_other - latitude_one) / 2.0);
    let a = u * u + libm::cos(latitude_one) * libm::cos(latitude_other) * v * v;
    // Rounding may take opposite places beyond half the circumference.
    2.0 * EARTH_RADIUS_M * libm::asin(libm::sqrt(a).min(1.0))
}

/// How far north or south of each other two places are, in metres.
pub(super) fn north_south_m(one: Point, other: Point) -> f64 {
    EARTH_RADIUS_M * (radians(other.latitude) - radians(one.latitude)).abs()
}
