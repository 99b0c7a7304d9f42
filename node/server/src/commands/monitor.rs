//! MONITOR: shows every command to the client that asked.

use quoris_engine::spec::{Flags, Group, Spec};
use quoris_engine::{Args, Result};
use quoris_resp::Writer;

use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::replies;

pub(super) const COMMANDS: &[NodeCommand] = &[MONITOR];

/// MONITOR
const MONITOR: NodeCommand = NodeCommand::new(
    Spec::new("monitor", Group::Server, "1.0.0", "Shows every command that the node runs.")
        .args(&[])
        .flags(Flags::ADMIN.or(Flags::NOSCRIPT).or(Flags::LOADING).or(Flags::STALE)),
    monitor,
);

fn monitor(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    if cx.session.in_exec.get() {
        return Err(replies::MONITOR_DENIED);
    }
    cx.shared.observe.add_monitor(cx.session);
    reply.ok();
    Ok(Outcome::Done)
}
