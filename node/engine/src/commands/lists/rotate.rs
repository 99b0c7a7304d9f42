//! Moving an element from one list to another.

use alloc::vec::Vec;

use quoris_resp::Writer;

use super::{parse_end, pop_event, push, removed};
use crate::command::{Args, Command, Run};
use crate::context::WriteCx;
use crate::error::Result;
use crate::spec::{Flags, Group, KeyAccess, Spec, key, one_of, token};
use crate::types::{Element, End, List, RemovedChunks};

/// LMOVE source destination LEFT | RIGHT LEFT | RIGHT
pub(super) const LMOVE: Command = Command {
    spec: Spec::new("lmove", Group::List, "6.2.0", "Moves an element from one list to another.")
        .args(&[
            key("source").access(KeyAccess::TAKE),
            key("destination").access(KeyAccess::INSERT),
            one_of("wherefrom", &[token("left", "LEFT"), token("right", "RIGHT")]),
            one_of("whereto", &[token("left", "LEFT"), token("right", "RIGHT")]),
        ])
        .flags(Flags::DENYOOM),
    run: Run::Write(lmove),
};

/// RPOPLPUSH source destination
pub(super) const RPOPLPUSH: Command = Command {
    spec: Spec::new("rpoplpush", Group::List, "1.2.0", "Moves the last element to another list.")
        .args(&[
            key("source").access(KeyAccess::TAKE),
            key("destination").access(KeyAccess::INSERT),
        ])
        .flags(Flags::DENYOOM),
    run: Run::Write(rpoplpush),
};

fn lmove(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (from, to) = (parse_end(args.get(3))?, parse_end(args.get(4))?);
    rotate(cx, &args, reply, from, to)
}

fn rpoplpush(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    rotate(cx, &args, reply, End::Back, End::Front)
}

/// Moves an element and writes it, or null if there is none.
pub(super) fn rotate(
    cx: &mut WriteCx<'_>,
    args: &Args<'_>,
    reply: &mut Writer<'_>,
    from: End,
    to: End,
) -> Result {
    let (source, destination) = (cx.key(args, 1), cx.key(args, 2));
    if cx.get::<List>(&source)?.is_none() {
        reply.null();
        return Ok(());
    }
    cx.get::<List>(&destination)?;
    let list = cx.get_mut::<List>(&source)?.expect("it was just there");
    let (element, chunks) = take(list, from);
    cx.discard(chunks);
    // The source may be empty now, and may be the destination: it is removed only afterwards.
    push(cx, &destination, to, [element.as_slice()].into_iter())?;
    reply.bulk(&element);
    removed(cx, &source, pop_event(from))
}

/// Removes and returns the element at one of the ends.
fn take(list: &mut List, end: End) -> (Vec<u8>, RemovedChunks) {
    let index = if end == End::Front { 0 } else { list.len() - 1 };
    let element = list.get(index).map(Element::to_vec).expect("a list is never empty");
    (element, list.remove(index, 1))
}
