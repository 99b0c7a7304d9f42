//! Union, intersection and difference of sorted sets and sets.
//!
//! A plain set counts as a sorted set in which every score is 1.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;
use core::ops::Range;

use crate::command::Args;
use crate::commands::options;
use crate::context::{ReadCx, WriteCx};
use crate::error::{CommandError, NOT_INTEGER, Result, SYNTAX, WRONG_TYPE};
use crate::keyspace::{Key, ValueRef};
use crate::types::{Set, SortedSet};

const WEIGHT: CommandError = CommandError::fixed("ERR weight value is not a float");
const NEGATIVE_LIMIT: CommandError = CommandError::fixed("ERR LIMIT can't be negative");

/// How the sources are brought together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Union,
    Intersection,
    Difference,
}

/// How scores of the same member are brought together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aggregate {
    Sum,
    Least,
    Greatest,
}

impl Aggregate {
    fn of(self, one: f64, other: f64) -> f64 {
        match self {
            // The sum of the infinities counts as nothing.
            Aggregate::Sum => zero_if_nan(one + other),
            Aggregate::Least => one.min(other),
            Aggregate::Greatest => one.max(other),
        }
    }
}

/// Which options a command understands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Grammar {
    pub weights: bool,
    pub with_scores: bool,
    pub limit: bool,
}

/// What a client asked for.
#[derive(Debug)]
pub(super) struct Request {
    operation: Operation,
    /// The words that are keys.
    keys: Range<usize>,
    weights: Vec<f64>,
    aggregate: Aggregate,
    /// Whether scores are to be returned too.
    pub with_scores: bool,
    /// At how many members to stop counting; 0 is never.
    pub limit: usize,
}

/// Something that knows keys: both kinds of context do.
pub(super) trait Sources {
    fn source_key<'a>(&self, args: &Args<'a>, word: usize) -> Key<'a>;
    fn source_value(&self, key: &Key<'_>) -> Option<ValueRef<'_>>;
}

impl Sources for ReadCx<'_> {
    fn source_key<'a>(&self, args: &Args<'a>, word: usize) -> Key<'a> {
        self.key(args, word)
    }

    fn source_value(&self, key: &Key<'_>) -> Option<ValueRef<'_>> {
        self.value(key)
    }
}

impl Sources for WriteCx<'_> {
    fn source_key<'a>(&self, args: &Args<'a>, word: usize) -> Key<'a> {
        self.key(args, word)
    }

    fn source_value(&self, key: &Key<'_>) -> Option<ValueRef<'_>> {
        self.value(key)
    }
}

/// A source: a sorted set, or a set whose scores are all 1.
#[derive(Clone, Copy)]
enum Source<'a> {
    Missing,
    Sorted(&'a SortedSet),
    Plain(&'a Set),
}

impl Source<'_> {
    fn len(self) -> usize {
        match self {
            Source::Missing => 0,
            Source::Sorted(set) => set.len(),
            Source::Plain(set) => set.len(),
        }
    }

    fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Source::Missing => None,
            Source::Sorted(set) => set.score(member),
            Source::Plain(set) => set.contains(member).then_some(1.0),
        }
    }

    fn visit(self, mut visit: impl FnMut(&[u8], f64)) {
        match self {
            Source::Missing => {}
            Source::Sorted(set) => set.ascend(0, set.len(), visit),
            Source::Plain(set) => {
                set.iter().for_each(|member| member.with_bytes(|bytes| visit(bytes, 1.0)));
            }
        }
    }
}

impl Request {
    /// Reads `numkeys key … [options]` from word `at` on. Like Redis, it looks at the types of the
    /// sources before it looks at the options.
    pub fn parse(
        cx: &impl Sources,
        args: &Args<'_>,
        at: usize,
        operation: Operation,
        grammar: Grammar,
    ) -> Result<Request> {
        let numkeys = options::integer_or(&args[at], NOT_INTEGER)?;
        let numkeys =
            usize::try_from(numkeys).ok().filter(|count| *count > 0).ok_or_else(|| {
                let name = core::str::from_utf8(&args[0]).unwrap_or_default().to_ascii_lowercase();
                CommandError::text(format!(
                    "ERR at least 1 input key is needed for '{name}' command"
                ))
            })?;
        if numkeys > args.len() - at - 1 {
            return Err(SYNTAX);
        }
        let keys = at + 1..at + 1 + numkeys;
        for word in keys.clone() {
            source(cx, args, word)?;
        }
        let mut request = Request {
            operation,
            weights: alloc::vec![1.0; numkeys],
            keys,
            aggregate: Aggregate::Sum,
            with_scores: false,
            limit: 0,
        };
        request.options(args, grammar)?;
        Ok(request)
    }

