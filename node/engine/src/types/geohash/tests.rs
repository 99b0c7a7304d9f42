//! Cells, scores and coverings against what they are defined by.

use alloc::string::String;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

fn points() -> impl Strategy<Value = Point> {
    let near_edges = |max: f64| prop_oneof![4 => -max..=max, 1 => Just(max), 1 => Just(-max), 1 => -0.001_f64..0.001];
    (near_edges(LONGITUDE_MAX), near_edges(LATITUDE_MAX))
        .prop_map(|(longitude, latitude)| Point { longitude, latitude })
}

/// Halves the map step by step, as the definition says.
fn bits_by_halving(point: Point, steps: u32) -> u64 {
    let (mut west, mut east) = (-LONGITUDE_MAX, LONGITUDE_MAX);
    let (mut south, mut north) = (-LATITUDE_MAX, LATITUDE_MAX);
    let mut bits = 0;
    for _ in 0..steps {
        for (value, low, high) in
            [(point.longitude, &mut west, &mut east), (point.latitude, &mut south, &mut north)]
        {
            let middle = f64::midpoint(*low, *high);
            bits = bits << 1 | u64::from(value >= middle);
            if value >= middle {
                *low = middle;
            } else {
                *high = middle;
            }
        }
    }
    bits
}

fn inside(point: Point) -> bool {
    point.longitude < LONGITUDE_MAX && point.latitude < LATITUDE_MAX
}

proptest! {
    #[test]
    fn a_cell_is_found_by_halving(point in points().prop_filter("on an edge", |p| inside(*p))) {
        // A place on the line between two cells may be rounded to either side.
        let bits = Cell::around(point, STEPS, LATITUDE_MAX).bits;
        let expected = bits_by_halving(point, STEPS);
        let apart = |bits: u64| (gather(bits), gather(bits >> 1));
        let (found, wanted) = (apart(bits), apart(expected));
        prop_assert!(found.0.abs_diff(wanted.0) <= 1 && found.1.abs_diff(wanted.1) <= 1);
    }

    /// On the eastern and northern edges a score has more bits than a double.
    #[test]
    fn a_score_is_decoded_to_a_place_nearby(point in points().prop_filter("an edge", |p| inside(*p))) {
        let found = Point::of_score(point.score());
        // A cell is 360 / 2^26 degrees wide, and less than half of that high.
        prop_assert!((found.longitude - point.longitude).abs() <= 2.7e-6);
        prop_assert!((found.latitude - point.latitude).abs() <= 1.3e-6);
        prop_assert_eq!(found.score(), point.score());
    }

    #[test]
    fn any_score_is_a_place(score: f64) {
        prop_assert!(score.is_nan() || Point::of_score(score).is_valid());
    }

    #[test]
    fn bits_are_spread_and_gathered(number: u32, other: u32) {
        prop_assert_eq!(gather(spread(number) | spread(other) << 1), number);
    }

    #[test]
    fn going_there_and_back_is_staying(point in points(), steps in 1_u32..=26, x in -1_i8..=1, y in -1_i8..=1) {
        let cell = Cell { steps, bits: Cell::around(point, STEPS, LATITUDE_MAX).bits & (u64::MAX >> (64 - 2 * steps)) };
        prop_assert_eq!(cell.beside(x, y).beside(-x, -y), cell);
    }

    /// Away from the poles and the date line, where cells lie as the formulas take them to.
    #[test]
    fn a_covering_holds_what_is_within_reach(
        longitude in -100.0_f64..100.0, latitude in -60.0_f64..60.0,
        angle in 0.0..core::f64::consts::TAU, share in 0.0_f64..1.0, exponent in 0.0_f64..6.0, square: bool,
    ) {
        let centre = Point { longitude, latitude };
        let radius_m = libm::pow(10.0, exponent);
        let shape = if square {
            Shape::Rectangle { width_m: 2.0 * radius_m, height_m: radius_m }
        } else {
            Shape::Circle { radius_m }
        };
        let degrees = radius_m / 111_000.0 * share;
        let place = Point {
            longitude: longitude + degrees * libm::cos(angle) * 1.5,
            latitude: latitude + degrees * libm::sin(angle),
        };
        let score = place.score();
        let spans = cover(&shape, centre);
        if shape.distance_within_m(centre, Point::of_score(score)).is_some() {
            let holding = spans.iter().filter(|span| (span.from..span.to).contains(&score));
            prop_assert_eq!(holding.count(), 1, "{:?} in {:?}", place, spans);
        }
    }

    /// Everywhere, and for any radius.
    #[test]
    fn what_reach_excludes_is_too_far_away(
        centre in points(), place in points(), near in 0.0_f64..1.0, exponent in -1.0_f64..7.5,
    ) {
        let radius_m = libm::pow(10.0, exponent);
        // Half of the places about as far away as the radius.
        let degrees = |radius_m: f64| radius_m / 111_195.0;
        let beside = Point {
            longitude: (centre.longitude + (place.longitude / 90.0) * degrees(radius_m)).clamp(-180.0, 180.0),
            latitude: (centre.latitude + (place.latitude / 60.0) * degrees(radius_m)).clamp(-85.0, 85.0),
        };
        let place = Point::of_score(if near < 0.5 { beside } else { place }.score());
        let reach = Reach::of(centre, radius_m);
        let distance_m = distance_m(centre, place);
        prop_assert!(!reach.excludes(place) || distance_m > radius_m, "{} m", distance_m);
        // Exactly as far as the place is.
        prop_assert!(!Reach::of(centre, distance_m).excludes(place), "{} m", distance_m);
        let spans = cover(&Shape::Circle { radius_m }, centre);
        let score = place.score();
        for span in spans.iter().filter(|span| (span.from..span.to).contains(&score)) {
            prop_assert!(!reach.excludes_all(span) || distance_m > radius_m, "{:?}", span);
        }
    }
}

#[test]
fn known_places_have_known_hashes() {
    let palermo = Point { longitude: 13.361_389, latitude: 38.115_556 };
    let catania = Point { longitude: 15.087_269, latitude: 37.502_669 };
    assert_eq!(palermo.score(), 3_479_099_956_230_698.0);
    let text = String::from_utf8(Point::of_score(palermo.score()).standard_geohash().to_vec());
    assert_eq!(text.as_deref(), Ok("sqc8b49rny0"));
    let places: Vec<_> = [palermo, catania].map(|p| Point::of_score(p.score())).into();
    assert!((distance_m(places[0], places[1]) - 166_274.151_6).abs() < 0.0001);
}

#[test]
fn opposite_places_are_half_the_circumference_apart() {
    for latitude in [0.0, 10.0, 37.5, 85.0] {
        let one = Point { longitude: -90.0, latitude };
        let other = Point { longitude: 90.0, latitude: -latitude };
        let half = core::f64::consts::PI * distance::EARTH_RADIUS_M;
        assert!((distance_m(one, other) - half).abs() < 1.0, "at {latitude}");
    }
}
