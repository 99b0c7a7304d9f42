//! Runs what an entry holds on a replica that did not propose it.
//!
//! The commands are found a handful at a time, so that the memory of their keys can be fetched
//! while the first of them runs: a follower's keys are as cold as the leader's.

use alloc::vec::Vec;

use quoris_resp::{Limits, Parsed, Protocol, RequestParser, Span, Writer};

use crate::ahead::{AHEAD, Upcoming};
use crate::command::{Args, Command, Prepared};
use crate::engine::{Applying, Engine};
use crate::spec::{Begin, Spec};

impl Applying<'_> {
    /// Runs every command of a payload, as a follower does; replies are dropped. The payload is
    /// commands in RESP, beginning in database 0, with `SELECT` between them. `MULTI` and `EXEC`
    /// mark where a transaction begins and ends; since nothing comes between the commands of an
    /// entry, they have nothing to do.
    ///
    /// # Panics
    /// If the payload is not what a leader of a known version could have proposed: the node must
    /// stop before it diverges.
    pub fn run_payload(&mut self, payload: &[u8]) {
        let mut reader = Reader { payload, at: 0, db: 0, spans: Vec::new(), found: Vec::new() };
        let mut dropped = Vec::new();
        while reader.find(self.engine()) {
            reader.prefetch(self.engine());
            for found in &reader.found {
                dropped.clear();
                let mut reply = Writer::new(&mut dropped, Protocol::Resp2);
                // A command that fails here failed on the leader in the same way.
                let _ = self.run(found.db, found.command, reader.args(found), &mut reply);
            }
        }
    }
}

/// Where the commands of a payload are.
struct Reader<'p> {
    payload: &'p [u8],
    /// Where the next command begins.
    at: usize,
    /// The database that has been selected.
    db: u16,
    /// The words of the commands that were found.
    spans: Vec<Span>,
    found: Vec<Found>,
}

struct Found {
    command: &'static Command,
    db: u16,
    start: usize,
    spans: core::ops::Range<usize>,
    prepared: Option<Prepared>,
}

impl Reader<'_> {
    fn args(&self, found: &Found) -> Args<'_> {
        let spans = &self.spans[found.spans.clone()];
        Args::new(&self.payload[found.start..], spans).prepared(found.prepared)
    }

    /// Finds the next few commands; false if there are none.
    fn find(&mut self, engine: &Engine) -> bool {
        let mut parser = RequestParser::default();
        let limits = Limits { bulk_bytes_max: u32::MAX, ..Limits::default() };
        let (mut spans, mut words) = (Vec::new(), Vec::new());
        self.spans.clear();
        self.found.clear();
        while self.at < self.payload.len() && self.found.len() < AHEAD {
            let start = self.at;
            let rest = &self.payload[start..];
            let parsed = parser.next(rest, &limits, &mut spans, &mut words);
            let Ok(Parsed::Command { consumed }) = parsed else {
                panic!("an entry holds whole commands, not {parsed:?}");
            };
            self.at += consumed;
            let args = Args::new(rest, &spans);
            if args[0].eq_ignore_ascii_case(b"select") {
                let number = quoris_resp::parse_i64(&args[1]).expect("a leader selects by number");
                self.db = number as u16;
            } else if !is_bracket(&args[0]) {
                let command = engine.resolve(&args).expect("a leader proposes known commands");
                let key = first_key(&command.spec).and_then(|at| Some((at, args.try_get(at)?)));
                let first = self.spans.len();
                self.spans.extend_from_slice(&spans);
                self.found.push(Found {
                    command,
                    db: self.db,
                    start,
                    spans: first..self.spans.len(),
                    prepared: key.map(|(word, key)| engine.prepare(word, key)),
                });
            }
        }
        !self.found.is_empty()
    }

    /// Asks for the memory that the commands will touch.
    fn prefetch(&self, engine: &Engine) {
        if self.found.len() < 2 {
            return;
        }
        let mut upcoming = [None; AHEAD];
        for (found, upcoming) in self.found.iter().zip(&mut upcoming) {
            *upcoming = Upcoming::new(found.db, found.command.spec.group, &self.args(found));
        }
        engine.prefetch(&upcoming);
    }
}

/// The word of a command's first key, where that does not take a search.
fn first_key(spec: &Spec) -> Option<usize> {
    match spec.key_specs.first()?.as_ref()?.begin {
        Begin::Index(at) => Some(at),
        _ => None,
    }
}

/// Whether a word of a payload says where a transaction begins or ends.
fn is_bracket(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"multi") || name.eq_ignore_ascii_case(b"exec")
}
