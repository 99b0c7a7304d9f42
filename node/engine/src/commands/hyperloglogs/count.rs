//! Counting elements.
//!
//! Redis writes the estimate into the value; here counting is a read, which any replica may answer.
//! An estimate that came with the value is used as long as nothing is added.

use quoris_resp::Writer;

use super::read;
use crate::command::{Args, Command, Run};
use crate::context::ReadCx;
use crate::error::Result;
use crate::spec::{Group, Spec, key};
use crate::types::hyperloglog::Union;

/// PFCOUNT key [key …]
pub(super) const PFCOUNT: Command = Command {
    spec: Spec::new(
        "pfcount",
        Group::HyperLogLog,
        "2.8.9",
        "Estimates how many different elements were added to HyperLogLogs.",
    )
    .args(&[key("key").multiple()])
    .differs("Only reads: the count is not kept inside the value, whose bytes stay as they are.")
    .complexity("O(1) for one key, O(N) for N keys"),
    run: Run::Read(pfcount),
};

fn pfcount(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let count = if args.len() == 2 {
        match cx.string(&cx.key(&args, 1))? {
            Some(string) => read(string)?.count()?,
            None => 0,
        }
    } else {
        let mut union = Union::default();
        for word in 1..args.len() {
            if let Some(string) = cx.string(&cx.key(&args, word))? {
                union.add(read(string)?)?;
            }
        }
        union.count()
    };
    reply.integer(count as i64);
    Ok(())
}
