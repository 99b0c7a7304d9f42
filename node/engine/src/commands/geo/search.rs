//! Searching, and what becomes of the results.

use alloc::boxed::Box;
use alloc::vec::Vec;

use quoris_resp::Writer;

use super::query::{Destination, Grammar, Order, Query, Target};
use super::{write_distance, write_point};
use crate::command::Args;
use crate::context::{Expiry, ReadCx, WriteCx};
use crate::effects::EventClass;
use crate::error::Result;
use crate::keyspace::Value;
use crate::types::geohash::{Point, cover};
use crate::types::{SortedSet, SortedSetTuning};

/// How many members are looked at before a search for any few results asks whether it is done.
const CHUNK: usize = 64;

/// Results of a search.
#[derive(Debug, Default)]
struct Results {
    /// The members, one behind the other: one allocation serves them all.
    names: Vec<u8>,
    found: Vec<Found>,
}

/// A member that was found.
#[derive(Clone, Copy, Debug)]
struct Found {
    name_start: usize,
    name_len: usize,
    score: f64,
    distance_m: f64,
}

impl Results {
    fn name(&self, found: &Found) -> &[u8] {
        &self.names[found.name_start..found.name_start + found.name_len]
    }

    fn push(&mut self, name: &[u8], score: f64, distance_m: f64) {
        let name_start = self.names.len();
        self.names.extend_from_slice(name);
        self.found.push(Found { name_start, name_len: name.len(), score, distance_m });
    }

    /// Puts the results in order; the first `count` will do.
    fn sort(&mut self, order: Order, count: usize) {
        // Those at one distance stay in the order in which they were found.
        let compare = |one: &Found, other: &Found| {
            let by_distance = one.distance_m.total_cmp(&other.distance_m);
            let by_distance = match order {
                Order::Nearest => by_distance,
                Order::Farthest => by_distance.reverse(),
            };
            by_distance.then_with(|| one.name_start.cmp(&other.name_start))
        };
        if count < self.found.len() {
            self.found.select_nth_unstable_by(count, compare);
            self.found.truncate(count);
        }
        self.found.sort_by(compare);
    }
}

/// Answers a search that stores nothing.
pub(super) fn read(
    cx: &ReadCx<'_>,
    args: Args<'_>,
    reply: &mut Writer<'_>,
    grammar: Grammar,
) -> Result {
    let set = cx.get::<SortedSet>(&cx.key(&args, 1))?;
    let query = Query::parse(&args, set, grammar)?;
    answer(set, &query, reply);
    Ok(())
}

/// Answers a search that may store its results. The sorted set is at word `source`.
pub(super) fn read_or_store(
    cx: &mut WriteCx<'_>,
    args: Args<'_>,
    reply: &mut Writer<'_>,
    grammar: Grammar,
    source: usize,
) -> Result {
    let set = cx.get::<SortedSet>(&cx.key(&args, source))?;
    let query = Query::parse(&args, set, grammar)?;
    let Some(destination) = query.destination else {
        answer(set, &query, reply);
        return Ok(());
    };
    let tuning = SortedSetTuning::new(cx.settings(), cx.hasher());
    let mut stored = SortedSet::default();
    if let (Some(set), Some(target)) = (set, query.target) {
        let results = search(set, &target, &query);
        for found in &results.found {
            let distance = found.distance_m / target.unit_m;
            let score = if destination.distances { distance } else { found.score };
            stored.insert(results.name(found), score, &tuning);
        }
    }
    reply.count(stored.len());
    store(cx, &args, destination, stored, grammar);
    Ok(())
}

fn store(
    cx: &mut WriteCx<'_>,
    args: &Args<'_>,
    destination: Destination,
    results: SortedSet,
    grammar: Grammar,
) {
    let key = cx.key(args, destination.word);
    if !results.is_empty() {
        let event =
            if grammar == Grammar::SearchStore { "geosearchstore" } else { "georadiusstore" };
        cx.put(&key, Value::SortedSet(Box::new(results)), Expiry::Clear);
        cx.changed(&key, EventClass::SortedSet, event);
    } else if cx.remove(&key) {
        cx.changed(&key, EventClass::Generic, "del");
    }
}

fn answer(set: Option<&SortedSet>, query: &Query, reply: &mut Writer<'_>) {
    let (Some(set), Some(target)) = (set, query.target) else { return reply.array(0) };
    let results = search(set, &target, query);
    let details =
        [query.with_distance, query.with_hash, query.with_point].into_iter().filter(|w| *w);
    let details = details.count();
    reply.array(results.found.len());
    for found in &results.found {
        if details > 0 {
            reply.array(1 + details);
        }
        reply.bulk(results.name(found));
        if query.with_distance {
            write_distance(reply, found.distance_m / target.unit_m);
        }
        if query.with_hash {
            reply.integer(found.score as i64);
        }
        if query.with_point {
            write_point(reply, Point::of_score(found.score));
        }
    }
}

/// The results that the query asks for, in its order.
fn search(set: &SortedSet, target: &Target, query: &Query) -> Results {
    let count = query.count.unwrap_or(usize::MAX);
    let mut results = collect(set, target, if query.any { count } else { usize::MAX });
    // Of a limited number, the nearest are meant, unless any will do.
    let nearest = (query.count.is_some() && !query.any).then_some(Order::Nearest);
    if let Some(order) = query.order.or(nearest) {
        results.sort(order, count);
    }
    results
}

/// All members within the shape, or the first `limit` of them.
fn collect(set: &SortedSet, target: &Target, limit: usize) -> Results {
    let mut results = Results::default();
    for (from, to) in cover(&target.shape, target.centre) {
        let end = set.partition_point(|_, score| score < to);
        let mut next = set.partition_point(|_, score| score < from);
        while next < end && results.found.len() < limit {
            let until = if limit == usize::MAX { end } else { end.min(next + CHUNK) };
            set.ascend(next, until, |member, score| {
                let distance_m =
                    target.shape.distance_within_m(target.centre, Point::of_score(score));
                if let Some(distance_m) = distance_m.filter(|_| results.found.len() < limit) {
                    results.push(member, score, distance_m);
                }
            });
            next = until;
        }
    }
    results
}
