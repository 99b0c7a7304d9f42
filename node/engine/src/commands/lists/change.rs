//! Changing elements inside a list.

use quoris_resp::Writer;

use super::{removed, resolve, resolve_range};
use crate::command::{Args, Command, Run};
use crate::commands::options;
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::{INDEX_OUT_OF_RANGE, NO_SUCH_KEY, Result, SYNTAX};
use crate::spec::{Flags, Group, KeyAccess, Spec, integer, key, one_of, string, token};
use crate::types::{End, List, ListLimits};

/// LSET key index element
pub(super) const LSET: Command = Command {
    spec: Spec::new("lset", Group::List, "1.0.0", "Replaces the element at an index of a list.")
        .args(&[key("key").access(KeyAccess::MODIFY), integer("index"), string("element")])
        .complexity("O(N) where N is the number of elements up to the index; O(1) at both ends")
        .flags(Flags::DENYOOM),
    run: Run::Write(lset),
};

/// LINSERT key BEFORE | AFTER pivot element
pub(super) const LINSERT: Command = Command {
    spec: Spec::new("linsert", Group::List, "2.2.0", "Puts an element beside another one.")
        .args(&[
            key("key").access(KeyAccess::INSERT),
            one_of("where", &[token("before", "BEFORE"), token("after", "AFTER")]),
            string("pivot"),
            string("element"),
        ])
        .complexity("O(N) where N is the number of elements up to the pivot")
        .flags(Flags::DENYOOM),
    run: Run::Write(linsert),
};

/// LREM key count element
pub(super) const LREM: Command = Command {
    spec: Spec::new("lrem", Group::List, "1.0.0", "Removes equal elements from a list.")
        .args(&[key("key").access(KeyAccess::DELETE_PART), integer("count"), string("element")])
        .complexity("O(N) where N is the length of the list"),
    run: Run::Write(lrem),
};

/// LTRIM key start stop
pub(super) const LTRIM: Command = Command {
    spec: Spec::new("ltrim", Group::List, "1.0.0", "Keeps the elements between two indexes.")
        .args(&[key("key").access(KeyAccess::DELETE_PART), integer("start"), integer("stop")])
        .complexity("O(N) where N is the number of elements removed"),
    run: Run::Write(ltrim),
};

fn lset(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let limits = ListLimits::new(cx.settings());
    let key = cx.key(&args, 1);
    let list = cx.get_mut::<List>(&key)?.ok_or(NO_SUCH_KEY)?;
    let index = options::integer(args.get(2))?;
    let index = resolve(index, list.len()).ok_or(INDEX_OUT_OF_RANGE)?;
    list.expect(args.from(3), limits);
    list.replace(index, args.get(3));
    list.settle(limits);
    cx.changed(&key, EventClass::List, "lset");
    reply.ok();
    Ok(())
}

fn linsert(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let behind = match args.get(2) {
        word if options::is(word, "after") => 1,
        word if options::is(word, "before") => 0,
        _ => return Err(SYNTAX),
    };
    let limits = ListLimits::new(cx.settings());
    let key = cx.key(&args, 1);
    let Some(list) = cx.get_mut::<List>(&key)? else {
        reply.count(0);
        return Ok(());
    };
    let pivot = list.positions(args.get(3), End::Front, usize::MAX).next();
    let Some(pivot) = pivot else {
        reply.integer(-1);
        return Ok(());
    };
    list.expect(args.from(4), limits);
    list.insert(pivot + behind, args.get(4));
    reply.count(list.len());
    cx.changed(&key, EventClass::List, "linsert");
    Ok(())
}

fn lrem(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let count = options::integer(args.get(2))?;
    let key = cx.key(&args, 1);
    let most = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
    let from = if count < 0 { End::Back } else { End::Front };
    let Some(list) = cx.get_mut::<List>(&key)? else {
        reply.count(0);
        return Ok(());
    };
    let (gone, chunks) = list.remove_equal(args.get(3), most, from);
    cx.discard(chunks);
    reply.count(gone);
    if gone == 0 { Ok(()) } else { removed(cx, &key, "lrem") }
}

fn ltrim(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (start, stop) = (options::integer(args.get(2))?, options::integer(args.get(3))?);
    let key = cx.key(&args, 1);
    reply.ok();
    let Some(list) = cx.get_mut::<List>(&key)? else { return Ok(()) };
    let (start, count) = resolve_range(start, stop, list.len());
    let end = start + count;
    let behind = list.remove(end, list.len() - end);
    let before = list.remove(0, if count == 0 { list.len() } else { start });
    cx.discard(behind);
    cx.discard(before);
    removed(cx, &key, "ltrim")
}
