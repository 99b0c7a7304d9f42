//! Looking for elements.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::options;
use crate::context::ReadCx;
use crate::error::{CommandError, Result, SYNTAX};
use crate::spec::{Group, Spec, integer, key, string};
use crate::types::{End, List};

/// LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]
pub(super) const LPOS: Command = Command {
    spec: Spec::new("lpos", Group::List, "6.0.6", "Returns the indexes of equal elements.")
        .args(&[
            key("key"),
            string("element"),
            integer("rank").after("RANK").optional(),
            integer("num-matches").after("COUNT").optional(),
            integer("len").after("MAXLEN").optional(),
        ])
        .complexity("O(N) where N is the number of elements looked at"),
    run: Run::Read(lpos),
};

const ZERO_RANK: CommandError = CommandError::fixed(
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use \
     negative to start from the end of the list",
);
const NEGATIVE_COUNT: CommandError = CommandError::fixed("ERR COUNT can't be negative");
const NEGATIVE_MAXLEN: CommandError = CommandError::fixed("ERR MAXLEN can't be negative");

/// What to look for besides the element.
struct Search {
    from: End,
    /// How many matches to pass over.
    skipped: usize,
    /// How many to return; `None` is one, without an array around it.
    wanted: Option<usize>,
    /// How many elements to look at.
    looked_at: usize,
}

fn lpos(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let search = parse(&args)?;
    let list = cx.get::<List>(&cx.key(&args, 1))?;
    let found = list
        .iter()
        .flat_map(|list| list.positions(args.get(2), search.from, search.looked_at))
        .skip(search.skipped);
    let Some(wanted) = search.wanted else {
        match { found }.next() {
            Some(index) => reply.count(index),
            None => reply.null(),
        }
        return Ok(());
    };
    let (begun, mut len) = (reply.open(), 0);
    for index in found.take(wanted) {
        reply.count(index);
        len += 1;
    }
    reply.close_array(begun, len);
    Ok(())
}

fn parse(args: &Args<'_>) -> Result<Search> {
    let mut search = Search { from: End::Front, skipped: 0, wanted: None, looked_at: usize::MAX };
    for at in (3..args.len()).step_by(2) {
        let (option, value) = (args.get(at), args.try_get(at + 1).ok_or(SYNTAX)?);
        if options::is(option, "rank") {
            let rank = options::sample_range(value)?;
            search.from = if rank < 0 { End::Back } else { End::Front };
            search.skipped = rank.unsigned_abs().checked_sub(1).ok_or(ZERO_RANK)? as usize;
        } else if options::is(option, "count") {
            search.wanted = Some(limit(value, NEGATIVE_COUNT)?);
        } else if options::is(option, "maxlen") {
            search.looked_at = limit(value, NEGATIVE_MAXLEN)?;
        } else {
            return Err(SYNTAX);
        }
    }
    Ok(search)
}

/// A number that limits something; 0 does not.
fn limit(text: &[u8], error: CommandError) -> Result<usize> {
    match usize::try_from(options::integer_or(text, error.clone())?) {
        Ok(0) => Ok(usize::MAX),
        Ok(limit) => Ok(limit),
        Err(_) => Err(error),
    }
}
