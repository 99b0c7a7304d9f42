//! Finds commands in what a client sent, a handful at a time, so that the memory of their keys can
//! be fetched while the first of them runs.

use quoris_engine::{AHEAD, Args, Engine, Prepared, Upcoming};
use quoris_resp::{Limits, Parsed, ProtocolError, Span};

use crate::registry::Registry;
use crate::session::Input;

/// A command that has been found and has not run.
#[derive(Default)]
pub(crate) struct Found {
    spans: Vec<Span>,
    /// The words of an inline request, whose quotes have been resolved.
    words: Vec<u8>,
    is_inline: bool,
    /// Where in the input it begins and ends.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Its number in the registry; none if it is unknown or has a wrong number of words.
    pub(super) number: Option<u16>,
    pub(super) prepared: Option<Prepared>,
}

impl Found {
    /// Its words.
    #[inline]
    pub(super) fn args<'a>(&'a self, input: &'a [u8]) -> Args<'a> {
        let bytes = if self.is_inline { &self.words } else { &input[self.start..self.end] };
        Args::new(bytes, &self.spans).prepared(self.prepared)
    }

    /// The request as it came, unless it was typed inline.
    #[inline]
    pub(super) fn encoded<'a>(&'a self, input: &'a [u8]) -> Option<(&'a [u8], &'a [Span])> {
        (!self.is_inline).then(|| (&input[self.start..self.end], &self.spans[..]))
    }
}

/// What follows the commands of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// Perhaps more commands.
    More,
    /// The beginning of a command, or nothing.
    Incomplete,
    /// Something that breaks the protocol.
    Broken(ProtocolError),
}

/// Commands that are looked at together. One serves all connections of a node.
#[derive(Default)]
pub(crate) struct Chunk {
    places: [Found; AHEAD],
    len: usize,
    /// Where in the input the tail begins.
    pub(super) end: usize,
}

impl Chunk {
    /// The commands that were found.
    pub(super) fn found(&self) -> &[Found] {
        &self.places[..self.len]
    }

    /// Looks for up to `most` commands from `from` on.
    pub(super) fn parse(
        &mut self,
        state: &mut Input,
        limits: &Limits,
        registry: &Registry,
        (bytes, from): (&[u8], usize),
        most: usize,
    ) -> Tail {
        self.len = 0;
        self.end = from;
        while self.len < most {
            let place = &mut self.places[self.len];
            let begun = state.parser.is_inside_request();
            if begun {
                std::mem::swap(&mut place.spans, &mut state.spans);
            }
            let rest = &bytes[self.end..];
            let parsed = state.parser.next(rest, limits, &mut place.spans, &mut place.words);
            let (consumed, is_inline) = match parsed {
                Ok(Parsed::Command { consumed }) => (consumed, false),
                Ok(Parsed::Inline { consumed }) => (consumed, true),
                Ok(Parsed::Nothing { consumed }) => {
                    self.end += consumed;
                    continue;
                }
                Ok(Parsed::Incomplete) => {
                    if state.parser.is_inside_request() {
                        std::mem::swap(&mut place.spans, &mut state.spans);
                    }
                    return Tail::Incomplete;
                }
                Err(error) => return Tail::Broken(error),
            };
            place.is_inline = is_inline;
            place.start = self.end;
            self.end += consumed;
            place.end = self.end;
            place.prepared = None;
            place.number = registry.find(&place.args(bytes)).map(|entry| entry.number);
            self.len += 1;
        }
        Tail::More
    }

    /// Computes slot and hash of the first key of every command, and asks for the memory that
    /// reads will need; for writes, that happens when they are applied.
    pub(super) fn prepare(&mut self, engine: &Engine, registry: &Registry, input: &[u8], db: u16) {
        let is_pipeline = self.len > 1;
        let (mut upcoming, mut reads) = ([None; AHEAD], 0);
        for found in &mut self.places[..self.len] {
            let Some(number) = found.number else { continue };
            let entry = registry.entry(number);
            let Some(word) = entry.keys.first() else { continue };
            let Some(key) = found.args(input).try_get(word) else { continue };
            found.prepared = Some(engine.prepare(word, key));
            if is_pipeline && !entry.command.writes() {
                let group = entry.command.spec.group;
                upcoming[reads] = Upcoming::new(db, group, &found.args(input));
                reads += 1;
            }
        }
        if reads > 0 {
            engine.prefetch(&upcoming[..reads]);
        }
    }
}
