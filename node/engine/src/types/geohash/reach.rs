//! Telling most places that are too far away without trigonometry.

use super::cover::Span;
use super::distance::{EARTH_RADIUS_M, degrees, radians};
use super::{Area, Point};

/// By how much the sides are moved outwards, relatively and in radians: much more than rounding can
/// do to a distance, and less than a millimetre on the ground for a search in a city.
const SLACK: f64 = 1e-9;
const SLACK_RADIANS: f64 = 1e-12;

/// A box of meridians and parallels around a circle.
///
/// Invariant: what it excludes, [`super::distance_m`] finds to be farther than the radius.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    centre: Point,
    /// How far its sides are from the centre, in degrees.
    longitude: f64,
    latitude: f64,
}

impl Reach {
    /// Excludes nothing.
    pub fn boundless(centre: Point) -> Reach {
        Reach { centre, longitude: f64::INFINITY, latitude: f64::INFINITY }
    }

    /// Excludes places that are farther from the centre than `radius_m` metres.
    pub fn of(centre: Point, radius_m: f64) -> Reach {
        const QUARTER: f64 = core::f64::consts::FRAC_PI_2;
        let angle = radius_m / EARTH_RADIUS_M * (1.0 + SLACK) + SLACK_RADIANS;
        // Near the opposite side of the earth, distances are not exact enough.
        if angle >= QUARTER {
            return Reach::boundless(centre);
        }
        let latitude = radians(centre.latitude);
        // A circle around a pole has all longitudes.
        let longitude = if latitude.abs() + angle < QUARTER - 1e-6 {
            let widest = libm::asin(libm::sin(angle) / libm::cos(latitude));
            degrees(widest * (1.0 + SLACK) + SLACK_RADIANS)
        } else {
            f64::INFINITY
        };
        Reach { centre, longitude, latitude: degrees(angle) }
    }

    /// Whether a place is outside.
    #[inline]
    pub fn excludes(&self, place: Point) -> bool {
        (place.latitude - self.centre.latitude).abs() > self.latitude
            || around(place.longitude - self.centre.longitude) > self.longitude
    }

    /// Whether all places of a span are outside.
    pub fn excludes_all(&self, span: &Span) -> bool {
        let Area { west, east, south, north } = span.area;
        let Point { longitude, latitude } = self.centre;
        let is_between = west <= longitude && longitude <= east;
        latitude - north > self.latitude
            || south - latitude > self.latitude
            || !is_between
                && around(west - longitude) > self.longitude
                && around(east - longitude) > self.longitude
    }
}

/// A difference of longitudes, the shorter way round.
#[inline]
fn around(difference: f64) -> f64 {
    let difference = difference.abs();
    difference.min(360.0 - difference)
}
