//! What a search asks for.
//!
//! All search commands have one parser, because they have one grammar with different beginnings.
//! What is wrong is reported in Redis's order: a member is looked up when it is read, and where
//! the sorted set is missing, the options are still read to the end.

use alloc::format;
use alloc::string::String;

use super::arguments;
use super::position::point_of;
use crate::command::Args;
use crate::commands::options;
use crate::error::{CommandError, Result, SYNTAX};
use crate::types::SortedSet;
use crate::types::geohash::{Point, Shape};

const NO_MEMBER: CommandError = CommandError::fixed("ERR could not decode requested zset member");
const COUNT: CommandError = CommandError::fixed("ERR COUNT must be > 0");
const ANY_NEEDS_COUNT: CommandError =
    CommandError::fixed("ERR the ANY argument requires COUNT argument");

/// How a command names the place to search around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grammar {
    /// `key longitude latitude radius unit`.
    RadiusOfPoint { stores: bool },
    /// `key member radius unit`.
    RadiusOfMember { stores: bool },
    /// `key`, and options for everything.
    Search,
    /// The same behind `destination`.
    SearchStore,
}

/// In which order results are returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Nearest,
    Farthest,
}

/// Where results go instead of to the client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Destination {
    /// The word that is the key.
    pub word: usize,
    /// Whether distances become the scores.
    pub distances: bool,
}

/// What to search, and around which place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub centre: Point,
    pub shape: Shape,
    /// Metres of the unit that distances are returned in.
    pub unit_m: f64,
}

/// What a search asks for.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of the command")]
pub(super) struct Query {
    /// `None` only where there is no sorted set to search.
    pub target: Option<Target>,
    pub order: Option<Order>,
    /// At least 1.
    pub count: Option<usize>,
    /// Whether any `count` results will do.
    pub any: bool,
    pub with_distance: bool,
    pub with_hash: bool,
    pub with_point: bool,
    pub destination: Option<Destination>,
}

/// What the words before the current one have said.
struct Parser<'p, 'a> {
    args: &'p Args<'a>,
    /// The sorted set to search.
    set: Option<&'p SortedSet>,
    grammar: Grammar,
    query: Query,
    centre: Centre,
    shape: Option<(Shape, f64)>,
    /// `STOREDIST`, which has no key where the destination has a place of its own.
    store_distances: bool,
}

#[derive(Clone, Copy, Debug)]
enum Centre {
    Unsaid,
    /// `None` if there is no sorted set to look into.
    Member(Option<Point>),
    Point(Point),
}

impl Query {
    /// Reads a request.
    ///
    /// # Errors
    /// All that can be wrong with it.
    pub fn parse(args: &Args<'_>, set: Option<&SortedSet>, grammar: Grammar) -> Result<Query> {
        let mut parser = Parser {
            args,
            set,
            grammar,
            query: Query::default(),
            centre: Centre::Unsaid,
            shape: None,
            store_distances: false,
        };
        let mut at = parser.beginning()?;
        while let Some(word) = args.try_get(at) {
            at += 1 + parser.option(word, at + 1)?;
        }
        parser.finish()
    }
}

impl Parser<'_, '_> {
    /// Reads what stands at fixed places; returns where the options begin.
    fn beginning(&mut self) -> Result<usize> {
        match self.grammar {
            Grammar::RadiusOfPoint { .. } => {
                self.centre = Centre::Point(arguments::point(self.args, 2)?);
                self.shape = Some(arguments::circle(self.args, 4)?);
                Ok(6)
            }
            Grammar::RadiusOfMember { .. } => {
                if self.set.is_some() {
                    self.centre = Centre::Member(self.member(2)?);
                    self.shape = Some(arguments::circle(self.args, 3)?);
                }
                Ok(5)
            }
            Grammar::Search => Ok(2),
            Grammar::SearchStore => Ok(3),
        }
    }

