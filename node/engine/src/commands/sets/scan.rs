//! Scanning a set.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::elements;
use crate::commands::options::{self, Scan};
use crate::context::ReadCx;
use crate::error::Result;
use crate::spec::{Group, Spec, integer, key, pattern};
use crate::types::{Encoding, Set};

/// SSCAN key cursor [MATCH pattern] [COUNT count]
pub(super) const SSCAN: Command = Command {
    spec: Spec::new("sscan", Group::Set, "2.8.0", "Walks over the members of a set in steps.")
        .tips(&["nondeterministic_output"])
        .args(&[
            key("key"),
            integer("cursor"),
            pattern("pattern").after("MATCH").optional(),
            integer("count").after("COUNT").optional(),
        ])
        .complexity("O(1) for every call. O(N) for a complete iteration"),
    run: Run::Read(sscan),
};

fn sscan(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let cursor = options::cursor(args.get(2))?;
    let set = cx.get::<Set>(&cx.key(&args, 1))?;
    reply.array(2);
    let Some(set) = set else {
        reply.bulk(b"0");
        reply.array(0);
        return Ok(());
    };
    let scan = Scan::parse(&args, 3)?;
    let is_compact = set.encoding() != Encoding::Hashtable;
    let (range, next) = elements::walk(cursor, scan.count, set.len(), is_compact);
    reply.bulk_integer(next as i64);
    let (begun, mut replies) = (reply.open(), 0);
    for member in set.members_at(range) {
        if member.with_bytes(|text| scan.matches(text)) {
            elements::write(reply, member);
            replies += 1;
        }
    }
    reply.close_array(begun, replies);
    Ok(())
}
