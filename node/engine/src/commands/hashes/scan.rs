//! Scanning a hash.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::options::{self, Scan};
use crate::commands::{elements, scanning};
use crate::context::ReadCx;
use crate::error::Result;
use crate::spec::{Group, token};

/// HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]
pub(super) const HSCAN: Command = Command {
    spec: scanning::spec("hscan", Group::Hash, "Walks over the fields of a hash in steps.").args(
        &[
            scanning::KEY,
            scanning::CURSOR,
            scanning::MATCH,
            scanning::COUNT,
            token("novalues", "NOVALUES").optional(),
        ],
    ),
    run: Run::Read(hscan),
};

fn hscan(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let cursor = options::cursor(args.get(2))?;
    let Some(fields) = cx.fields(&cx.key(&args, 1))? else {
        scanning::write_nothing(reply);
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
    let found = fields
        .between(range)
        .filter(|(field, _)| field.with_bytes(|text| scan.matches(text)))
        .map(|(field, value)| (field, with_values.then_some(value)));
    scanning::write(reply, next, found);
    Ok(())
}