    /// Reads an option, the arguments of which begin at word `at`; returns how many it has.
    fn option(&mut self, word: &[u8], at: usize) -> Result<usize> {
        let left = self.args.len() - at;
        let query = &mut self.query;
        match () {
            () if options::is(word, "withdist") => query.with_distance = true,
            () if options::is(word, "withhash") => query.with_hash = true,
            () if options::is(word, "withcoord") => query.with_point = true,
            () if options::is(word, "any") => query.any = true,
            () if options::is(word, "asc") => query.order = Some(Order::Nearest),
            () if options::is(word, "desc") => query.order = Some(Order::Farthest),
            () if options::is(word, "count") && left >= 1 => {
                let count = options::integer(self.args.get(at))?;
                query.count = Some(usize::try_from(count).ok().filter(|n| *n > 0).ok_or(COUNT)?);
                return Ok(1);
            }
            () => {
                return match self.grammar {
                    Grammar::Search | Grammar::SearchStore => self.search_option(word, at),
                    Grammar::RadiusOfPoint { stores } | Grammar::RadiusOfMember { stores } => {
                        self.store_option(word, at, stores)
                    }
                };
            }
        }
        Ok(0)
    }

    fn store_option(&mut self, word: &[u8], at: usize, stores: bool) -> Result<usize> {
        let distances = options::is(word, "storedist");
        if stores && (distances || options::is(word, "store")) && at < self.args.len() {
            self.query.destination = Some(Destination { word: at, distances });
            return Ok(1);
        }
        Err(SYNTAX)
    }

    fn search_option(&mut self, word: &[u8], at: usize) -> Result<usize> {
        let left = self.args.len() - at;
        let is_circle = matches!(self.shape, Some((Shape::Circle { .. }, _)));
        let is_rectangle = matches!(self.shape, Some((Shape::Rectangle { .. }, _)));
        match (word, self.centre) {
            (_, Centre::Unsaid | Centre::Member(_))
                if options::is(word, "frommember") && left >= 1 =>
            {
                self.centre = Centre::Member(self.member(at)?);
                Ok(1)
            }
            (_, Centre::Unsaid | Centre::Point(_))
                if options::is(word, "fromlonlat") && left >= 2 =>
            {
                self.centre = Centre::Point(arguments::point(self.args, at)?);
                Ok(2)
            }
            _ if options::is(word, "byradius") && left >= 2 && !is_rectangle => {
                self.shape = Some(arguments::circle(self.args, at)?);
                Ok(2)
            }
            _ if options::is(word, "bybox") && left >= 3 && !is_circle => {
                self.shape = Some(arguments::rectangle(self.args, at)?);
                Ok(3)
            }
            _ if options::is(word, "storedist") && self.grammar == Grammar::SearchStore => {
                self.store_distances = true;
                Ok(0)
            }
            _ => Err(SYNTAX),
        }
    }

    fn member(&self, word: usize) -> Result<Option<Point>> {
        let Some(set) = self.set else { return Ok(None) };
        point_of(set, self.args.get(word)).map(Some).ok_or(NO_MEMBER)
    }

    /// Checks what options mean for each other.
    fn finish(mut self) -> Result<Query> {
        if self.grammar == Grammar::SearchStore {
            let distances = self.store_distances;
            self.query.destination = Some(Destination { word: 1, distances });
        }
        let query = self.query;
        let details = query.with_distance || query.with_hash || query.with_point;
        if query.destination.is_some() && details {
            return Err(self.no_details());
        }
        if matches!(self.grammar, Grammar::Search | Grammar::SearchStore) {
            if matches!(self.centre, Centre::Unsaid) {
                return Err(self.exactly_one("FROMMEMBER or FROMLONLAT"));
            }
            if self.shape.is_none() {
                return Err(self.exactly_one("BYRADIUS and BYBOX"));
            }
        }
        if query.any && query.count.is_none() {
            return Err(ANY_NEEDS_COUNT);
        }
        let centre = match self.centre {
            Centre::Unsaid => None,
            Centre::Member(point) => point,
            Centre::Point(point) => Some(point),
        };
        let target = centre.zip(self.shape).map(|(centre, (shape, unit_m))| Target {
            centre,
            shape,
            unit_m,
        });
        Ok(Query { target, ..query })
    }

    fn no_details(&self) -> CommandError {
        let who = match self.grammar {
            Grammar::SearchStore => "GEOSEARCHSTORE",
            _ => "STORE option in GEORADIUS",
        };
        CommandError::text(format!(
            "ERR {who} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
        ))
    }

    /// Names the command as the client spelt it.
    fn exactly_one(&self, what: &str) -> CommandError {
        let name = String::from_utf8_lossy(self.args.get(0));
        CommandError::text(format!("ERR exactly one of {what} can be specified for {name}"))
    }
}
