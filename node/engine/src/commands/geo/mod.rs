//! Commands on places. A place is a member of a sorted set whose score is its geohash.

mod add;
mod arguments;
mod position;
mod query;
mod radius_commands;
mod search;
mod search_commands;

use alloc::format;

use quoris_resp::Writer;

use crate::command::Command;
use crate::types::geohash::Point;

pub(super) const COMMANDS: &[Command] = &[
    add::GEOADD,
    position::GEODIST,
    position::GEOHASH,
    position::GEOPOS,
    radius_commands::GEORADIUS,
    radius_commands::GEORADIUSBYMEMBER,
    radius_commands::GEORADIUSBYMEMBER_RO,
    radius_commands::GEORADIUS_RO,
    search_commands::GEOSEARCH,
    search_commands::GEOSEARCHSTORE,
];

/// Writes a place: two doubles with all the decimals that there are, up to 17.
fn write_point(reply: &mut Writer<'_>, point: Point) {
    reply.array(2);
    for degrees in [point.longitude, point.latitude] {
        let text = format!("{degrees:.17}");
        let text = match text.trim_end_matches('0').trim_end_matches('.') {
            "-0" => "0",
            text => text,
        };
        if reply.is_resp3() {
            reply.raw(format!(",{text}\r\n").as_bytes());
        } else {
            reply.bulk(text.as_bytes());
        }
    }
}

/// Writes a distance with four decimals.
fn write_distance(reply: &mut Writer<'_>, distance: f64) {
    let scaled = libm::rint(distance * 10_000.0) as u64;
    reply.bulk(format!("{}.{:04}", scaled / 10_000, scaled % 10_000).as_bytes());
}
