//! Storing a range under another key.

use alloc::boxed::Box;

use quoris_resp::Writer;

use super::range::{Grammar, Range};
use crate::command::{Args, Command, Run};
use crate::context::{Expiry, WriteCx};
use crate::effects::EventClass;
use crate::error::Result;
use crate::keyspace::{Key, Value};
use crate::spec::{Flags, Group, KeyAccess, Spec, block, integer, key, one_of, string, token};
use crate::types::{SortedSet, SortedSetTuning};

/// ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]
pub(super) const ZRANGESTORE: Command = Command {
    spec: Spec::new(
        "zrangestore",
        Group::SortedSet,
        "6.2.0",
        "Stores the members in a range of ranks, scores or members under another key.",
    )
    .args(&[
        key("dst").access(KeyAccess::OVERWRITE),
        key("src").access(KeyAccess::READ),
        string("min"),
        string("max"),
        one_of("sortby", &[token("byscore", "BYSCORE"), token("bylex", "BYLEX")]).optional(),
        token("rev", "REV").optional(),
        block("limit", &[integer("offset"), integer("count")]).after("LIMIT").optional(),
    ])
    .complexity("O(log N + M log M) where M is the number of members stored")
    .flags(Flags::DENYOOM),
    run: Run::Write(zrangestore),
};

fn zrangestore(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let range = Range::parse(&args, 3, Grammar { by: None, reversed: None, scores: false })?;
    let tuning = SortedSetTuning::new(cx.settings(), cx.hasher());
    let mut stored = SortedSet::default();
    if let Some(source) = cx.get::<SortedSet>(&cx.key(&args, 2))? {
        range.visit(source, |member, score| {
            stored.insert(member, score, &tuning);
        });
    }
    reply.count(stored.len());
    store(cx, &cx.key(&args, 1), stored, "zrangestore");
    Ok(())
}

/// Stores a result under its destination, which goes away if the result is empty.
pub(super) fn store(
    cx: &mut WriteCx<'_>,
    destination: &Key<'_>,
    result: SortedSet,
    event: &'static str,
) {
    if !result.is_empty() {
        cx.put(destination, Value::SortedSet(Box::new(result)), Expiry::Clear);
        cx.changed(destination, EventClass::SortedSet, event);
    } else if cx.remove(destination) {
        cx.changed(destination, EventClass::Generic, "del");
    }
}
