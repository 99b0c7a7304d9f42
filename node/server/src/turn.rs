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
//! The places of all arguments are kept, so that applying the entry here does not parse it again.

use std::collections::VecDeque;
use std::rc::Rc;

use bytes::Bytes;
use quoris_engine::{Args, CommandError, Prepared};
use quoris_resp::{Limits, Parsed, RequestParser, Span, encode_command};

use crate::session::Session;

/// A batch that reaches this size is proposed although another is under way.
pub(crate) const LARGE: usize = 1 << 20;

/// No command joins a batch of this size: entries stay small enough for the bus, and places in
/// them for 32 bits. A single command may be larger.
const FULL: usize = 16 << 20;

/// A command of a batch.
pub(crate) struct Item {
    /// Its number in the registry.
    pub(crate) number: u16,
    /// The selected database.
    pub(crate) db: u16,
    /// It lies in the riders and only reads.
    pub(crate) is_rider: bool,
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
        if request.db != self.db {
            let number = request.db.to_string();
            encode_command(&mut self.payload, [b"SELECT" as &[u8], number.as_bytes()].into_iter());
            self.db = request.db;
        }
        let start = self.payload.len();
        self.add(session, request, start, false);
    }

    /// Adds a read that follows a write of its own connection.
    pub(crate) fn ride(&mut self, session: &Rc<Session>, request: &Request<'_>) {
        let start = self.riders.len();
        self.add(session, request, start, true);
    }

    fn add(&mut self, session: &Rc<Session>, request: &Request<'_>, start: usize, is_rider: bool) {
        let out = if is_rider { &mut self.riders } else { &mut self.payload };
        let first_span = self.spans.len();
        if let Some((bytes, spans)) = request.encoded {
            out.extend_from_slice(bytes);
            self.spans.extend_from_slice(spans);
        } else {
            encode_command(out, request.args.from(0));
            self.spans.extend(spans_of(&out[start..]));
        }
        self.items.push(Item {
            number: request.number,
            db: request.db,
            is_rider,
            prepared: request.prepared,
            start: start as u32,
            first_span: first_span as u32,
            span_count: (self.spans.len() - first_span) as u32,
        });
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

    /// The words of an item of a closed batch.
    #[inline]
    pub(crate) fn args<'a>(&'a self, item: &Item) -> Args<'a> {
        let bytes: &[u8] = if item.is_rider { &self.riders } else { &self.proposed };
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

/// Batches that have been proposed, in the order of their tags.
#[derive(Default)]
pub(crate) struct Pending {
    batches: VecDeque<(u64, Batch)>,
    next_tag: u64,
    spare: Vec<Batch>,
}

impl Pending {
    /// Keeps a proposed batch and returns its tag.
    pub(crate) fn push(&mut self, batch: Batch) -> u64 {
        self.next_tag += 1;
        self.batches.push_back((self.next_tag, batch));
        self.next_tag
    }

    /// The batch with this tag, which is no longer pending.
    pub(crate) fn take(&mut self, tag: u64) -> Option<Batch> {
        if self.batches.front().is_some_and(|(front, _)| *front == tag) {
            return self.batches.pop_front().map(|(_, batch)| batch);
        }
        let at = self.batches.binary_search_by_key(&tag, |(tag, _)| *tag).ok()?;
        self.batches.remove(at).map(|(_, batch)| batch)
    }

    /// How many batches are under way.
    pub(crate) fn len(&self) -> usize {
        self.batches.len()
    }

    /// An empty batch.
    pub(crate) fn fresh(&mut self) -> Batch {
        self.spare.pop().unwrap_or_default()
    }

    /// Keeps the memory of a batch that is over.
    pub(crate) fn reuse(&mut self, batch: Batch) {
        if self.spare.len() < 8 {
            self.spare.push(batch.recycle());
        }
    }
}

/// Why a batch was not applied under its tag.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// It never reached the log; this is what to tell the client.
    NotAppended(Option<(String, u16)>),
    /// Nobody knows.
    Unknown,
}

impl Failure {
    /// What a command of the batch is answered with.
    pub(crate) fn reply(&self, item: &Item, args: &Args<'_>, key: Option<usize>) -> CommandError {
        match self {
            Failure::Unknown if !item.is_rider => crate::replies::OUTCOME_UNKNOWN,
            // A rider did not run: it only reads, so that repeating it is safe.
            Failure::Unknown | Failure::NotAppended(None) => crate::replies::TRY_AGAIN,
            Failure::NotAppended(Some((host, port))) => {
                match key.and_then(|word| args.try_get(word)) {
                    Some(key) => {
                        let slot = quoris_engine::Slot::of_key(key).number();
                        crate::replies::moved(slot, host, *port)
                    }
                    None => crate::replies::TRY_AGAIN,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use quoris_engine::Slot;

    use super::*;
    use crate::replies;

    fn session(id: u64) -> Rc<Session> {
        let address = ([127, 0, 0, 1], 1).into();
        let (socket, _) = tokio::io::duplex(1);
        Rc::new(Session::new(id, Box::new(socket), address, address, 0))
    }

    fn join(batch: &mut Batch, session: &Rc<Session>, db: u16, line: &str, writes: bool) {
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

    fn mixed() -> Batch {
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

    #[test]
    fn a_failed_batch_never_claims_more_than_is_known() {
        let mut batch = mixed();
        batch.close();
        let (write, rider) = (&batch.items[0], &batch.items[1]);
        let reply = |failure: &Failure, item| failure.reply(item, &batch.args(item), Some(1));
        let moved = Failure::NotAppended(Some(("10.0.0.2".to_owned(), 7)));
        let slot = Slot::of_key(b"a").number();
        assert_eq!(reply(&Failure::Unknown, write), replies::OUTCOME_UNKNOWN);
        assert_eq!(reply(&Failure::Unknown, rider), replies::TRY_AGAIN);
        assert_eq!(reply(&Failure::NotAppended(None), write), replies::TRY_AGAIN);
        assert_eq!(reply(&moved, write), replies::moved(slot, "10.0.0.2", 7));
        assert_eq!(reply(&moved, rider), replies::moved(slot, "10.0.0.2", 7));
    }

    #[test]
    fn batches_are_found_by_tag_in_any_order() {
        let mut pending = Pending::default();
        let tags: Vec<_> = (0..4).map(|_| pending.push(Batch::default())).collect();
        assert!(pending.take(tags[2]).is_some());
        assert!(pending.take(tags[2]).is_none());
        assert!(pending.take(tags[0]).is_some());
        assert!(pending.take(tags[3]).is_some());
        assert_eq!(pending.len(), 1);
        assert!(pending.take(0).is_none());
    }
}
