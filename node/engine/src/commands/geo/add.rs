//! Adding and moving places.

use quoris_resp::Writer;

use super::arguments;
use crate::command::{Args, Command, Run};
use crate::commands::sorted_sets::{self, AddOptions};
use crate::context::WriteCx;
use crate::error::{Result, SYNTAX};
use crate::spec::{Flags, Group, KeyAccess, Spec, block, double, key, string};

/// GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member …]
pub(super) const GEOADD: Command = Command {
    spec: Spec::new("geoadd", Group::Geo, "3.2.0", "Adds places, or moves those that are there.")
        .args(&[
            key("key").access(KeyAccess::MODIFY),
            sorted_sets::CONDITION,
            sorted_sets::CHANGE,
            block("data", &[double("longitude"), double("latitude"), string("member")]).multiple(),
        ])
        .complexity("O(log N) for each place")
        .flags(Flags::DENYOOM),
    run: Run::Write(geoadd),
};

fn geoadd(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (options, first) = AddOptions::read(&args, false);
    let words = args.len() - first;
    if words == 0 || !words.is_multiple_of(3) || options.nx && options.xx {
        return Err(SYNTAX);
    }
    // Every place is checked before anything changes.
    for at in (first..args.len()).step_by(3) {
        arguments::point(&args, at)?;
    }
    let places = (first..args.len()).step_by(3).map(|at| {
        let point = arguments::point(&args, at).expect("it was checked");
        (point.score(), args.get(at + 2))
    });
    let key = cx.key(&args, 1);
    sorted_sets::add(cx, &key, options, places, reply)
}
