//! Places as numbers: the geohash that Redis keeps as the score of a sorted set's member.
//!
//! A geohash halves the map again and again, by longitude and latitude in turn, and writes down a
//! bit for each half. After 26 steps that makes 52 bits, which a double holds exactly, and places
//! that are near each other share their first bits. The map ends at 85.05112878 degrees north and
//! south, as Mercator's does when it is square.
//!
//! All arithmetic is in the order in which Redis does it: the digits that clients see depend on it.

mod cover;
mod distance;
mod reach;

pub use cover::{Shape, Span, cover};
pub use distance::distance_m;
pub use reach::Reach;

/// The greatest longitude, in degrees.
pub const LONGITUDE_MAX: f64 = 180.0;
/// The greatest latitude, in degrees.
pub const LATITUDE_MAX: f64 = 85.051_128_78;

/// How often the map is halved each way for a score.
const STEPS: u32 = 26;
/// The greatest latitude of the geohashes that the rest of the world uses, in degrees.
const LATITUDE_MAX_STANDARD: f64 = 90.0;

/// A place, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Positive in the east.
    pub longitude: f64,
    /// Positive in the north.
    pub latitude: f64,
}

impl Point {
    /// Whether it is on the map.
    pub fn is_valid(self) -> bool {
        self.longitude.abs() <= LONGITUDE_MAX && self.latitude.abs() <= LATITUDE_MAX
    }

    /// The score of a place on the map.
    pub fn score(self) -> f64 {
        Cell::around(self, STEPS, LATITUDE_MAX).bits as f64
    }

    /// The middle of the cell that a score stands for. Any score stands for one.
    pub fn of_score(score: f64) -> Point {
        // Negative scores wrap around as they do in Redis on the usual processors.
        let bits = if score < 0.0 { (score as i64).cast_unsigned() } else { score as u64 };
        let area = Cell { bits, steps: STEPS }.area();
        Point {
            longitude: f64::midpoint(area.west, area.east).clamp(-LONGITUDE_MAX, LONGITUDE_MAX),
            latitude: f64::midpoint(area.south, area.north).clamp(-LATITUDE_MAX, LATITUDE_MAX),
        }
    }

    /// The standard geohash, eleven characters. There are bits for ten; the last one is always 0.
    pub fn standard_geohash(self) -> [u8; 11] {
        const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
        let bits = Cell::around(self, STEPS, LATITUDE_MAX_STANDARD).bits;
        let mut text = [b'0'; 11];
        for (place, letter) in text.iter_mut().take(10).enumerate() {
            *letter = ALPHABET[(bits >> (47 - place * 5) & 31) as usize];
        }
        text
    }
}

/// One of the `4^steps` parts of the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    /// Longitude in the odd bits, latitude in the even ones.
    bits: u64,
    steps: u32,
}

/// The edges of a cell, in degrees.
#[derive(Clone, Copy, Debug)]
struct Area {
    west: f64,
    east: f64,
    south: f64,
    north: f64,
}

const LONGITUDE_BITS: u64 = 0xaaaa_aaaa_aaaa_aaaa;
const LATITUDE_BITS: u64 = 0x5555_5555_5555_5555;

impl Cell {
    /// The cell that a place is in. A place on the eastern or northern edge of the map is in a cell
    /// beyond it.
    fn around(point: Point, steps: u32, latitude_max: f64) -> Cell {
        let cells = (1_u64 << steps) as f64;
        let share = |degrees: f64, max: f64| (degrees - -max) / (max - -max) * cells;
        let longitude = share(point.longitude, LONGITUDE_MAX) as u32;
        let latitude = share(point.latitude, latitude_max) as u32;
        Cell { bits: spread(longitude) << 1 | spread(latitude), steps }
    }

    fn area(self) -> Area {
        let cells = (1_u64 << self.steps) as f64;
        let edge = |index: u32, max: f64| -max + f64::from(index) / cells * (max - -max);
        let (longitude, latitude) = (gather(self.bits >> 1), gather(self.bits));
        Area {
            west: edge(longitude, LONGITUDE_MAX),
            east: edge(longitude.wrapping_add(1), LONGITUDE_MAX),
            south: edge(latitude, LATITUDE_MAX),
            north: edge(latitude.wrapping_add(1), LATITUDE_MAX),
        }
    }

    /// The scores from the first to before the second are those of places in the cell.
    fn scores(self) -> (f64, f64) {
        let shift = 2 * (STEPS - self.steps);
        ((self.bits << shift) as f64, ((self.bits + 1) << shift) as f64)
    }

    /// The cell beside this one, so many to the east and to the north: -1, 0 or 1. The map has no
    /// edges here.
    fn beside(self, east: i8, north: i8) -> Cell {
        let moved = step(self.bits, LONGITUDE_BITS, self.steps, east);
        Cell { bits: step(moved, LATITUDE_BITS, self.steps, north), ..self }
    }
}

/// Adds -1, 0 or 1 to the number that stands in the bits of `mask`.
fn step(bits: u64, mask: u64, steps: u32, by: i8) -> u64 {
    let all = u64::MAX >> (64 - 2 * steps);
    // With the bits between set, a carry passes through; with them clear, a borrow does.
    let between = !mask & all;
    let number = bits & mask;
    let moved = match by {
        0 => return bits,
        1.. => number.wrapping_add(between + 1),
        _ => (number | between).wrapping_sub(between + 1),
    };
    moved & mask & all | bits & !mask
}

/// Moves the bits of a number to the even places.
fn spread(number: u32) -> u64 {
    let mut bits = u64::from(number);
    bits = (bits | bits << 16) & 0x0000_ffff_0000_ffff;
    bits = (bits | bits << 8) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits << 2) & 0x3333_3333_3333_3333;
    (bits | bits << 1) & LATITUDE_BITS
}

/// Collects the bits in the even places.
fn gather(bits: u64) -> u32 {
    let mut bits = bits & LATITUDE_BITS;
    bits = (bits | bits >> 1) & 0x3333_3333_3333_3333;
    bits = (bits | bits >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits >> 4) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits >> 8) & 0x0000_ffff_0000_ffff;
    (bits | bits >> 16) as u32
}

#[cfg(test)]
mod tests;
