//! A command of the node that runs in its place inside a transaction.

use std::rc::Rc;

use quoris_engine::Args;
use quoris_resp::Writer;

use crate::registry::{Entry, NodeCx, Outcome};
use crate::replies;
use crate::session::Session;
use crate::shared::Shared;

/// Runs it and appends its reply. Nobody may have borrowed the engine.
///
/// What would answer later, or needs an entry of its own, cannot be part of something that happens
/// all at once, and is refused.
pub(crate) fn run_node(
    shared: &Rc<Shared>,
    session: &Rc<Session>,
    entry: &Entry,
    args: Args<'_>,
    output: &mut Vec<u8>,
) {
    let mark = output.len();
    let Some(handler) = entry.handler else { return };
    session.last_command.set(Some(entry.number));
    let outside = session.in_exec.replace(true);
    let mut reply = Writer::new(output, session.protocol.get());
    let outcome = handler(&mut NodeCx { shared, session }, args, &mut reply);
    session.in_exec.set(outside);
    let error = match outcome {
        Ok(Outcome::Done | Outcome::Pushed) => return,
        Ok(Outcome::Close) => return session.close_after_reply(),
        Ok(Outcome::Later(_) | Outcome::Write(_)) => replies::NOT_IN_EXEC,
        Err(error) => error,
    };
    output.truncate(mark);
    Writer::new(output, session.protocol.get()).error(error.as_str());
    shared.stats.failed(entry.number);
    shared.count_error(&error);
}
