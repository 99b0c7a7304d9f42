//! What the commands on hashes, lists and sets share: writing elements, drawing some of them, and
//! scanning.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;

use quoris_resp::Writer;

use crate::settings::Settings;
use crate::types::Element;

/// Writes an element as a bulk string.
#[inline]
pub fn write(reply: &mut Writer<'_>, element: Element<'_>) {
    match element {
        Element::Integer(value) => reply.bulk_integer(value),
        Element::Bytes(bytes) => reply.bulk(bytes),
    }
}

/// Writes an element, or null.
pub fn write_or_null(reply: &mut Writer<'_>, element: Option<Element<'_>>) {
    match element {
        Some(element) => write(reply, element),
        None => reply.null(),
    }
}

/// Draws `count` different indexes below `len`, which is at least `count`. `below` returns a random
/// number below its argument.
///
/// This is the Fisher-Yates shuffle, stopped after `count` steps; only the places that differ from
/// their index are kept, so that the cost depends on `count` alone.
pub fn draw(len: usize, count: usize, mut below: impl FnMut(usize) -> usize) -> Vec<usize> {
    let mut moved = BTreeMap::new();
    (0..count)
        .map(|at| {
            let chosen = at + below(len - at);
            let here = moved.get(&at).copied().unwrap_or(at);
            moved.insert(chosen, here).unwrap_or(chosen)
        })
        .collect()
}

/// The most bytes of a reply that may repeat elements: as many as the longest string. Otherwise a
/// small request for many repetitions of one long element could exhaust the node's memory.
pub fn repeated_bytes_max(settings: &Settings) -> usize {
    usize::try_from(settings.string_bytes_max).unwrap_or(usize::MAX)
}

/// One call of a scan: the indexes to visit, and the next cursor.
///
/// A cursor is the number of elements that are still to be visited, which are those with the
/// lowest indexes; 0 as an argument begins a scan and as a result ends it. A call visits the
/// `count` last ones of them. This keeps the promise that an element which is there all the time is
/// returned: new elements come last, and an element changes its place only when it is the last one
/// and fills the gap of one that was removed. That moves it to a lower index, so what was still to
/// be visited stays so; at worst, an element that was visited comes again, as it may in Redis. All
/// replicas have the same order, so a scan can go on after a failover.
///
/// A collection in its compact form is short, and as in Redis returned at once.
pub fn walk(cursor: u64, count: usize, len: usize, is_compact: bool) -> (Range<usize>, u64) {
    if is_compact {
        return (0..len, 0);
    }
    let left = match usize::try_from(cursor) {
        Ok(1..) => len.min(cursor as usize),
        _ => len,
    };
    let next = left.saturating_sub(count);
    (next..left, next as u64)
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::rng::Rng;

    #[test]
    fn a_draw_is_fair_and_repeats_nothing() {
        let mut rng = Rng::new(1);
        let mut seen = vec![0; 10];
        for _ in 0..10_000 {
            let mut drawn = draw(10, 4, |bound| rng.below(bound));
            drawn.iter().for_each(|&at| seen[at] += 1);
            drawn.sort_unstable();
            drawn.dedup();
            assert_eq!(drawn.len(), 4);
        }
        // 4000 each is expected; 300 is six standard deviations.
        assert!(seen.iter().all(|&count| (3700..4300).contains(&count)), "{seen:?}");
        let mut all = draw(5, 5, |bound| rng.below(bound));
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4]);
    }

    /// Elements come and go between the calls; those that stay must all be visited.
    #[test]
    fn a_scan_misses_nothing_that_stays() {
        for seed in 0..200 {
            let mut rng = Rng::new(seed);
            let mut elements: Vec<u32> = (0..50).collect();
            let (mut seen, mut cursor, mut new) = (vec![], 0, 1000);
            loop {
                let (range, next) = walk(cursor, 7, elements.len(), false);
                seen.extend_from_slice(&elements[range]);
                cursor = next;
                if cursor == 0 {
                    break;
                }
                for _ in 0..rng.below(6) {
                    let at = rng.below(elements.len());
                    // Those below 20 stay for ever.
                    if elements[at] >= 20 {
                        elements.swap_remove(at);
                    }
                }
                for _ in 0..rng.below(4) {
                    elements.push(new);
                    new += 1;
                }
            }
            assert!((0..20).all(|stays| seen.contains(&stays)), "seed {seed}");
        }
    }

    #[test]
    fn a_walk_goes_from_the_end_to_the_beginning() {
        for (cursor, len, is_compact, expected) in [
            (0, 25, false, (15..25, 15)),
            (15, 25, false, (5..15, 5)),
            (5, 25, false, (0..5, 0)),
            (15, 8, false, (0..8, 0)),
            (u64::MAX, 25, false, (15..25, 15)),
            (0, 0, false, (0..0, 0)),
            (3, 25, true, (0..25, 0)),
        ] {
            assert_eq!(walk(cursor, 10, len, is_compact), expected, "{cursor} of {len}");
        }
    }
}
