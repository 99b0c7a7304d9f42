//! Commands on lists.

mod blocking;
mod change;
mod pop;
mod position;
mod push;
mod range;
mod rotate;

use crate::command::Command;
use crate::commands::options;
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::{Result, SYNTAX};
use crate::keyspace::Key;
use crate::types::{End, List, ListLimits};

pub(super) const COMMANDS: &[Command] = &[
    blocking::BLMOVE,
    blocking::BLMPOP,
    blocking::BLPOP,
    blocking::BRPOP,
    blocking::BRPOPLPUSH,
    change::LINSERT,
    change::LREM,
    change::LSET,
    change::LTRIM,
    pop::LMPOP,
    pop::LPOP,
    pop::RPOP,
    position::LPOS,
    push::LPUSH,
    push::LPUSHX,
    push::RPUSH,
    push::RPUSHX,
    range::LINDEX,
    range::LLEN,
    range::LRANGE,
    rotate::LMOVE,
    rotate::RPOPLPUSH,
];

/// `LEFT` or `RIGHT`.
fn parse_end(word: &[u8]) -> Result<End> {
    if options::is(word, "left") {
        Ok(End::Front)
    } else if options::is(word, "right") {
        Ok(End::Back)
    } else {
        Err(SYNTAX)
    }
}

/// The index that a client means: negative ones count from the end.
fn resolve(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add(len as i64)? } else { index };
    usize::try_from(index).ok().filter(|&index| index < len)
}

/// The part of a list between two indexes, both included: where it begins and how long it is.
fn resolve_range(start: i64, stop: i64, len: usize) -> (usize, usize) {
    let from_end = |index: i64| if index < 0 { index.saturating_add(len as i64) } else { index };
    let start = from_end(start).max(0) as usize;
    let end = from_end(stop).saturating_add(1).clamp(0, len as i64) as usize;
    (start.min(len), end.saturating_sub(start))
}

const fn pop_event(end: End) -> &'static str {
    match end {
        End::Front => "lpop",
        End::Back => "rpop",
    }
}

const fn push_event(end: End) -> &'static str {
    match end {
        End::Front => "lpush",
        End::Back => "rpush",
    }
}

/// Adds elements at one of the ends of a list, which is made if there is none, and returns the new
/// length.
fn push<'a>(
    cx: &mut WriteCx<'_>,
    key: &Key<'_>,
    end: End,
    elements: impl Iterator<Item = &'a [u8]> + Clone,
) -> Result<usize> {
    let limits = ListLimits::new(cx.settings());
    let list = cx.get_or_new::<List>(key)?;
    list.expect(elements.clone(), limits);
    elements.for_each(|element| list.push(end, element));
    let len = list.len();
    cx.changed(key, EventClass::List, push_event(end));
    Ok(len)
}

/// Announces that elements were removed from a list, and removes the list if it was emptied.
fn removed(cx: &mut WriteCx<'_>, key: &Key<'_>, event: &'static str) -> Result {
    let limits = ListLimits::new(cx.settings());
    let emptied = cx.get_mut::<List>(key)?.is_some_and(|list| {
        list.settle(limits);
        list.is_empty()
    });
    announce_removal(cx, key, event, emptied);
    Ok(())
}

fn announce_removal(cx: &mut WriteCx<'_>, key: &Key<'_>, event: &'static str, emptied: bool) {
    cx.changed(key, EventClass::List, event);
    if emptied {
        cx.remove_emptied(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_count_from_either_end() {
        for (index, expected) in [
            (0, Some(0)),
            (4, Some(4)),
            (5, None),
            (-1, Some(4)),
            (-5, Some(0)),
            (-6, None),
            (i64::MIN, None),
            (i64::MAX, None),
        ] {
            assert_eq!(resolve(index, 5), expected, "{index}");
        }
    }

    #[test]
    fn ranges_are_clipped_to_the_list() {
        for (start, stop, expected) in [
            (0, -1, (0, 5)),
            (1, 2, (1, 2)),
            (-2, -1, (3, 2)),
            (-100, 100, (0, 5)),
            (3, 2, (3, 0)),
            (5, 10, (5, 0)),
            (0, -6, (0, 0)),
            (i64::MIN, i64::MAX, (0, 5)),
            (i64::MAX, i64::MIN, (5, 0)),
        ] {
            assert_eq!(resolve_range(start, stop, 5), expected, "{start} {stop}");
        }
    }
}
