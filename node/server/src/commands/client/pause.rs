//! CLIENT PAUSE and CLIENT UNPAUSE.

use std::time::Duration;

use quoris_engine::spec::{integer, one_of, token};
use quoris_engine::{Args, CommandError, Result};
use quoris_resp::{Writer, parse_i64};
use tokio::time::Instant;

use super::{ADMIN, sub};
use crate::commands::help;
use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::replies;
use crate::waits::Pause;

/// Longer than anybody will wait: a third of a century.
const LONGEST: Duration = Duration::from_secs(1_000_000_000);

/// CLIENT PAUSE timeout [WRITE | ALL]
pub(super) const PAUSE: NodeCommand = NodeCommand::new(
    sub("pause", "3.0.0", "Holds commands back for a while.")
        .sub_args(&[
            integer("timeout"),
            one_of("mode", &[token("write", "WRITE"), token("all", "ALL")]).optional(),
        ])
        .flags(ADMIN),
    pause,
);

/// CLIENT UNPAUSE
pub(super) const UNPAUSE: NodeCommand = NodeCommand::new(
    sub("unpause", "6.2.0", "Lets commands go on that were held back.")
        .flags(ADMIN)
        .complexity("O(N) Where N is the number of paused clients"),
    unpause,
);

const BAD_MODE: CommandError = CommandError::fixed("ERR CLIENT PAUSE mode must be WRITE or ALL");

fn pause(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    if args.len() > 4 {
        return Err(help::wrong_words("CLIENT", &args[1]));
    }
    let writes = match args.try_get(3).map(<[u8]>::to_ascii_lowercase).as_deref() {
        None | Some(b"all") => false,
        Some(b"write") => true,
        Some(_) => return Err(BAD_MODE),
    };
    let millis = parse_i64(&args[2]).ok_or(replies::BAD_TIMEOUT)?;
    let millis = u64::try_from(millis).map_err(|_| replies::NEGATIVE_TIMEOUT)?;
    let end = Instant::now() + Duration::from_millis(millis).min(LONGEST);
    cx.shared.pause(if writes { Pause::Writes(end) } else { Pause::All(end) });
    reply.ok();
    Ok(Outcome::Done)
}

fn unpause(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    cx.shared.unpause();
    reply.ok();
    Ok(Outcome::Done)
}
