//! Adding, removing and moving members.

use quoris_resp::Writer;

use super::limits;
use crate::command::{Args, Command, Run};
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::Result;
use crate::spec::{Flags, Group, KeyAccess, Spec, key, string};
use crate::types::{Element, Set};

/// SADD key member [member …]
pub(super) const SADD: Command = Command {
    spec: Spec::new("sadd", Group::Set, "1.0.0", "Adds members, and counts those that are new.")
        .args(&[key("key").access(KeyAccess::INSERT), string("member").multiple()])
        .complexity("O(N) where N is the number of members named")
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(sadd),
};

/// SREM key member [member …]
pub(super) const SREM: Command = Command {
    spec: Spec::new("srem", Group::Set, "1.0.0", "Removes members, and counts those it removed.")
        .args(&[key("key").access(KeyAccess::DELETE_PART), string("member").multiple()])
        .complexity("O(N) where N is the number of members named")
        .flags(Flags::FAST),
    run: Run::Write(srem),
};

/// SMOVE source destination member
pub(super) const SMOVE: Command = Command {
    spec: Spec::new("smove", Group::Set, "1.0.0", "Moves a member from one set to another.")
        .args(&[
            key("source").access(KeyAccess::TAKE),
            key("destination").access(KeyAccess::INSERT),
            string("member"),
        ])
        .flags(Flags::FAST),
    run: Run::Write(smove),
};

fn sadd(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let limits = limits(cx);
    let key = cx.key(&args, 1);
    let set = cx.get_or_new::<Set>(&key)?;
    set.expect(args.get(2), args.len() - 2, &limits);
    let added = args.from(2).filter(|member| set.insert(Element::of(member), &limits)).count();
    if added > 0 {
        cx.changed(&key, EventClass::Set, "sadd");
    }
    reply.count(added);
    Ok(())
}

fn srem(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 1);
    let removed = match cx.get_mut::<Set>(&key)? {
        Some(set) => args.from(2).filter(|member| set.remove(member)).count(),
        None => 0,
    };
    if removed > 0 {
        cx.changed(&key, EventClass::Set, "srem");
        cx.remove_if_empty::<Set>(&key);
    }
    reply.count(removed);
    Ok(())
}

fn smove(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (source, destination, member) = (cx.key(&args, 1), cx.key(&args, 2), args.get(3));
    let moved = match cx.get::<Set>(&source)? {
        None => false,
        Some(set) => {
            let is_member = set.contains(member);
            cx.get::<Set>(&destination)?;
            is_member
        }
    };
    if moved && source.bytes != destination.bytes {
        let limits = limits(cx);
        cx.get_mut::<Set>(&source)?.expect("it has the member").remove(member);
        cx.changed(&source, EventClass::Set, "srem");
        cx.remove_if_empty::<Set>(&source);
        if cx.get_or_new::<Set>(&destination)?.insert(Element::of(member), &limits) {
            cx.changed(&destination, EventClass::Set, "sadd");
        }
    }
    reply.count(usize::from(moved));
    Ok(())
}
