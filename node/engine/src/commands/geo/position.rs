//! Where places are, and how far from each other.

use quoris_resp::Writer;

use super::{arguments, write_distance, write_point};
use crate::command::{Args, Command, Run};
use crate::context::ReadCx;
use crate::error::{Result, SYNTAX};
use crate::spec::{Group, Spec, key, string};
use crate::types::SortedSet;
use crate::types::geohash::{Point, distance_m};

/// GEODIST key member1 member2 [M | KM | FT | MI]
pub(super) const GEODIST: Command = Command {
    spec: Spec::new("geodist", Group::Geo, "3.2.0", "Returns the distance between two places.")
        .args(&[key("key"), string("member1"), string("member2"), arguments::UNIT.optional()]),
    run: Run::Read(geodist),
};

/// GEOHASH key [member …]
pub(super) const GEOHASH: Command = Command {
    spec: Spec::new("geohash", Group::Geo, "3.2.0", "Returns the standard geohash of places.")
        .args(&[key("key"), string("member").multiple().optional()])
        .complexity("O(1) for each member"),
    run: Run::Read(geohash),
};

/// GEOPOS key [member …]
pub(super) const GEOPOS: Command = Command {
    spec: Spec::new("geopos", Group::Geo, "3.2.0", "Returns longitude and latitude of places.")
        .args(&[key("key"), string("member").multiple().optional()])
        .complexity("O(1) for each member"),
    run: Run::Read(geopos),
};

/// The place of a member.
pub(super) fn point_of(set: &SortedSet, member: &[u8]) -> Option<Point> {
    set.score(member).map(Point::of_score)
}

fn geodist(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    if args.len() > 5 {
        return Err(SYNTAX);
    }
    let unit_m = args.try_get(4).map_or(Ok(1.0), arguments::unit_m)?;
    let set = cx.get::<SortedSet>(&cx.key(&args, 1))?;
    let place = |word| set.and_then(|set| point_of(set, args.get(word)));
    match (place(2), place(3)) {
        (Some(one), Some(other)) => write_distance(reply, distance_m(one, other) / unit_m),
        _ => reply.null(),
    }
    Ok(())
}

fn geohash(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let set = cx.get::<SortedSet>(&cx.key(&args, 1))?;
    reply.array(args.len() - 2);
    for member in args.from(2) {
        match set.and_then(|set| point_of(set, member)) {
            Some(point) => reply.bulk(&point.standard_geohash()),
            None => reply.null(),
        }
    }
    Ok(())
}

fn geopos(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let set = cx.get::<SortedSet>(&cx.key(&args, 1))?;
    reply.array(args.len() - 2);
    for member in args.from(2) {
        match set.and_then(|set| point_of(set, member)) {
            Some(point) => write_point(reply, point),
            None => reply.null_array(),
        }
    }
    Ok(())
}
