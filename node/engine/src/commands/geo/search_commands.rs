//! GEOSEARCH and GEOSEARCHSTORE.

use quoris_resp::Writer;

use super::arguments::UNIT;
use super::query::Grammar;
use super::search;
use crate::command::{Args, Command, Run};
use crate::context::{ReadCx, WriteCx};
use crate::error::Result;
use crate::spec::{
    Arg, Flags, Group, KeyAccess, Spec, block, double, integer, key, one_of, string, token,
};

const FROM: Arg = one_of(
    "from",
    &[
        string("member").after("FROMMEMBER"),
        block("fromlonlat", &[double("longitude"), double("latitude")]).after("FROMLONLAT"),
    ],
);

const BY: Arg = one_of(
    "by",
    &[
        block("circle", &[double("radius"), UNIT]).after("BYRADIUS"),
        block("box", &[double("width"), double("height"), UNIT]).after("BYBOX"),
    ],
);

pub(super) const ORDER: Arg =
    one_of("order", &[token("asc", "ASC"), token("desc", "DESC")]).optional();

pub(super) const COUNT: Arg =
    block("count-block", &[integer("count").after("COUNT"), token("any", "ANY").optional()])
        .optional();

pub(super) const WITH_POINT: Arg = token("withcoord", "WITHCOORD").optional();
pub(super) const WITH_DISTANCE: Arg = token("withdist", "WITHDIST").optional();
pub(super) const WITH_HASH: Arg = token("withhash", "WITHHASH").optional();

/// What a search costs that only reads.
pub(super) const SEARCH_COST: &str =
    "O(log N + M) where M is the number of places in the area looked at";

/// GEOSEARCH key FROMMEMBER member | FROMLONLAT longitude latitude
/// BYRADIUS radius unit | BYBOX width height unit
/// [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]
pub(super) const GEOSEARCH: Command = Command {
    spec: Spec::new("geosearch", Group::Geo, "6.2.0", "Returns the places in a circle or a box.")
        .args(&[key("key"), FROM, BY, ORDER, COUNT, WITH_POINT, WITH_DISTANCE, WITH_HASH])
        .complexity(SEARCH_COST),
    run: Run::Read(geosearch),
};

/// GEOSEARCHSTORE destination source FROMMEMBER member | FROMLONLAT longitude latitude
/// BYRADIUS radius unit | BYBOX width height unit
/// [ASC | DESC] [COUNT count [ANY]] [STOREDIST]
pub(super) const GEOSEARCHSTORE: Command = Command {
    spec: Spec::new(
        "geosearchstore",
        Group::Geo,
        "6.2.0",
        "Stores the places in a circle or a box under another key.",
    )
    .args(&[
        key("destination").access(KeyAccess::OVERWRITE),
        key("source").access(KeyAccess::READ),
        FROM,
        BY,
        ORDER,
        COUNT,
        token("storedist", "STOREDIST").optional(),
    ])
    .complexity("O(log N + M log M) where M is the number of places in the area looked at")
    .flags(Flags::DENYOOM),
    run: Run::Write(geosearchstore),
};

fn geosearch(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    search::read(cx, args, reply, Grammar::Search)
}

fn geosearchstore(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    search::read_or_store(cx, args, reply, Grammar::SearchStore, 2)
}
