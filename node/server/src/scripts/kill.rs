//! `SCRIPT KILL` and `FUNCTION KILL`.

use quoris_engine::{Args, CommandError, Result};
use quoris_resp::Writer;

use crate::registry::{Handler, NodeCx, Outcome};
use crate::replies;

/// Container, subcommand, and what runs it.
pub(crate) type Part = (&'static str, &'static str, Handler);

/// Subcommands that the engine declares and the node runs, since it knows what is going on.
pub(crate) const PARTS: &[Part] =
    &[("script", "kill", kill_script), ("function", "kill", kill_function)];

const NOT_BUSY: CommandError = CommandError::fixed("NOTBUSY No scripts in execution right now.");

fn kill_script(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    kill(cx, reply, false)
}

fn kill_function(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    kill(cx, reply, true)
}

/// Scripts that write are over before anybody can ask.
fn kill(cx: &NodeCx<'_>, reply: &mut Writer<'_>, functions: bool) -> Result<Outcome> {
    let scripts = &cx.shared.scripts;
    let running = scripts.running.get().ok_or(NOT_BUSY)?;
    if running.is_function != functions {
        return Err(replies::busy(running.is_function));
    }
    scripts.pauses.kill();
    reply.ok();
    Ok(Outcome::Done)
}
