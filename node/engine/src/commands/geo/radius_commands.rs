//! The search commands that GEOSEARCH has replaced.

use quoris_resp::Writer;

use super::arguments::UNIT;
use super::query::Grammar;
use super::search;
use super::search_commands::{COUNT, ORDER};
use crate::command::{Args, Command, Run};
use crate::context::{ReadCx, WriteCx};
use crate::error::Result;
use crate::spec::{
    Arg, Flags, Group, KeyAccess, KeySpec, Spec, double, key, one_of, string, token,
};

const WITH_POINT: Arg = token("withcoord", "WITHCOORD").optional();
const WITH_DISTANCE: Arg = token("withdist", "WITHDIST").optional();
const WITH_HASH: Arg = token("withhash", "WITHHASH").optional();
const STORE: Arg =
    one_of("store", &[key("storekey").after("STORE"), key("storedistkey").after("STOREDIST")])
        .optional();

/// GEORADIUS key longitude latitude radius M | KM | FT | MI [WITHCOORD] [WITHDIST] [WITHHASH]
/// [COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]
pub(super) const GEORADIUS: Command = Command {
    spec: Spec::new(
        "georadius",
        Group::Geo,
        "3.2.0",
        "Returns or stores the places in a circle: now GEOSEARCH and GEOSEARCHSTORE.",
    )
    .args(&[
        key("key"),
        double("longitude"),
        double("latitude"),
        double("radius"),
        UNIT,
        WITH_POINT,
        WITH_DISTANCE,
        WITH_HASH,
        COUNT,
        ORDER,
        STORE,
    ])
    .keys(key_specs(6))
    .complexity(COMPLEXITY)
    .flags(Flags::DENYOOM.or(Flags::MOVABLE_KEYS)),
    run: Run::Write(georadius),
};

/// GEORADIUSBYMEMBER key member radius M | KM | FT | MI [WITHCOORD] [WITHDIST] [WITHHASH]
/// [COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]
pub(super) const GEORADIUSBYMEMBER: Command = Command {
    spec: Spec::new(
        "georadiusbymember",
        Group::Geo,
        "3.2.0",
        "Returns or stores the places around a member: now GEOSEARCH and GEOSEARCHSTORE.",
    )
    .args(&[
        key("key"),
        string("member"),
        double("radius"),
        UNIT,
        WITH_POINT,
        WITH_DISTANCE,
        WITH_HASH,
        COUNT,
        ORDER,
        STORE,
    ])
    .keys(key_specs(5))
    .complexity(COMPLEXITY)
    .flags(Flags::DENYOOM.or(Flags::MOVABLE_KEYS)),
    run: Run::Write(georadiusbymember),
};

/// `GEORADIUS_RO` key longitude latitude radius M | KM | FT | MI
/// [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]
pub(super) const GEORADIUS_RO: Command = Command {
    spec: Spec::new(
        "georadius_ro",
        Group::Geo,
        "3.2.10",
        "Returns the places in a circle: now GEOSEARCH.",
    )
    .args(&[
        key("key"),
        double("longitude"),
        double("latitude"),
        double("radius"),
        UNIT,
        WITH_POINT,
        WITH_DISTANCE,
        WITH_HASH,
        COUNT,
        ORDER,
    ])
    .complexity(COMPLEXITY),
    run: Run::Read(georadius_ro),
};

/// `GEORADIUSBYMEMBER_RO` key member radius M | KM | FT | MI
/// [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]
pub(super) const GEORADIUSBYMEMBER_RO: Command = Command {
    spec: Spec::new(
        "georadiusbymember_ro",
        Group::Geo,
        "3.2.10",
        "Returns the places around a member: now GEOSEARCH.",
    )
    .args(&[
        key("key"),
        string("member"),
        double("radius"),
        UNIT,
        WITH_POINT,
        WITH_DISTANCE,
        WITH_HASH,
        COUNT,
        ORDER,
    ])
    .complexity(COMPLEXITY),
    run: Run::Read(georadiusbymember_ro),
};

const COMPLEXITY: &str = "O(log N + M) where M is the number of places in the area looked at";

/// The sorted set, and where results may go; options begin at word `options`.
const fn key_specs(options: usize) -> [Option<KeySpec>; 3] {
    [
        Some(KeySpec::single(1).access(KeyAccess::READ)),
        Some(KeySpec::behind("STORE", options).access(KeyAccess::OVERWRITE)),
        Some(KeySpec::behind("STOREDIST", options).access(KeyAccess::OVERWRITE)),
    ]
}

fn georadius(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    search::read_or_store(cx, args, reply, Grammar::RadiusOfPoint { stores: true }, 1)
}

fn georadiusbymember(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    search::read_or_store(cx, args, reply, Grammar::RadiusOfMember { stores: true }, 1)
}

fn georadius_ro(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    search::read(cx, args, reply, Grammar::RadiusOfPoint { stores: false })
}

fn georadiusbymember_ro(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    search::read(cx, args, reply, Grammar::RadiusOfMember { stores: false })
}
