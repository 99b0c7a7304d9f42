//! Adding and moving places.

use quoris_resp::Writer;

use super::arguments;
use crate::command::{Args, Command, Run};
use crate::commands::options;
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::{Result, SYNTAX};
use crate::spec::{Flags, Group, KeyAccess, Spec, block, double, key, one_of, string, token};
use crate::types::{SortedSet, SortedSetTuning};

/// GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member …]
pub(super) const GEOADD: Command = Command {
    spec: Spec::new("geoadd", Group::Geo, "3.2.0", "Adds places, or moves those that are there.")
        .args(&[
            key("key").access(KeyAccess::MODIFY),
            one_of("condition", &[token("nx", "NX"), token("xx", "XX")]).optional(),
            token("change", "CH").optional(),
            block("data", &[double("longitude"), double("latitude"), string("member")]).multiple(),
        ])
        .complexity("O(log N) for each place")
        .flags(Flags::DENYOOM),
    run: Run::Write(geoadd),
};

#[derive(Clone, Copy, Debug, Default)]
struct Options {
    nx: bool,
    xx: bool,
    ch: bool,
}

impl Options {
    /// Reads the options, and returns them with the word at which the places begin.
    fn parse(args: &Args<'_>) -> Result<(Options, usize)> {
        let mut options = Options::default();
        let mut at = 2;
        while let Some(word) = args.try_get(at) {
            match () {
                () if options::is(word, "nx") => options.nx = true,
                () if options::is(word, "xx") => options.xx = true,
                () if options::is(word, "ch") => options.ch = true,
                () => break,
            }
            at += 1;
        }
        let words = args.len() - at;
        if words == 0 || !words.is_multiple_of(3) || options.nx && options.xx {
            return Err(SYNTAX);
        }
        Ok((options, at))
    }
}

fn geoadd(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (options, first) = Options::parse(&args)?;
    // Every place is checked before anything changes.
    for at in (first..args.len()).step_by(3) {
        arguments::point(&args, at)?;
    }
    let key = cx.key(&args, 1);
    let tuning = SortedSetTuning::new(cx.settings(), cx.hasher());
    if options.xx && cx.get::<SortedSet>(&key)?.is_none() {
        reply.integer(0);
        return Ok(());
    }
    let set = cx.get_or_new::<SortedSet>(&key)?;
    let (mut added, mut moved) = (0, 0);
    for at in (first..args.len()).step_by(3) {
        let (score, member) = (arguments::point(&args, at)?.score(), args.get(at + 2));
        match set.score(member) {
            None if options.xx => continue,
            None => added += 1,
            Some(old) if options.nx || old.to_bits() == score.to_bits() => continue,
            Some(_) => moved += 1,
        }
        set.insert(member, score, &tuning);
    }
    if added + moved > 0 {
        cx.changed(&key, EventClass::SortedSet, "zadd");
    }
    reply.integer(if options.ch { added + moved } else { added });
    Ok(())
}
