//! Bounds of a range: scores (`1.5`, `(1.5`, `-inf`) and members (`[a`, `(a`, `-`, `+`).

use crate::commands::options;
use crate::error::{CommandError, Result};
use crate::types::SortedSet;

const NOT_A_SCORE: CommandError = CommandError::fixed("ERR min or max is not a float");
const NOT_A_MEMBER: CommandError =
    CommandError::fixed("ERR min or max not valid string range item");

/// One end of a range of scores.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScoreBound {
    score: f64,
    exclusive: bool,
}

impl ScoreBound {
    /// # Errors
    /// `ERR min or max is not a float`.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let (exclusive, digits) = match text {
            [b'(', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let score = options::bound(digits).ok_or(NOT_A_SCORE)?;
        Ok(ScoreBound { score, exclusive })
    }
}

/// One end of a range of members.
#[derive(Clone, Copy, Debug)]
pub(super) enum MemberBound<'a> {
    /// `-`: before every member.
    Least,
    /// `+`: behind every member.
    Greatest,
    /// `[member`.
    Inclusive(&'a [u8]),
    /// `(member`.
    Exclusive(&'a [u8]),
}

impl<'a> MemberBound<'a> {
    /// # Errors
    /// `ERR min or max not valid string range item`.
    pub fn parse(text: &'a [u8]) -> Result<Self> {
        match text {
            b"-" => Ok(Self::Least),
            b"+" => Ok(Self::Greatest),
            [b'[', member @ ..] => Ok(Self::Inclusive(member)),
            [b'(', member @ ..] => Ok(Self::Exclusive(member)),
            _ => Err(NOT_A_MEMBER),
        }
    }
}

/// What to select from a sorted set.
#[derive(Clone, Copy, Debug)]
pub(super) enum Selection<'a> {
    /// By rank; negative ranks count from the end.
    Ranks(i64, i64),
    /// By score.
    Scores(ScoreBound, ScoreBound),
    /// By member, which makes sense where all scores are equal.
    Members(MemberBound<'a>, MemberBound<'a>),
}

impl Selection<'_> {
    /// The ranks `first..end` that it selects, ascending. `reversed` only matters for ranks, which
    /// then count from the greatest element.
    pub fn ranks(&self, set: &SortedSet, reversed: bool) -> (usize, usize) {
        let (first, end) = match *self {
            Selection::Ranks(start, stop) => return by_rank(start, stop, set.len(), reversed),
            Selection::Scores(min, max) => (
                set.partition_point(|_, score| {
                    score < min.score || min.exclusive && score <= min.score
                }),
                set.partition_point(|_, score| {
                    score < max.score || !max.exclusive && score <= max.score
                }),
            ),
            Selection::Members(min, max) => (
                set.partition_point(|member, _| match min {
                    MemberBound::Least => false,
                    MemberBound::Greatest => true,
                    MemberBound::Inclusive(bound) => member < bound,
                    MemberBound::Exclusive(bound) => member <= bound,
                }),
                set.partition_point(|member, _| match max {
                    MemberBound::Least => false,
                    MemberBound::Greatest => true,
                    MemberBound::Inclusive(bound) => member <= bound,
                    MemberBound::Exclusive(bound) => member < bound,
                }),
            ),
        };
        (first, end.max(first))
    }
}

fn by_rank(start: i64, stop: i64, len: usize, reversed: bool) -> (usize, usize) {
    let len = len as i64;
    let from_end = |rank: i64| if rank < 0 { rank.saturating_add(len) } else { rank };
    let start = from_end(start).max(0);
    let stop = from_end(stop).min(len - 1);
    if start > stop || start >= len {
        return (0, 0);
    }
    let (first, last) = if reversed { (len - 1 - stop, len - 1 - start) } else { (start, stop) };
    (first as usize, last as usize + 1)
}
