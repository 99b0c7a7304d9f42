//! The search commands that GEOSEARCH has replaced.

use quoris_resp::Writer;

use super::arguments::UNIT;
use super::query::Grammar;
use super::search;
use super::search_commands::{COUNT, ORDER, SEARCH_COST, WITH_DISTANCE, WITH_HASH, WITH_POINT};
use crate::command::{Args, Command, Run};
use crate::context::{ReadCx, WriteCx};
use crate::error::Result;
use crate::spec::{Arg, Flags, Group, KeyAccess, KeySpec, Spec, double, key, one_of, string};

const STORE: Arg =
    one_of("store", &[key("storekey").after("STORE"), key("storedistkey").after("STOREDIST")])
        .optional();

/// What may follow a circle that is only looked at.
const OPTIONS: [Arg; 5] = [WITH_POINT, WITH_DISTANCE, WITH_HASH, COUNT, ORDER];

/// The key, a circle, the options, and in the last place the destination if there is room for it.
const fn grammar<const LEN: usize>(centre: &[Arg]) -> [Arg; LEN] {
    let mut all = [STORE; LEN];
    let (mut at, mut next) = (0, 1);
    all[0] = key("key");
    while at < centre.len() {
        all[next] = centre[at];
        (at, next) = (at + 1, next + 1);
    }
    all[next] = double("radius");
    all[next + 1] = UNIT;
    (at, next) = (0, next + 2);
    while at < OPTIONS.len() {
        all[next] = OPTIONS[at];
        (at, next) = (at + 1, next + 1);
    }
    assert!(next == LEN || next + 1 == LEN, "at most the destination comes behind the options");
    all
}

const POINT: &[Arg] = &[double("longitude"), double("latitude")];
const MEMBER: &[Arg] = &[string("member")];

/// A declaration as far as all of them agree.
const fn spec(name: &'static str, since: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::Geo, since, summary).complexity(SEARCH_COST)
}

/// GEORADIUS key longitude latitude radius M | KM | FT | MI [WITHCOORD] [WITHDIST] [WITHHASH]
/// [COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]
pub(super) const GEORADIUS: Command = Command {
    spec: spec(
        "georadius",
        "3.2.0",
        "Returns or stores the places in a circle: now GEOSEARCH and GEOSEARCHSTORE.",
    )
    .args(&grammar::<11>(POINT))
    .keys(key_specs(6))
    .flags(Flags::DENYOOM.or(Flags::MOVABLE_KEYS)),
    run: Run::Write(georadius),
};

/// GEORADIUSBYMEMBER key member radius M | KM | FT | MI [WITHCOORD] [WITHDIST] [WITHHASH]
/// [COUNT count [ANY]] [ASC | DESC] [STORE key | STOREDIST key]
pub(super) const GEORADIUSBYMEMBER: Command = Command {
    spec: spec(
        "georadiusbymember",
        "3.2.0",
        "Returns or stores the places around a member: now GEOSEARCH and GEOSEARCHSTORE.",
    )
    .args(&grammar::<10>(MEMBER))
    .keys(key_specs(5))
    .flags(Flags::DENYOOM.or(Flags::MOVABLE_KEYS)),
    run: Run::Write(georadiusbymember),
};

/// `GEORADIUS_RO` key longitude latitude radius M | KM | FT | MI
/// [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]
pub(super) const GEORADIUS_RO: Command = Command {
    spec: spec("georadius_ro", "3.2.10", "Returns the places in a circle: now GEOSEARCH.")
        .args(&grammar::<10>(POINT)),
    run: Run::Read(georadius_ro),
};

/// `GEORADIUSBYMEMBER_RO` key member radius M | KM | FT | MI
/// [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]
pub(super) const GEORADIUSBYMEMBER_RO: Command = Command {
    spec: spec(
        "georadiusbymember_ro",
        "3.2.10",
        "Returns the places around a member: now GEOSEARCH.",
    )
    .args(&grammar::<9>(MEMBER)),
    run: Run::Read(georadiusbymember_ro),
};

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
