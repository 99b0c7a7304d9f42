//! The writes of all connections of one turn of the loop, which become one entry of the log.
//!
//! ```text
//! payload   SET a 1 | INCR b | SELECT 3 | SET c 2          what goes into the log
//! riders    GET a                                          reads that follow a write of their
//!                                                          own connection; not replicated
//! items     SET a 1   GET a   INCR b   SET c 2             in the order in which they run
//! shares    └ session 7 ────┘ └ session 9 ───┘             whose replies they are
//! ```
//!
//! A transaction joins as a whole: an item for EXEC, and behind it the items that it counts. In
//! the payload its writes stand between `MULTI` and `EXEC`, for whoever reads the log.
//!
//! The places of all arguments are kept, so that applying the entry here does not parse it again.

mod pending;

use std::rc::Rc;

use bytes::Bytes;
use quoris_engine::{Args, Prepared};
use quoris_resp::{Limits, Parsed, RequestParser, Span, Writer, encode_command};

pub(crate) use self::pending::{Failure, Pending};
use crate::session::Session;
use crate::transactions::Transaction;

/// A batch that reaches this size is proposed although another is under way.
pub(crate) const LARGE: usize = 1 << 20;

/// No command joins a batch of this size: entries stay small enough for the bus, and places in
/// them for 32 bits. A single command may be larger.
const FULL: usize = 16 << 20;

/// What an item of a batch is, and where its bytes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A command that writes; in the payload.
    Write,
    /// The same, for a client that waits; see [`crate::blocking`].
    Attempt,
    /// A command that only reads; in the riders.
    Read,
    /// The same, for a client that waits.
    Look,
    /// A command that the node runs itself; in the riders. Only inside a transaction.
    Node,
    /// A reply that has been decided already, and waits for those before it; in the riders.
    Said,
    /// EXEC: the head of the reply to so many items that follow. Has no bytes.
    Exec(u32),
}

impl Kind {
    /// Whether it is in the payload.
    #[inline]
    pub(crate) fn is_logged(self) -> bool {
        matches!(self, Kind::Write | Kind::Attempt)
    }
}

/// A command of a batch.
pub(crate) struct Item {
    /// Its number in the registry.
    pub(crate) number: u16,
    /// The selected database.
    pub(crate) db: u16,
    pub(crate) kind: Kind,
    pub(crate) prepared: Option<Prepared>,
    start: u32,
    first_span: u32,
    span_count: u32,
}

/// The items of one connection.
pub(crate) struct Share {
    pub(crate) session: Rc<Session>,
    /// Behind its last item.
    pub(crate) end: u32,
}

/// A request on its way into a batch.
pub(crate) struct Request<'a> {
    /// The words.
    pub(crate) args: Args<'a>,
    /// The request as it was received; `None` if it was typed inline.
    pub(crate) encoded: Option<(&'a [u8], &'a [Span])>,
    pub(crate) number: u16,
    pub(crate) db: u16,
    pub(crate) prepared: Option<Prepared>,
}

