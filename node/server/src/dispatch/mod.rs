//! From bytes to commands, and from commands to where they run.
//!
//! A connection hands over what it has read. Commands are parsed sixteen at a time and run in
//! order, each after the checks of Redis's `processCommand`, in Redis's order: does it exist, has
//! it enough words, may this client call it, is its slot here, is it held back by a pause.
//!
//! ```text
//! reads         run at once while this node's lease holds
//! writes        join the turn's batch, and the connection is held until that has been applied
//! reads behind  a write of the same pipeline join the batch too, as riders
//! node commands run at once; behind a write of the same pipeline, when that has been applied
//! ```
//!
//! A command that can neither run nor be refused stops the pipeline: it stays in the input, and
//! the connection looks at it again when what it waits for has happened.

mod chunk;
mod route;
mod run;
mod script;
mod transaction;

use std::rc::Rc;

use quoris_engine::AHEAD;
use quoris_resp::{RequestParser, Writer};
use tokio::time::Instant;

pub(crate) use self::chunk::Chunk;
use self::chunk::Tail;
use self::run::{Runner, Step};
use crate::session::{Hold, ReplyMode, Session};
use crate::shared::Shared;

/// A pipeline pauses when it has produced this much output, until that has been sent.
const OUTPUT_PAUSE: usize = 1 << 20;

/// How far a connection got with its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Bytes that are done with.
    pub(crate) consumed: usize,
    /// Whether what remains is only the beginning of a command.
    pub(crate) wants_more: bool,
}

/// Runs what can be run of `input`, which was received before `now`.
pub(crate) fn process(
    shared: &Rc<Shared>,
    session: &Rc<Session>,
    input: &[u8],
    now: Instant,
) -> Progress {
    let mut output = shared.output_of(session);
    let mut runner = Runner::new(shared, session, now);
    let (progress, hold) = walk(shared, session, input, &mut runner, &mut output);
    let has_batch = runner.finish();
    let has_output = !output.is_empty();
    shared.output_to(session, output);
    let hold = if has_batch { Hold::Batch } else { hold };
    if !matches!(hold, Hold::Lease | Hold::Leader | Hold::InFlight) {
        session.leaderless.set(None);
    }
    if hold != Hold::Free {
        shared.hold(session, hold);
    }
    // Output ahead of a batch goes out with the batch's.
    if has_output && !has_batch {
        shared.flusher.mark(session);
    }
    progress
}

fn walk(
    shared: &Rc<Shared>,
    session: &Rc<Session>,
    input: &[u8],
    runner: &mut Runner<'_>,
    output: &mut Vec<u8>,
) -> (Progress, Hold) {
    let mut chunk = shared.chunk.borrow_mut();
    let mut at = 0;
    loop {
        // Before a client has authenticated, every command can change what is allowed next.
        let authenticated = session.authenticated.get();
        let most = if authenticated { AHEAD } else { 1 };
        let limits = quoris_resp::Limits { authenticated, ..shared.limits.get() };
        let state = &mut *session.input.borrow_mut();
        let tail = chunk.parse(state, &limits, &shared.registry, (input, at), most);
        chunk.prepare(&shared.engine.borrow(), &shared.registry, input, session.db.get());
        for found in chunk.found() {
            match runner.step(found, input, output) {
                Step::Next => {}
                Step::Stop(hold) => {
                    state.parser = RequestParser::default();
                    return (Progress { consumed: found.start, wants_more: false }, hold);
                }
                Step::Done(hold) => {
                    state.parser = RequestParser::default();
                    return (Progress { consumed: found.end, wants_more: false }, hold);
                }
                Step::Close => {
                    session.close_after_reply();
                    return (Progress { consumed: input.len(), wants_more: true }, Hold::Free);
                }
            }
        }
        at = chunk.end;
        match tail {
            Tail::Incomplete => {
                return (Progress { consumed: at, wants_more: true }, Hold::Free);
            }
            Tail::Broken(_) if runner.has_batch() => {
                state.parser = RequestParser::default();
                return (Progress { consumed: at, wants_more: false }, Hold::Batch);
            }
            Tail::Broken(error) => {
                let text = format!("ERR {error}");
                Writer::new(output, session.protocol.get()).error(&text);
                shared.stats.error("ERR");
                session.close_after_reply();
                return (Progress { consumed: input.len(), wants_more: true }, Hold::Free);
            }
            Tail::More if output.len() > OUTPUT_PAUSE => {
                return (Progress { consumed: at, wants_more: false }, Hold::Free);
            }
            Tail::More => {}
        }
    }
}

/// Takes a reply back that the client has asked not to get.
#[inline]
pub(crate) fn silence(session: &Session, output: &mut Vec<u8>, mark: usize) {
    match session.reply_mode.get() {
        ReplyMode::On => {}
        ReplyMode::Off => output.truncate(mark),
        ReplyMode::Skip => {
            output.truncate(mark);
            session.reply_mode.set(ReplyMode::On);
        }
        ReplyMode::SkipNext => session.reply_mode.set(ReplyMode::Skip),
    }
}
