//! What all range commands share: reading their arguments and writing what they select.

use quoris_resp::Writer;

use super::bounds::{MemberBound, ScoreBound, Selection};
use super::{write_header, write_pair};
use crate::command::Args;
use crate::commands::options;
use crate::error::{CommandError, Result, SYNTAX};
use crate::types::SortedSet;

const LIMIT_NEEDS_BY: CommandError = CommandError::fixed(
    "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
);
const SCORES_BY_LEX: CommandError =
    CommandError::fixed("ERR syntax error, WITHSCORES not supported in combination with BYLEX");

/// By what a range is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Rank,
    Score,
    Member,
}

/// Which options a command fixes, and which it lets the client choose.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grammar {
    /// Fixed by the command's name, or chosen by `BYSCORE` and `BYLEX`.
    pub by: Option<By>,
    /// Fixed by the command's name, or chosen by `REV`.
    pub reversed: Option<bool>,
    /// Whether `WITHSCORES` is understood.
    pub scores: bool,
}

/// A range that a client asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range<'a> {
    selection: Selection<'a>,
    reversed: bool,
    offset: i64,
    count: i64,
    with_scores: bool,
}

impl<'a> Range<'a> {
    /// Reads `min max [options]` from word `at` on.
    pub fn parse(args: &Args<'a>, at: usize, grammar: Grammar) -> Result<Range<'a>> {
        let mut by = grammar.by;
        let mut reversed = grammar.reversed;
        let (mut with_scores, mut limit) = (false, None);
        let mut next = at + 2;
        while let Some(word) = args.try_get(next) {
            let left = args.len() - next - 1;
            if grammar.scores && options::is(word, "withscores") {
                with_scores = true;
            } else if options::is(word, "limit") && left >= 2 {
                limit =
                    Some((options::integer(&args[next + 1])?, options::integer(&args[next + 2])?));
                next += 2;
            } else if reversed.is_none() && options::is(word, "rev") {
                reversed = Some(true);
            } else if by.is_none() && options::is(word, "bylex") {
                by = Some(By::Member);
            } else if by.is_none() && options::is(word, "byscore") {
                by = Some(By::Score);
            } else {
                return Err(SYNTAX);
            }
            next += 1;
        }
        let by = by.unwrap_or(By::Rank);
        let reversed = reversed.unwrap_or(false);
        if limit.is_some_and(|(_, count)| count != -1) && by == By::Rank {
            return Err(LIMIT_NEEDS_BY);
        }
        if with_scores && by == By::Member {
            return Err(SCORES_BY_LEX);
        }
        let (offset, count) = limit.filter(|_| by != By::Rank).unwrap_or((0, -1));
        let selection = select(by, args.get(at), args.get(at + 1), reversed)?;
        Ok(Range { selection, reversed, offset, count, with_scores })
    }

    /// The ranks `first..end` to return, after `LIMIT`.
    fn ranks(&self, set: &SortedSet) -> (usize, usize) {
        let (first, end) = self.selection.ranks(set, self.reversed);
        let Ok(offset) = usize::try_from(self.offset) else { return (0, 0) };
        let left = (end - first).saturating_sub(offset);
        let count = usize::try_from(self.count).map_or(left, |count| count.min(left));
        if self.reversed {
            let end = end - (end - first).min(offset);
            (end - count, end)
        } else {
            let first = first + (end - first).min(offset);
            (first, first + count)
        }
    }

    /// Calls `visit` with the selected members in the order asked for; returns how many there are.
    pub fn visit(&self, set: &SortedSet, visit: impl FnMut(&[u8], f64)) -> usize {
        let (first, end) = self.ranks(set);
        if self.reversed {
            set.descend(first, end, visit)
        } else {
            set.ascend(first, end, visit)
        }
        end - first
    }

    /// Writes the selected members.
    pub fn write(&self, set: Option<&SortedSet>, reply: &mut Writer<'_>) {
        let Some(set) = set else { return reply.array(0) };
        let (first, end) = self.ranks(set);
        write_header(reply, end - first, self.with_scores);
        let scores = self.with_scores;
        self.visit(
            set,
            |member, score| {
                if scores { write_pair(reply, member, score) } else { reply.bulk(member) }
            },
        );
    }
}

fn select<'a>(by: By, min: &'a [u8], max: &'a [u8], reversed: bool) -> Result<Selection<'a>> {
    // A reversed range names its greater end first, except by rank.
    let (low, high) = if reversed && by != By::Rank { (max, min) } else { (min, max) };
    Ok(match by {
        By::Rank => Selection::Ranks(options::integer(low)?, options::integer(high)?),
        By::Score => Selection::Scores(ScoreBound::parse(low)?, ScoreBound::parse(high)?),
        By::Member => Selection::Members(MemberBound::parse(low)?, MemberBound::parse(high)?),
    })
}
