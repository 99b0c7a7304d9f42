//! Searching, and what becomes of the results.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;

use quoris_resp::Writer;

use super::query::{Destination, Grammar, Order, Query, Target};
use super::{write_distance, write_point};
use crate::command::Args;
use crate::context::{Expiry, ReadCx, WriteCx};
use crate::effects::EventClass;
use crate::error::Result;
use crate::keyspace::Value;
use crate::types::geohash::{Point, Reach, Shape, cover};
use crate::types::{Ranked, SortedSet, SortedSetTuning};

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
        let compare = Self::compare(order);
        self.keep_first(order, count);
        self.found.sort_by(compare);
    }

    /// Keeps those that come first in an order.
    fn keep_first(&mut self, order: Order, count: usize) {
        if count < self.found.len() {
            self.found.select_nth_unstable_by(count, Self::compare(order));
            self.found.truncate(count);
        }
    }

    fn compare(order: Order) -> impl Fn(&Found, &Found) -> Ordering {
        // Those at one distance stay in the order in which they were found.
        move |one, other| {
            let by_distance = one.distance_m.total_cmp(&other.distance_m);
            let by_distance = match order {
                Order::Nearest => by_distance,
                Order::Farthest => by_distance.reverse(),
            };
            by_distance.then_with(|| one.name_start.cmp(&other.name_start))
        }
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
    // Of a limited number, the nearest are meant, unless any will do.
    let nearest = (query.count.is_some() && !query.any).then_some(Order::Nearest);
    let order = query.order.or(nearest);
    let enough = match order {
        _ if query.any => Enough::First(count),
        Some(Order::Nearest) => Enough::Nearest(count),
        _ => Enough::All,
    };
    let mut results = Collector::new(target, enough).collect(set);
    if let Some(order) = order {
        results.sort(order, count);
    }
    results
}

/// Which of the members within the shape are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Enough {
    All,
    /// So many, whichever are found first.
    First(usize),
    /// The nearest so many. A few more are no harm.
    Nearest(usize),
}

/// Looks for the members within a shape.
struct Collector<'t> {
    target: &'t Target,
    enough: Enough,
    /// Excludes what is not in the shape, or not among the nearest that are needed.
    reach: Reach,
    results: Results,
}

impl<'t> Collector<'t> {
    fn new(target: &'t Target, enough: Enough) -> Self {
        let reach = match target.shape {
            Shape::Circle { radius_m } => Reach::of(target.centre, radius_m),
            Shape::Rectangle { .. } => Reach::boundless(target.centre),
        };
        Collector { target, enough, reach, results: Results::default() }
    }

    fn collect(mut self, set: &SortedSet) -> Results {
        // The first span is that of the cell around the centre, where the nearest are.
        for span in cover(&self.target.shape, self.target.centre) {
            if self.reach.excludes_all(&span) {
                continue;
            }
            let first = set.partition_point(|_, score| score < span.from);
            let mut elements = set.ranked(first, set.len());
            while !self.is_done()
                && let Some(element) = elements.next().filter(|element| element.score < span.to)
            {
                self.look_at(&element);
            }
        }
        self.results
    }

    fn is_done(&self) -> bool {
        matches!(self.enough, Enough::First(count) if self.results.found.len() >= count)
    }

    fn look_at(&mut self, element: &Ranked<'_>) {
        let Target { centre, shape, .. } = *self.target;
        let place = Point::of_score(element.score);
        if self.reach.excludes(place) {
            return;
        }
        let Some(distance_m) = shape.distance_within_m(centre, place) else { return };
        self.results.push(element.member(), element.score, distance_m);
        if let Enough::Nearest(count) = self.enough
            && self.results.found.len() >= count.saturating_mul(2).max(16)
        {
            self.narrow(count);
        }
    }

    /// Forgets all but the nearest `count`, and looks no farther than these are.
    fn narrow(&mut self, count: usize) {
        self.results.keep_first(Order::Nearest, count);
        let distances = self.results.found.iter().map(|found| found.distance_m);
        let farthest_m = distances.fold(0.0, f64::max);
        self.reach = Reach::of(self.target.centre, farthest_m);
    }
}
