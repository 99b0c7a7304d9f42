//! Taking elements from the ends.

use quoris_resp::Writer;

use super::{announce_removal, parse_end, pop_event};
use crate::command::{Args, Command, Run};
use crate::commands::elements;
use crate::commands::popping::{self, Wanted};
use crate::context::WriteCx;
use crate::error::{CommandError, Result};
use crate::keyspace::Key;
use crate::spec::{Flags, Group, KeyAccess, Spec, integer, key, one_of, token};
use crate::types::{End, List, ListLimits};

/// LPOP key [count]
pub(super) const LPOP: Command = Command {
    spec: Spec::new("lpop", Group::List, "1.0.0", "Removes the first elements, and returns them.")
        .args(&[key("key").access(KeyAccess::TAKE), integer("count").optional()])
        .complexity("O(N) where N is the number of elements removed")
        .flags(Flags::FAST),
    run: Run::Write(lpop),
};

/// RPOP key [count]
pub(super) const RPOP: Command = Command {
    spec: Spec::new("rpop", Group::List, "1.0.0", "Removes the last elements, and returns them.")
        .args(&[key("key").access(KeyAccess::TAKE), integer("count").optional()])
        .complexity("O(N) where N is the number of elements removed")
        .flags(Flags::FAST),
    run: Run::Write(rpop),
};

/// LMPOP numkeys key [key …] LEFT | RIGHT [COUNT count]
pub(super) const LMPOP: Command = Command {
    spec: Spec::new("lmpop", Group::List, "7.0.0", "Takes elements from the first list with any.")
        .args(&[
            integer("numkeys"),
            key("key").multiple().access(KeyAccess::TAKE),
            one_of("where", &[token("left", "LEFT"), token("right", "RIGHT")]),
            integer("count").after("COUNT").optional(),
        ])
        .complexity("O(N+M) where N is the number of keys and M that of elements removed")
        .flags(Flags::MOVABLE_KEYS),
    run: Run::Write(lmpop),
};

fn lpop(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    pop(cx, &args, reply, "lpop", End::Front)
}

fn rpop(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    pop(cx, &args, reply, "rpop", End::Back)
}

fn pop(
    cx: &mut WriteCx<'_>,
    args: &Args<'_>,
    reply: &mut Writer<'_>,
    name: &str,
    end: End,
) -> Result {
    if args.len() > 3 {
        return Err(CommandError::arity(name));
    }
    let count = popping::count(args)?;
    let key = cx.key(args, 1);
    let begin = |reply: &mut Writer<'_>, len: usize| {
        if let Some(count) = count {
            reply.array(count.min(len));
        }
    };
    if take(cx, &key, (end, count.unwrap_or(1)), reply, begin)? {
        return Ok(());
    }
    if count.is_some() {
        reply.null_array();
    } else {
        reply.null();
    }
    Ok(())
}

fn lmpop(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let wanted = Wanted::parse(&args, 1, parse_end)?;
    pop_first(cx, &args, &wanted, reply).map(drop)
}

/// Takes elements from the first list that has any, and writes them, or null. False if none has.
pub(super) fn pop_first(
    cx: &mut WriteCx<'_>,
    args: &Args<'_>,
    wanted: &Wanted<End>,
    reply: &mut Writer<'_>,
) -> Result<bool> {
    for word in wanted.keys.clone() {
        let key = cx.key(args, word);
        let begin = |reply: &mut Writer<'_>, len: usize| {
            reply.array(2);
            reply.bulk(key.bytes);
            reply.array(wanted.count.min(len));
        };
        if take(cx, &key, (wanted.end, wanted.count), reply, begin)? {
            return Ok(true);
        }
    }
    reply.null_array();
    Ok(false)
}

/// Removes up to `count` elements from a list, and writes them from the end inwards, after what
/// `begin` writes for a list of so many elements. False if there is no list.
pub(super) fn take(
    cx: &mut WriteCx<'_>,
    key: &Key<'_>,
    (end, count): (End, usize),
    reply: &mut Writer<'_>,
    begin: impl FnOnce(&mut Writer<'_>, usize),
) -> Result<bool> {
    let limits = ListLimits::new(cx.settings());
    let Some(list) = cx.get_mut::<List>(key)? else { return Ok(false) };
    begin(reply, list.len());
    let count = count.min(list.len());
    if count == 0 {
        return Ok(true);
    }
    let removed = match end {
        End::Front => {
            list.range(0, count).for_each(|element| elements::write(reply, element));
            list.remove(0, count)
        }
        End::Back => {
            list.backwards().take(count).for_each(|element| elements::write(reply, element));
            list.remove(list.len() - count, count)
        }
    };
    list.settle(limits);
    let emptied = list.is_empty();
    cx.discard(removed);
    announce_removal(cx, key, pop_event(end), emptied);
    Ok(true)
}
