//! `SCRIPT KILL`, `FUNCTION KILL` and `FUNCTION STATS`.

use quoris_engine::{Args, CommandError, Result};
use quoris_resp::Writer;

use crate::registry::{Handler, NodeCx, Outcome};
use crate::replies;

/// Container, subcommand, and what runs it.
pub(crate) type Part = (&'static str, &'static str, Handler);

/// Subcommands that the engine declares and the node runs, since it knows what is going on.
pub(crate) const PARTS: &[Part] = &[
    ("script", "kill", kill_script),
    ("function", "kill", kill_function),
    ("function", "stats", function_stats),
];

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

fn function_stats(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let scripts = &cx.shared.scripts;
    let running = scripts.running.get();
    if running.is_some_and(|running| !running.is_function) {
        return Err(replies::busy(false));
    }
    reply.map(2);
    reply.bulk(b"running_script");
    if let Some(running) = running {
        let words = scripts.words.borrow();
        reply.map(3);
        reply.bulk(b"name");
        reply.bulk(&words[1]);
        reply.bulk(b"command");
        reply.array(words.len());
        words.iter().for_each(|word| reply.bulk(word));
        reply.bulk(b"duration_ms");
        reply.integer(running.began.elapsed().as_millis() as i64);
    } else {
        reply.null();
    }
    cx.shared.engine.borrow().write_function_engines(reply);
    Ok(Outcome::Done)
}
