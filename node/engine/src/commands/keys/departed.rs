//! Removing keys that another server has by now.

use alloc::format;
use alloc::vec::Vec;

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::context::WriteCx;
use crate::digest::entry_digest;
use crate::effects::EventClass;
use crate::error::Result;
use crate::spec::{Flags, Group, KeyAccess, Spec, block, key, string};

/// quoris.departed key digest [key digest …]: what a leader proposes for keys that it has given to
/// another server (`MIGRATE`). A key that has changed since stays: the other server has an older
/// one.
pub(super) const DEPARTED: Command = Command {
    spec: Spec::new("quoris.departed", Group::Generic, "0.1.0", "Removes keys that moved away.")
        .args(&[
            block("departed", &[key("key").access(KeyAccess::REMOVE), string("digest")]).multiple()
        ])
        .flags(Flags::INTERNAL),
    run: Run::Write(departed),
};

fn departed(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (mut removed, mut buffer) = (0, Vec::new());
    for word in (1..args.len() - 1).step_by(2) {
        let key = cx.key(&args, word);
        let Some(entry) = cx.entry(&key) else { continue };
        let digest = format!("{:032x}", entry_digest(cx.db(), entry, &mut buffer));
        if digest.as_bytes() == &args[word + 1] && cx.remove(&key) {
            cx.changed(&key, EventClass::Generic, "del");
            removed += 1;
        }
    }
    reply.count(removed);
    Ok(())
}
