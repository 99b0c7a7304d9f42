//! Adding members and changing scores.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::options;
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::{CommandError, Result, SYNTAX};
use crate::keyspace::Key;
use crate::spec::{
    Arg, Flags, Group, KeyAccess, Spec, block, double, integer, key, one_of, string, token,
};
use crate::types::{SortedSet, SortedSetTuning};

/// Whether members are only added, or only changed.
pub(in crate::commands) const CONDITION: Arg =
    one_of("condition", &[token("nx", "NX"), token("xx", "XX")]).optional();
/// Whether those that were changed count too.
pub(in crate::commands) const CHANGE: Arg = token("change", "CH").optional();

/// ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member …]
pub(super) const ZADD: Command = Command {
    spec: Spec::new(
        "zadd",
        Group::SortedSet,
        "1.2.0",
        "Adds members, or changes the scores of those that are there.",
    )
    .args(&[
        key("key").access(KeyAccess::MODIFY),
        CONDITION,
        one_of("comparison", &[token("gt", "GT"), token("lt", "LT")]).optional(),
        CHANGE,
        token("increment", "INCR").optional(),
        block("data", &[double("score"), string("member")]).multiple(),
    ])
    .complexity("O(log N) for each member")
    .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(zadd),
};

/// ZINCRBY key increment member
pub(super) const ZINCRBY: Command = Command {
    spec: Spec::new(
        "zincrby",
        Group::SortedSet,
        "1.2.0",
        "Adds a number to the score of a member, which is made with that score if missing.",
    )
    .args(&[key("key").access(KeyAccess::UPDATE), integer("increment"), string("member")])
    .complexity("O(log N)")
    .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(zincrby),
};

const NX_AND_XX: CommandError =
    CommandError::fixed("ERR XX and NX options at the same time are not compatible");
const GT_LT_NX: CommandError =
    CommandError::fixed("ERR GT, LT, and/or NX options at the same time are not compatible");
const ONE_INCREMENT: CommandError =
    CommandError::fixed("ERR INCR option supports a single increment-element pair");
const NAN: CommandError = CommandError::fixed("ERR resulting score is not a number (NaN)");

/// The options of `ZADD`; those of `GEOADD` are the first three.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of the command")]
pub(in crate::commands) struct Options {
    pub nx: bool,
    pub xx: bool,
    pub ch: bool,
    gt: bool,
    lt: bool,
    incr: bool,
}

impl Options {
    /// Reads options from word 2 on, and returns them with the word at which they end.
    /// `with_scores` allows those that compare scores, or add to them.
    pub fn read(args: &Args<'_>, with_scores: bool) -> (Options, usize) {
        let mut options = Options::default();
        let mut at = 2;
        while let Some(word) = args.try_get(at) {
            match () {
                () if options::is(word, "nx") => options.nx = true,
                () if options::is(word, "xx") => options.xx = true,
                () if options::is(word, "ch") => options.ch = true,
                () if with_scores && options::is(word, "gt") => options.gt = true,
                () if with_scores && options::is(word, "lt") => options.lt = true,
                () if with_scores && options::is(word, "incr") => options.incr = true,
                () => break,
            }
            at += 1;
        }
        (options, at)
    }

    /// Reads the options of `ZADD`, and returns them with the word at which the pairs begin.
    fn parse(args: &Args<'_>) -> Result<(Options, usize)> {
        let (options, at) = Options::read(args, true);
        let words = args.len() - at;
        if words == 0 || !words.is_multiple_of(2) {
            return Err(SYNTAX);
        }
        if options.nx && options.xx {
            return Err(NX_AND_XX);
        }
        if options.gt && (options.lt || options.nx) || options.lt && options.nx {
            return Err(GT_LT_NX);
        }
        if options.incr && words > 2 {
            return Err(ONE_INCREMENT);
        }
        Ok((options, at))
    }

    /// The score that a member should get, or `None` if the options forbid a change.
    fn decide(self, old: Option<f64>, given: f64) -> Result<Option<f64>> {
        let Some(old) = old else { return Ok((!self.xx).then_some(given)) };
        if self.nx {
            return Ok(None);
        }
        let new = if self.incr { old + given } else { given };
        if new.is_nan() {
            return Err(NAN);
        }
        let allowed = (!self.gt || new > old) && (!self.lt || new < old);
        Ok(allowed.then_some(new))
    }
}

fn zadd(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (options, first) = Options::parse(&args)?;
    add_pairs(cx, args, options, first, reply)
}

fn zincrby(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    add_pairs(cx, args, Options { incr: true, ..Options::default() }, 2, reply)
}

fn add_pairs(
    cx: &mut WriteCx<'_>,
    args: Args<'_>,
    options: Options,
    first: usize,
    reply: &mut Writer<'_>,
) -> Result {
    // Every score is checked before anything changes.
    for score in args.from(first).step_by(2) {
        options::double(score)?;
    }
    let members = (first..args.len())
        .step_by(2)
        .map(|at| (options::double(&args[at]).expect("it was checked"), args.get(at + 1)));
    let key = cx.key(&args, 1);
    add(cx, &key, options, members, reply)
}

/// Adds members with their scores to the sorted set at a key, as the options say.
///
/// # Errors
/// `WRONGTYPE`, or that a sum of scores is not a number.
pub(in crate::commands) fn add<'a>(
    cx: &mut WriteCx<'_>,
    key: &Key<'_>,
    options: Options,
    members: impl Iterator<Item = (f64, &'a [u8])>,
    reply: &mut Writer<'_>,
) -> Result {
    let tuning = SortedSetTuning::new(cx.settings(), cx.hasher());
    if options.xx && cx.get::<SortedSet>(key)?.is_none() {
        if options.incr {
            reply.null()
        } else {
            reply.integer(0)
        }
        return Ok(());
    }
    let set = cx.get_or_new::<SortedSet>(key)?;
    let (mut added, mut updated, mut result) = (0, 0, None);
    for (given, member) in members {
        let old = set.score(member);
        let Some(new) = options.decide(old, given)? else { continue };
        set.insert(member, new, &tuning);
        result = Some(new);
        match old {
            None => added += 1,
            Some(old) if old != new => updated += 1,
            Some(_) => {}
        }
    }
    if added + updated > 0 {
        cx.changed(key, EventClass::SortedSet, if options.incr { "zincr" } else { "zadd" });
    }
    match result {
        _ if !options.incr => reply.integer(if options.ch { added + updated } else { added }),
        Some(score) => reply.double(score),
        None => reply.null(),
    }
    Ok(())
}