    fn options(&mut self, args: &Args<'_>, grammar: Grammar) -> Result {
        let mut at = self.keys.end;
        while let Some(word) = args.try_get(at) {
            let left = args.len() - at - 1;
            if grammar.weights && options::is(word, "weights") && left >= self.weights.len() {
                for (weight, text) in self.weights.iter_mut().zip(args.from(at + 1)) {
                    *weight = options::double(text).map_err(|_| WEIGHT)?;
                }
                at += self.weights.len();
            } else if grammar.weights && options::is(word, "aggregate") && left >= 1 {
                self.aggregate = match args.get(at + 1) {
                    how if options::is(how, "sum") => Aggregate::Sum,
                    how if options::is(how, "min") => Aggregate::Least,
                    how if options::is(how, "max") => Aggregate::Greatest,
                    _ => return Err(SYNTAX),
                };
                at += 1;
            } else if grammar.with_scores && options::is(word, "withscores") {
                self.with_scores = true;
            } else if grammar.limit && options::is(word, "limit") && left >= 1 {
                let limit = options::integer_or(&args[at + 1], NEGATIVE_LIMIT)?;
                self.limit = usize::try_from(limit).map_err(|_| NEGATIVE_LIMIT)?;
                at += 1;
            } else {
                return Err(SYNTAX);
            }
            at += 1;
        }
        Ok(())
    }

    /// The members of the result with their scores, in no particular order but a defined one.
    pub fn evaluate(&self, cx: &impl Sources, args: &Args<'_>) -> Result<Vec<(Vec<u8>, f64)>> {
        let mut sources = Vec::with_capacity(self.weights.len());
        for (word, weight) in self.keys.clone().zip(&self.weights) {
            sources.push((source(cx, args, word)?, *weight));
        }
        Ok(match self.operation {
            Operation::Union => self.union(&sources),
            Operation::Intersection => self.intersection(sources),
            Operation::Difference => difference(&sources),
        })
    }

    fn union(&self, sources: &[(Source<'_>, f64)]) -> Vec<(Vec<u8>, f64)> {
        let mut found = BTreeMap::<Vec<u8>, f64>::new();
        for (source, weight) in sources {
            source.visit(|member, score| {
                let score = zero_if_nan(score * weight);
                match found.get_mut(member) {
                    Some(sum) => *sum = self.aggregate.of(*sum, score),
                    None => {
                        found.insert(member.to_vec(), score);
                    }
                }
            });
        }
        found.into_iter().collect()
    }

    fn intersection(&self, mut sources: Vec<(Source<'_>, f64)>) -> Vec<(Vec<u8>, f64)> {
        sources.sort_by_key(|(source, _)| source.len());
        let (smallest, weight) = sources[0];
        let mut found = Vec::new();
        smallest.visit(|member, score| {
            if self.limit > 0 && found.len() >= self.limit {
                return;
            }
            let first = zero_if_nan(score * weight);
            let all = sources[1..].iter().try_fold(first, |sum, (source, weight)| {
                Some(self.aggregate.of(sum, zero_if_nan(source.score(member)? * weight)))
            });
            found.extend(all.map(|score| (member.to_vec(), score)));
        });
        found
    }
}

fn difference(sources: &[(Source<'_>, f64)]) -> Vec<(Vec<u8>, f64)> {
    let mut found = Vec::new();
    sources[0].0.visit(|member, score| {
        if sources[1..].iter().all(|(other, _)| other.score(member).is_none()) {
            found.push((member.to_vec(), score));
        }
    });
    found
}

fn source<'c>(cx: &'c impl Sources, args: &Args<'_>, word: usize) -> Result<Source<'c>> {
    match cx.source_value(&cx.source_key(args, word)) {
        None => Ok(Source::Missing),
        Some(ValueRef::SortedSet(set)) => Ok(Source::Sorted(set)),
        Some(ValueRef::Set(set)) => Ok(Source::Plain(set)),
        Some(_) => Err(WRONG_TYPE),
    }
}

fn zero_if_nan(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}
