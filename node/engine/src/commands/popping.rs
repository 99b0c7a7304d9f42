//! What commands that take elements out of lists and out of sorted sets have in common.

use core::ops::Range;

use quoris_resp::Writer;

use super::{blocking, options};
use crate::command::Args;
use crate::context::WriteCx;
use crate::error::{CommandError, MUST_BE_POSITIVE, Result, SYNTAX};
use crate::keyspace::Key;

const NUMKEYS: CommandError = CommandError::fixed("ERR numkeys should be greater than 0");
const COUNT: CommandError = CommandError::fixed("ERR count should be greater than 0");

/// The count of `LPOP key [count]`, which may be left out.
///
/// # Errors
/// That it is no number of elements.
pub fn count(args: &Args<'_>) -> Result<Option<usize>> {
    let Some(text) = args.try_get(2) else { return Ok(None) };
    let count = options::integer_or(text, MUST_BE_POSITIVE)?;
    usize::try_from(count).map(Some).map_err(|_| MUST_BE_POSITIVE)
}

/// What `LMPOP`, `ZMPOP` and the forms that wait are asked for.
pub struct Wanted<End> {
    /// The words of the keys.
    pub keys: Range<usize>,
    /// Where to take from.
    pub end: End,
    /// The most elements.
    pub count: usize,
}

impl<End> Wanted<End> {
    /// Reads `numkeys key [key …] end [COUNT count]` from word `at` on.
    ///
    /// # Errors
    /// Redis's texts, and those of `parse_end`.
    pub fn parse(
        args: &Args<'_>,
        at: usize,
        parse_end: impl FnOnce(&[u8]) -> Result<End>,
    ) -> Result<Wanted<End>> {
        let positive = |text: &[u8], error: CommandError| {
            let number = options::integer_or(text, error.clone())?;
            usize::try_from(number).ok().filter(|number| *number > 0).ok_or(error)
        };
        let keys = positive(args.get(at), NUMKEYS)?;
        let first = at + 1;
        let place = keys.checked_add(first).filter(|place| *place < args.len()).ok_or(SYNTAX)?;
        let end = parse_end(args.get(place))?;
        let count = match args.len() - place {
            1 => 1,
            more @ 3.. if options::is(args.get(place + 1), "count") => {
                let count = positive(args.get(place + 2), COUNT)?;
                if more > 3 {
                    return Err(SYNTAX);
                }
                count
            }
            _ => return Err(SYNTAX),
        };
        Ok(Wanted { keys: first..place, end, count })
    }
}

/// `BLPOP key [key …] timeout`: tries to take something from one key after the other, where `pop`
/// answers if it does and returns true. The client may wait if nothing was found before a mistake.
///
/// # Errors
/// Those of the timeout and of `pop`.
pub fn first_or_wait(
    cx: &mut WriteCx<'_>,
    args: &Args<'_>,
    reply: &mut Writer<'_>,
    mut pop: impl FnMut(&mut WriteCx<'_>, &Key<'_>, &mut Writer<'_>) -> Result<bool>,
) -> Result {
    let last = args.len() - 1;
    blocking::timeout(args.get(last), cx.now_ms())?;
    for word in 1..last {
        let key = cx.key(args, word);
        let popped = pop(cx, &key, reply);
        if popped.is_err() {
            cx.found_nothing();
        }
        if popped? {
            return Ok(());
        }
    }
    cx.found_nothing();
    reply.null_array();
    Ok(())
}

/// `BLMPOP timeout …`: what `pop` does, true if it took something; if not, the client may wait.
///
/// # Errors
/// Those of the timeout and of `pop`.
pub fn some_or_wait(
    cx: &mut WriteCx<'_>,
    args: &Args<'_>,
    pop: impl FnOnce(&mut WriteCx<'_>) -> Result<bool>,
) -> Result {
    blocking::timeout(args.get(1), cx.now_ms())?;
    let popped = pop(cx);
    if !matches!(popped, Ok(true)) {
        cx.found_nothing();
    }
    popped.map(drop)
}
