//! TIME and SHUTDOWN.

use quoris_engine::spec::{Flags, Group, Spec, one_of, token};
use quoris_engine::{Args, Result, error};
use quoris_resp::Writer;
use tokio::time::Instant;

use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::replies;
use crate::shared::Exit;

pub(super) const COMMANDS: &[NodeCommand] = &[TIME, SHUTDOWN];

/// TIME
const TIME: NodeCommand = NodeCommand::new(
    Spec::new("time", Group::Server, "2.6.0", "Returns the time of day.")
        .tips(&["nondeterministic_output"])
        .flags(Flags::FAST.or(Flags::LOADING).or(Flags::STALE)),
    time,
);

/// SHUTDOWN [NOSAVE|SAVE] [NOW] [FORCE] [ABORT]
const SHUTDOWN: NodeCommand = NodeCommand::new(
    Spec::new("shutdown", Group::Server, "1.0.0", "Hands leadership over and stops the node.")
        .differs(
            "`SAVE`, `NOSAVE` and `FORCE` make no difference: what was acknowledged is in the log.",
        )
        .args(&[
            one_of("save", &[token("nosave", "NOSAVE"), token("save", "SAVE")]).optional(),
            token("now", "NOW").optional(),
            token("force", "FORCE").optional(),
            token("abort", "ABORT").optional(),
        ])
        .flags(
            Flags::ADMIN
                .or(Flags::NOSCRIPT)
                .or(Flags::LOADING)
                .or(Flags::STALE)
                .or(Flags::NO_MULTI)
                .or(Flags::ALLOW_BUSY),
        ),
    shutdown,
);

fn time(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let now = cx.shared.clock.unix_us();
    reply.array(2);
    reply.bulk_integer((now / 1_000_000) as i64);
    reply.bulk_integer((now % 1_000_000) as i64);
    Ok(Outcome::Done)
}

/// Every acknowledged write is in the log already, so that saving or not makes no difference.
fn shutdown(cx: &mut NodeCx<'_>, args: Args<'_>, _: &mut Writer<'_>) -> Result<Outcome> {
    let (mut save, mut other, mut abort) = (0, 0, 0);
    for word in args.from(1) {
        match word.to_ascii_lowercase().as_slice() {
            b"nosave" | b"save" => save += 1,
            b"now" | b"force" => other += 1,
            b"abort" => abort += 1,
            _ => return Err(error::SYNTAX),
        }
    }
    if save > 1 || abort > 0 && save + other > 0 {
        return Err(error::SYNTAX);
    }
    if abort > 0 {
        return Err(replies::NO_SHUTDOWN);
    }
    let saves = !args.from(1).any(|word| word.eq_ignore_ascii_case(b"nosave"));
    if let Some(error) = cx.shared.busy(Instant::now()).filter(|_| saves) {
        return Err(error);
    }
    cx.shared.stop(Exit::Shutdown);
    // The client learns that it worked by the end of its connection.
    Ok(Outcome::Later(Box::pin(std::future::pending())))
}
