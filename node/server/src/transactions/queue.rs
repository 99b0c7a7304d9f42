//! What a session has said since `MULTI`.

use quoris_engine::{Args, Prepared, Slot};
use quoris_resp::{Span, encode_command};

use crate::turn::{Kind, Request, spans_of};

/// The commands between `MULTI` and `EXEC`.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact about the commands")]
pub(crate) struct Transaction {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    queued: Vec<Queued>,
    /// What the commands that follow have selected, if one of the queued ones selects anything.
    pub(crate) selects: Option<u16>,
    is_doomed: bool,
    writes: bool,
    reads: bool,
    asks_node: bool,
    slot: Option<Slot>,
    has_slots: bool,
}

/// One of them.
struct Queued {
    number: u16,
    db: u16,
    kind: Kind,
    prepared: Option<Prepared>,
    start: usize,
    first_span: usize,
}

impl Transaction {
    /// Adds a command, whose first key is in `slot`.
    pub(crate) fn push(&mut self, request: &Request<'_>, kind: Kind, slot: Option<Slot>) {
        let (start, first_span) = (self.bytes.len(), self.spans.len());
        if let Some((bytes, spans)) = request.encoded {
            self.bytes.extend_from_slice(bytes);
            self.spans.extend_from_slice(spans);
        } else {
            encode_command(&mut self.bytes, request.args.from(0));
            self.spans.extend(spans_of(&self.bytes[start..]));
        }
        let Request { number, db, prepared, .. } = *request;
        self.queued.push(Queued { number, db, kind, prepared, start, first_span });
        self.writes |= kind == Kind::Write;
        self.reads |= kind == Kind::Read;
        self.asks_node |= kind == Kind::Node;
        let other = |slot: Slot| self.slot.is_some_and(|first| first != slot);
        self.has_slots |= slot.is_some_and(other);
        self.slot = self.slot.or(slot);
    }

    /// A command was refused: `EXEC` will fail.
    pub(crate) fn doom(&mut self) {
        self.is_doomed = true;
    }

    /// Whether a command was refused.
    pub(crate) fn is_doomed(&self) -> bool {
        self.is_doomed
    }

    /// Whether a command writes.
    pub(crate) fn writes(&self) -> bool {
        self.writes
    }

    /// Whether a command reads or writes.
    pub(crate) fn needs_data(&self) -> bool {
        self.writes || self.reads
    }

    /// Whether the node runs a command itself, which may change what the session is to others.
    pub(crate) fn asks_node(&self) -> bool {
        self.asks_node
    }

    /// The slot of the first key.
    pub(crate) fn slot(&self) -> Option<Slot> {
        self.slot
    }

    /// Whether there are keys of different slots.
    pub(crate) fn has_slots(&self) -> bool {
        self.has_slots
    }

    /// How many commands there are.
    pub(crate) fn len(&self) -> usize {
        self.queued.len()
    }

    /// Bytes that it occupies.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
            + self.spans.len() * size_of::<Span>()
            + self.queued.len() * size_of::<Queued>()
    }

    /// The commands in the order in which they were queued.
    pub(crate) fn requests(&self) -> impl Iterator<Item = (Kind, Request<'_>)> {
        self.queued.iter().enumerate().map(|(at, queued)| {
            let next = self.queued.get(at + 1);
            let end = next.map_or(self.bytes.len(), |next| next.start);
            let last_span = next.map_or(self.spans.len(), |next| next.first_span);
            let bytes = &self.bytes[queued.start..end];
            let spans = &self.spans[queued.first_span..last_span];
            let request = Request {
                args: Args::new(bytes, spans).prepared(queued.prepared),
                encoded: Some((bytes, spans)),
                number: queued.number,
                db: queued.db,
                prepared: queued.prepared,
            };
            (queued.kind, request)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(transaction: &mut Transaction, line: &str, kind: Kind, slot: u16) {
        let (mut spans, mut words) = (Vec::new(), Vec::new());
        quoris_resp::split_words(line.as_bytes(), &mut spans, &mut words).expect("words");
        let args = Args::new(&words, &spans);
        let request = Request { args, encoded: None, number: 0, db: 0, prepared: None };
        transaction.push(&request, kind, Slot::new(slot));
    }

    #[test]
    fn commands_come_out_as_they_went_in() {
        let mut transaction = Transaction::default();
        push(&mut transaction, "SET a 1", Kind::Write, 5);
        push(&mut transaction, "GET a", Kind::Read, 5);
        assert!(transaction.writes() && !transaction.has_slots());
        push(&mut transaction, "GET other", Kind::Read, 6);
        assert!(transaction.has_slots());
        assert_eq!(transaction.slot(), Slot::new(5));
        let line = |(_, request): (Kind, Request<'_>)| {
            let words: Vec<_> = request.args.from(0).map(String::from_utf8_lossy).collect();
            words.join(" ")
        };
        let lines: Vec<_> = transaction.requests().map(line).collect();
        assert_eq!(lines, ["SET a 1", "GET a", "GET other"]);
    }
}
