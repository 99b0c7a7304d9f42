//! Removing keys.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::Result;
use crate::spec::{Flags, Group, KeyAccess, Spec, key};

/// DEL key [key …]
pub(super) const DEL: Command = Command {
    spec: Spec::new("del", Group::Generic, "1.0.0", "Deletes keys.")
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"])
        .args(&[key("key").access(KeyAccess::REMOVE).multiple()])
        .complexity("O(N) where N is the number of keys that will be removed."),
    run: Run::Write(del),
};

/// UNLINK key [key …]
pub(super) const UNLINK: Command = Command {
    spec: Spec::new("unlink", Group::Generic, "4.0.0", "Deletes keys, like DEL.")
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"])
        .args(&[key("key").access(KeyAccess::REMOVE).multiple()])
        .flags(Flags::FAST),
    run: Run::Write(del),
};

/// How many fields of one hash are removed by one `quoris.expire`, so that no entry takes long; a
/// leader proposes another for what is left.
const FIELDS_MAX: usize = 4096;

/// quoris.expire key [key …]: what a leader proposes to remove keys whose time has come, and fields
/// of hashes. What got another lifetime in the meantime stays.
pub(super) const EXPIRE_NOW: Command = Command {
    spec: Spec::new("quoris.expire", Group::Generic, "0.1.0", "Removes keys that have expired.")
        .args(&[key("key").access(KeyAccess::REMOVE).multiple()])
        .flags(Flags::INTERNAL),
    run: Run::Write(expire_now),
};

fn del(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let mut removed = 0;
    for word in 1..args.len() {
        let key = cx.key(&args, word);
        if cx.remove(&key) {
            cx.changed(&key, EventClass::Generic, "del");
            removed += 1;
        }
    }
    reply.count(removed);
    Ok(())
}

fn expire_now(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let mut removed = 0;
    for word in 1..args.len() {
        let key = cx.key(&args, word);
        let is_gone = cx.delete_if_expired(&key);
        let fields = !is_gone && cx.expire_fields(&key, core::iter::empty(), FIELDS_MAX) > 0;
        removed += usize::from(is_gone || fields);
    }
    reply.count(removed);
    Ok(())
}
