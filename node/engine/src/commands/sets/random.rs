//! Random members.

use alloc::vec::Vec;

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::{elements, options};
use crate::context::{ReadCx, WriteCx};
use crate::effects::EventClass;
use crate::error::{MUST_BE_POSITIVE, OUT_OF_RANGE, Result, SYNTAX};
use crate::spec::{Flags, Group, KeyAccess, Spec, integer, key};
use crate::types::Set;

/// SPOP key [count]
pub(super) const SPOP: Command = Command {
    spec: Spec::new("spop", Group::Set, "1.0.0", "Removes random members, and returns them.")
        .tips(&["nondeterministic_output"])
        .args(&[key("key").access(KeyAccess::TAKE), integer("count").optional()])
        .complexity("O(N) where N is the number of members removed")
        .flags(Flags::FAST),
    run: Run::Write(spop),
};

/// SRANDMEMBER key [count]
pub(super) const SRANDMEMBER: Command = Command {
    spec: Spec::new("srandmember", Group::Set, "1.0.0", "Returns random members of a set.")
        .tips(&["nondeterministic_output"])
        .args(&[key("key"), integer("count").optional()])
        .differs("A negative count is refused if the reply would exceed what the longest string may hold.")
        .complexity("O(N) where N is the number of members returned"),
    run: Run::Read(srandmember),
};

fn spop(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let count = match args.len() {
        2 => None,
        3 => Some(options::integer_or(args.get(2), MUST_BE_POSITIVE)?),
        _ => return Err(SYNTAX),
    };
    let wanted = usize::try_from(count.unwrap_or(1)).map_err(|_| MUST_BE_POSITIVE)?;
    let key = cx.key(&args, 1);
    // The set borrows the context, so the generator works on a copy meanwhile.
    let mut rng = cx.rng().clone();
    let set = cx.get_mut::<Set>(&key)?;
    let taken = wanted.min(set.as_ref().map_or(0, |set| set.len()));
    if count.is_some() {
        reply.set(taken);
    } else if taken == 0 {
        reply.null();
    }
    let Some(set) = set.filter(|_| taken > 0) else { return Ok(()) };
    for _ in 0..taken {
        let at = rng.below(set.len());
        elements::write(reply, set.member(at));
        set.swap_remove(at);
    }
    *cx.rng() = rng;
    cx.changed(&key, EventClass::Set, "spop");
    cx.remove_if_empty::<Set>(&key);
    Ok(())
}

fn srandmember(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 1);
    let count = match args.len() {
        2 => None,
        3 => Some(options::sample_range(args.get(2))?),
        _ => return Err(SYNTAX),
    };
    let set = cx.get::<Set>(&key)?;
    let Some(count) = count else {
        let member = set.map(|set| set.member(cx.random_below(set.len())));
        elements::write_or_null(reply, member);
        return Ok(());
    };
    let Some(set) = set else {
        reply.array(0);
        return Ok(());
    };
    let mut most = usize::MAX;
    let indexes = if count < 0 {
        let count = options::sample_count(count)?;
        most = elements::repeated_bytes_max(cx.settings());
        (0..count).map(|_| cx.random_below(set.len())).collect::<Vec<_>>()
    } else if count < set.len() as i64 {
        elements::draw(set.len(), count as usize, |bound| cx.random_below(bound))
    } else {
        (0..set.len()).collect()
    };
    let start = reply.mark();
    reply.array(indexes.len());
    for member in set.members_at(indexes.into_iter()) {
        elements::write(reply, member);
        if reply.mark() - start > most {
            return Err(OUT_OF_RANGE);
        }
    }
    Ok(())
}
