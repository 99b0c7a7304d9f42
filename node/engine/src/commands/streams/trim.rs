//! Removing the oldest entries.

use quoris_resp::Writer;

use super::trimming::{self, Options};
use crate::command::{Args, Command, Run};
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::{CommandError, Result, SYNTAX};
use crate::spec::{Group, KeyAccess, Spec, block, key};
use crate::types::Stream;

/// XTRIM key MAXLEN | MINID [= | ~] threshold [LIMIT count] [KEEPREF | DELREF | ACKED]
pub(super) const XTRIM: Command = Command {
    spec: Spec::new("xtrim", Group::Stream, "5.0.0", "Removes the oldest entries of a stream.")
        .args(&[
            key("key").access(KeyAccess::DELETE_PART),
            block(
                "trim",
                &[
                    trimming::STRATEGY,
                    trimming::OPERATOR,
                    trimming::THRESHOLD,
                    trimming::LIMIT,
                    trimming::REFERENCES,
                ],
            ),
        ])
        .tips(&["nondeterministic_output"])
        .complexity("O(N), with N being the number of evicted entries. Constant times are very small however, since entries are organized in macro nodes containing multiple entries that can be released with a single deallocation."),
    run: Run::Write(xtrim),
};

const NO_STRATEGY: CommandError =
    CommandError::fixed("ERR syntax error, XTRIM must be called with a trimming strategy");

fn xtrim(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (options, end) = Options::parse(&args)?;
    if end < args.len() || options.keep_missing {
        return Err(SYNTAX);
    }
    let trim = match options.trim(cx.settings()) {
        _ if options.ask_for_nothing() => return Err(NO_STRATEGY),
        trim => trim?.expect("options ask for something or are wrong"),
    };
    let key = cx.key(&args, 1);
    let removed = cx.get_mut::<Stream>(&key)?.map(|stream| stream.trim(trim)).unwrap_or_default();
    reply.integer(removed.len() as i64);
    if !removed.is_empty() {
        cx.discard(removed);
        cx.changed(&key, EventClass::Stream, "xtrim");
    }
    Ok(())
}
