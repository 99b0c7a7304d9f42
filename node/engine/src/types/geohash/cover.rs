//! Where to look for the places near another one.
//!
//! A shape is covered by the cell that its centre is in and by its neighbours, at a size of cells at
//! which those reach far enough. In each cell the places have neighbouring scores, so nine ranges of
//! a sorted set are all that has to be looked at. The order of the cells is Redis's: it shows when a
//! client asks for results in no particular order, or for any few of them.

use alloc::vec::Vec;

use super::distance::{EARTH_RADIUS_M, degrees, distance_m, north_south_m, radians};
use super::{Area, Cell, LATITUDE_MAX, Point, STEPS};

/// Half the circumference of the map, in metres.
const HALF_AROUND_M: f64 = 20_037_726.37;

/// What is searched around a centre.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Everything up to a distance.
    Circle {
        /// In metres.
        radius_m: f64,
    },
    /// Everything between two meridians and two parallels.
    Rectangle {
        /// From west to east, in metres, measured at the latitude of the place looked at.
        width_m: f64,
        /// From south to north, in metres.
        height_m: f64,
    },
}

impl Shape {
    /// The distance of a place from the centre in metres, if it is in the shape.
    pub fn distance_within_m(&self, centre: Point, place: Point) -> Option<f64> {
        match *self {
            Shape::Circle { radius_m } => {
                Some(distance_m(centre, place)).filter(|distance| *distance <= radius_m)
            }
            Shape::Rectangle { width_m, height_m } => {
                let beside = Point { longitude: centre.longitude, ..place };
                let outside = north_south_m(place, centre) > height_m / 2.0
                    || distance_m(place, beside) > width_m / 2.0;
                (!outside).then(|| distance_m(centre, place))
            }
        }
    }

    /// How far it reaches from its centre, in metres.
    fn reach_m(&self) -> f64 {
        match *self {
            Shape::Circle { radius_m } => radius_m,
            Shape::Rectangle { width_m, height_m } => {
                let (width, height) = (width_m / 2.0, height_m / 2.0);
                libm::sqrt(width * width + height * height)
            }
        }
    }

    /// The meridians and parallels between which it is.
    fn bounds(&self, centre: Point) -> Area {
        let (width_m, height_m) = match *self {
            Shape::Circle { radius_m } => (radius_m, radius_m),
            Shape::Rectangle { width_m, height_m } => (width_m / 2.0, height_m / 2.0),
        };
        let north = degrees(height_m / EARTH_RADIUS_M);
        // Degrees of longitude are shortest at the edge that is nearer to a pole.
        let edge = if centre.latitude < 0.0 { -north } else { north };
        let parallel = libm::cos(radians(centre.latitude + edge));
        let east = degrees(width_m / EARTH_RADIUS_M / parallel);
        Area {
            west: centre.longitude - east,
            east: centre.longitude + east,
            south: centre.latitude - north,
            north: centre.latitude + north,
        }
    }
}

/// The scores of the places in a cell.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// The first.
    pub from: f64,
    /// The first behind them.
    pub to: f64,
    pub(super) area: Area,
}

/// Spans of scores in which all places are that are in a shape around `centre`. No two of them
/// overlap.
pub fn cover(shape: &Shape, centre: Point) -> Vec<Span> {
    let bounds = shape.bounds(centre);
    let mut steps = steps_for(shape.reach_m(), centre.latitude);
    if steps > 1 && falls_short(Cell::around(centre, steps, LATITUDE_MAX), &bounds) {
        steps -= 1;
    }
    let cell = Cell::around(centre, steps, LATITUDE_MAX);
    let area = cell.area();
    // Neighbours beyond an edge that the shape does not reach. Cells of a quarter of the map are
    // neighbours on both sides.
    let needless = |east: i8, north: i8| {
        steps >= 2
            && (north < 0 && area.south < bounds.south
                || north > 0 && area.north > bounds.north
                || east < 0 && area.west < bounds.west
                || east > 0 && area.east > bounds.east)
    };
    let mut spans: Vec<Span> = Vec::with_capacity(ORDER.len());
    for (east, north) in ORDER {
        let beside = cell.beside(east, north);
        let (from, to) = beside.scores();
        if !needless(east, north) && spans.last().is_none_or(|last| last.from != from) {
            spans.push(Span { from, to, area: beside.area() });
        }
    }
    spans
}

/// The cell itself, and its neighbours by how far they are to the east and to the north.
const ORDER: [(i8, i8); 9] =
    [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)];

/// How often the map should be halved for cells that are not much larger than a shape.
fn steps_for(reach_m: f64, latitude: f64) -> u32 {
    if reach_m == 0.0 {
        return STEPS;
    }
    let mut halvings = 1_i32;
    let mut width_m = reach_m;
    while width_m < HALF_AROUND_M {
        width_m *= 2.0;
        halvings += 1;
    }
    // Towards the poles a cell is narrower than its degrees say.
    let narrow = match latitude.abs() {
        latitude if latitude > 80.0 => 2,
        latitude if latitude > 66.0 => 1,
        _ => 0,
    };
    (halvings - 2 - narrow).clamp(1, STEPS as i32).cast_unsigned()
}

/// Whether a cell and its neighbours end before the bounds do.
fn falls_short(cell: Cell, bounds: &Area) -> bool {
    cell.beside(0, 1).area().north < bounds.north
        || cell.beside(0, -1).area().south > bounds.south
        || cell.beside(1, 0).area().east < bounds.east
        || cell.beside(-1, 0).area().west > bounds.west
}
