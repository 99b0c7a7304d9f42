//! Scanning a hash.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::elements;
use crate::commands::options::{self, Scan};
use crate::context::ReadCx;
use crate::error::Result;
use crate::spec::{Group, Spec, integer, key, pattern, token};

/// HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]
pub(super) const HSCAN: Command = Command {
    spec: Spec::new("hscan", Group::Hash, "2.8.0", "Walks over the fields of a hash in steps.")
        .tips(&["nondeterministic_output"])
        .args(&[
            key("key"),
            integer("cursor"),
            pattern("pattern").after("MATCH").optional(),
            integer("count").after("COUNT").optional(),
            token("novalues", "NOVALUES").optional(),
        ])
        .complexity("O(1) for every call. O(N) for a complete iteration"),
    run: Run::Read(hscan),
};

fn hscan(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let cursor = options::cursor(args.get(2))?;
    let fields = cx.fields(&cx.key(&args, 1))?;
    reply.array(2);
    let Some(fields) = fields else {
        reply.bulk(b"0");
        reply.array(0);
        return Ok(());
    };
    let mut with_values = true;
    let scan = Scan::parse_with(&args, 3, |word| {
        let novalues = options::is(word, "novalues");
        with_values &= !novalues;
        novalues
    })?;
    let hash = fields.hash();
    let (range, next) = elements::walk(cursor, scan.count, hash.len(), hash.is_compact());
    reply.bulk_integer(next as i64);
    let (begun, mut replies) = (reply.open(), 0);
    for (field, value) in fields.between(range) {
        if !field.with_bytes(|text| scan.matches(text)) {
            continue;
        }
        elements::write(reply, field);
        replies += 1;
        if with_values {
            elements::write(reply, value);
            replies += 1;
        }
    }
    reply.close_array(begun, replies);
    Ok(())
}