/// Writes that are proposed together, and the reads between them.
#[derive(Default)]
pub(crate) struct Batch {
    payload: Vec<u8>,
    riders: Vec<u8>,
    spans: Vec<Span>,
    pub(crate) items: Vec<Item>,
    pub(crate) shares: Vec<Share>,
    /// The payload once it has been proposed.
    proposed: Bytes,
    /// The database that the payload has selected so far.
    db: u16,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether it has no room for another command.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.payload.len() + self.riders.len() > FULL
    }

    pub(crate) fn payload_bytes(&self) -> usize {
        self.payload.len()
    }

    /// Adds a command that writes.
    pub(crate) fn write(&mut self, session: &Rc<Session>, request: &Request<'_>) {
        self.add(request, Kind::Write);
        self.share(session);
    }

    /// Adds an attempt to serve a session that waits.
    pub(crate) fn attempt(&mut self, session: &Rc<Session>, request: &Request<'_>) {
        self.add(request, Kind::Attempt);
        self.share(session);
    }

    /// Adds a read for a session that waits, behind what may serve it.
    pub(crate) fn look(&mut self, session: &Rc<Session>, request: &Request<'_>) {
        self.add(request, Kind::Look);
        self.share(session);
    }

    /// Adds a read that follows a write of its own connection.
    pub(crate) fn ride(&mut self, session: &Rc<Session>, request: &Request<'_>) {
        self.add(request, Kind::Read);
        self.share(session);
    }

    /// Adds a reply that follows a write of its own connection. It goes out whatever becomes of
    /// the batch.
    pub(crate) fn say(&mut self, session: &Rc<Session>, write: impl FnOnce(&mut Writer<'_>)) {
        let start = self.riders.len();
        write(&mut Writer::new(&mut self.riders, session.protocol.get()));
        let len = (self.riders.len() - start) as u32;
        self.spans.push(Span { start: 0, len });
        self.push(Kind::Said, (0, 0), None, (start, self.spans.len() - 1));
        self.share(session);
    }

    /// Adds a whole transaction. `exec` is the number of EXEC in the registry.
    pub(crate) fn exec(&mut self, session: &Rc<Session>, transaction: &Transaction, exec: u16) {
        let first_span = self.spans.len();
        let head = (exec, session.db.get());
        self.push(Kind::Exec(transaction.len() as u32), head, None, (0, first_span));
        if transaction.writes() {
            encode_command(&mut self.payload, std::iter::once(&b"MULTI"[..]));
        }
        for (kind, request) in transaction.requests() {
            self.add(&request, kind);
        }
        if transaction.writes() {
            encode_command(&mut self.payload, std::iter::once(&b"EXEC"[..]));
        }
        self.share(session);
    }

    fn add(&mut self, request: &Request<'_>, kind: Kind) {
        if kind.is_logged() && request.db != self.db {
            let number = request.db.to_string();
            encode_command(&mut self.payload, [b"SELECT" as &[u8], number.as_bytes()].into_iter());
            self.db = request.db;
        }
        let out = if kind.is_logged() { &mut self.payload } else { &mut self.riders };
        let (start, first_span) = (out.len(), self.spans.len());
        if let Some((bytes, spans)) = request.encoded {
            out.extend_from_slice(bytes);
            self.spans.extend_from_slice(spans);
        } else {
            encode_command(out, request.args.from(0));
            self.spans.extend(spans_of(&out[start..]));
        }
        let head = (request.number, request.db);
        self.push(kind, head, request.prepared, (start, first_span));
    }

    fn push(
        &mut self,
        kind: Kind,
        (number, db): (u16, u16),
        prepared: Option<Prepared>,
        (start, first_span): (usize, usize),
    ) {
        self.items.push(Item {
            number,
            db,
            kind,
            prepared,
            start: start as u32,
            first_span: first_span as u32,
            span_count: (self.spans.len() - first_span) as u32,
        });
    }

    /// What has been added belongs to a session.
    fn share(&mut self, session: &Rc<Session>) {
        let end = self.items.len() as u32;
        match self.shares.last_mut() {
            Some(share) if share.session.id == session.id => share.end = end,
            _ => self.shares.push(Share { session: Rc::clone(session), end }),
        }
    }

    /// Closes the batch and returns its payload, to be proposed.
    pub(crate) fn close(&mut self) -> Bytes {
        self.proposed = Bytes::from(std::mem::take(&mut self.payload));
        self.proposed.clone()
    }

    /// The words of an item. Of what has been said already, there is one: the reply.
    #[inline]
    pub(crate) fn args<'a>(&'a self, item: &Item) -> Args<'a> {
        let bytes: &[u8] = match item.kind {
            Kind::Write | Kind::Attempt if self.payload.is_empty() => &self.proposed,
            Kind::Write | Kind::Attempt => &self.payload,
            _ => &self.riders,
        };
        let spans = &self.spans[item.first_span as usize..][..item.span_count as usize];
        Args::new(&bytes[item.start as usize..], spans).prepared(item.prepared)
    }

    /// Empties the batch, keeping its memory unless that has become large.
    pub(crate) fn recycle(mut self) -> Batch {
        if self.spans.capacity() > LARGE / size_of::<Span>() || self.riders.capacity() > LARGE {
            return Batch::default();
        }
        self.riders.clear();
        self.spans.clear();
        self.items.clear();
        self.shares.clear();
        self.proposed = Bytes::new();
        self.db = 0;
        self
    }
}

/// The places of the arguments of an encoded command.
pub(crate) fn spans_of(encoded: &[u8]) -> Vec<Span> {
    let (mut spans, mut words) = (Vec::new(), Vec::new());
    let limits = Limits { bulk_bytes_max: u32::MAX, ..Limits::default() };
    let parsed = RequestParser::default().next(encoded, &limits, &mut spans, &mut words);
    assert!(matches!(parsed, Ok(Parsed::Command { .. })), "what was encoded can be parsed");
    spans
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(super) fn session(id: u64) -> Rc<Session> {
        let address = ([127, 0, 0, 1], 1).into();
        let (socket, _) = tokio::io::duplex(1);
        Rc::new(Session::new(id, Box::new(socket), address, address, 0))
    }

    pub(super) fn join(
        batch: &mut Batch,
        session: &Rc<Session>,
        db: u16,
        line: &str,
        writes: bool,
    ) {
        let (mut spans, mut words) = (Vec::new(), Vec::new());
        quoris_resp::split_words(line.as_bytes(), &mut spans, &mut words).expect("words");
        let args = Args::new(&words, &spans);
        let request = Request { args, encoded: None, number: 0, db, prepared: None };
        if writes {
            batch.write(session, &request);
        } else {
            batch.ride(session, &request);
        }
    }

    pub(super) fn mixed() -> Batch {
        let (one, other) = (session(1), session(2));
        let mut batch = Batch::default();
        join(&mut batch, &one, 0, "SET a 1", true);
        join(&mut batch, &one, 0, "GET a", false);
        join(&mut batch, &other, 3, "INCR b", true);
        join(&mut batch, &other, 0, "INCR c", true);
        batch
    }

    #[test]
    fn the_payload_selects_databases_and_leaves_riders_out() {
        let mut batch = mixed();
        let payload = batch.close();
        let expected = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n\
             *2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*2\r\n$4\r\nINCR\r\n$1\r\nb\r\n\
             *2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*2\r\n$4\r\nINCR\r\n$1\r\nc\r\n";
        assert_eq!(String::from_utf8_lossy(&payload), expected);
    }

    #[test]
    fn items_keep_their_words_and_their_sessions() {
        let mut batch = mixed();
        batch.close();
        let line = |item| {
            let words: Vec<_> = batch.args(item).from(0).map(String::from_utf8_lossy).collect();
            words.join(" ")
        };
        let lines: Vec<_> = batch.items.iter().map(line).collect();
        assert_eq!(lines, ["SET a 1", "GET a", "INCR b", "INCR c"]);
        let shares: Vec<_> =
            batch.shares.iter().map(|share| (share.session.id, share.end)).collect();
        assert_eq!(shares, [(1, 2), (2, 4)]);
    }
}
