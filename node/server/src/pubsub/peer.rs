//! Another node as a place to send messages to: what it wants, and what waits to be sent.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::task::{Context, Poll, Waker};

use quoris_consensus::RaftId;
use quoris_proto::messages as wire;
use quoris_proto::messages::change::Kind as WireKind;

use super::{Kind, fits};

/// Bytes that wait for a node at most; the oldest messages make room for new ones.
const QUEUE_BYTES_MAX: usize = 32 << 20;
/// Bytes after which a parcel is closed.
const PARCEL_BYTES: usize = 64 << 10;
/// What a message costs beside its own bytes.
const OVERHEAD: usize = 128;

/// Another node.
pub(super) struct Peer {
    pub(super) id: RaftId,
    /// It is in this node's shard.
    pub(super) is_sibling: Cell<bool>,
    wants: RefCell<Wants>,
    queue: RefCell<Queue>,
}

/// What a node wants to be sent.
#[derive(Default)]
struct Wants {
    /// Everything else can be left out.
    is_complete: bool,
    /// Copied out of the messages that they came in, which would not be freed otherwise.
    names: [BTreeSet<Box<[u8]>>; 3],
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<wire::Publication>,
    bytes: usize,
    /// The last change that was taken in, to be confirmed.
    heard: Option<u64>,
    /// Which stream may take from the queue.
    stream: u64,
    dropped: u64,
    waker: Option<Waker>,
}

impl Queue {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn take_first(&mut self) -> Option<wire::Publication> {
        let first = self.waiting.pop_front()?;
        self.bytes -= cost(&first);
        Some(first)
    }
}

fn cost(publication: &wire::Publication) -> usize {
    publication.channel.len() + publication.payload.len() + OVERHEAD
}

impl Peer {
    pub(super) fn new(id: RaftId) -> Self {
        let (wants, queue) = (RefCell::default(), RefCell::default());
        Peer { id, is_sibling: Cell::new(false), wants, queue }
    }

    /// Whether a message is to be sent there. If in doubt, it is.
    pub(super) fn wants(&self, kind: Kind, channel: &[u8]) -> bool {
        if kind == Kind::Shard && !self.is_sibling.get() {
            return false;
        }
        let wants = self.wants.borrow();
        if !wants.is_complete || wants.names[kind as usize].contains(channel) {
            return true;
        }
        let mut patterns = wants.names[Kind::Pattern as usize].iter();
        kind == Kind::Channel && patterns.any(|pattern| fits(pattern, channel))
    }

    /// Adds a message to those that wait.
    pub(super) fn push(&self, publication: wire::Publication) {
        let queue = &mut *self.queue.borrow_mut();
        queue.bytes += cost(&publication);
        queue.waiting.push_back(publication);
        while queue.bytes > QUEUE_BYTES_MAX && queue.waiting.len() > 1 {
            queue.take_first();
            if queue.dropped == 0 {
                let peer = self.id;
                tracing::warn!("node {peer:016x} takes messages too slowly: drop the oldest");
            }
            queue.dropped += 1;
        }
        queue.wake();
    }

    /// Takes in what the node wants, and has it confirmed.
    pub(super) fn learn(&self, interest: wire::Interest) {
        let mut wants = self.wants.borrow_mut();
        for change in interest.changes {
            let kind = match WireKind::try_from(change.kind) {
                Ok(WireKind::Channel) => Kind::Channel,
                Ok(WireKind::Pattern) => Kind::Pattern,
                Ok(WireKind::ShardChannel) => Kind::Shard,
                // A newer release; it cannot expect to be sent what this one does not know.
                Err(_) => continue,
            };
            let names = &mut wants.names[kind as usize];
            if change.wanted {
                names.insert(change.name[..].into());
            } else {
                names.remove(&change.name[..]);
            }
        }
        wants.is_complete |= interest.complete;
        if interest.complete {
            let queue = &mut *self.queue.borrow_mut();
            queue.heard = Some(interest.number);
            queue.wake();
        }
    }

    /// A new stream is about to be opened; the one before takes nothing any more. Returns its
    /// number.
    pub(super) fn begin_stream(&self) -> u64 {
        *self.wants.borrow_mut() = Wants::default();
        let queue = &mut *self.queue.borrow_mut();
        queue.stream += 1;
        queue.heard = None;
        queue.wake();
        queue.stream
    }

    /// The node cannot be reached: nothing is kept for it, and it is not known what it wants.
    pub(super) fn lost(&self) {
        *self.wants.borrow_mut() = Wants::default();
        let queue = &mut *self.queue.borrow_mut();
        queue.waiting.clear();
        queue.bytes = 0;
    }

    /// The next messages for a stream, several at a time.
    pub(super) fn poll_parcel(
        &self,
        stream: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Option<wire::Parcel>> {
        let queue = &mut *self.queue.borrow_mut();
        if queue.stream != stream {
            return Poll::Ready(None);
        }
        let mut parcel = wire::Parcel::default();
        let mut bytes = 0;
        while bytes < PARCEL_BYTES
            && let Some(publication) = queue.take_first()
        {
            bytes += cost(&publication);
            parcel.publications.push(publication);
        }
        let heard = queue.heard.take();
        if parcel.publications.is_empty() && heard.is_none() {
            queue.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if queue.waiting.is_empty() && queue.dropped > 0 {
            let (peer, dropped) = (self.id, std::mem::take(&mut queue.dropped));
            tracing::warn!("{dropped} messages for node {peer:016x} were dropped");
        }
        parcel.heard = heard.unwrap_or_default();
        Poll::Ready(Some(parcel))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publication(channel: &str, payload: &str) -> wire::Publication {
        let (channel, payload) = (channel.to_owned().into(), payload.to_owned().into());
        wire::Publication { channel, payload, sharded: false }
    }

    fn change(kind: WireKind, name: &str, wanted: bool) -> wire::Change {
        wire::Change { kind: kind.into(), name: name.to_owned().into(), wanted }
    }

    fn taken(peer: &Peer, stream: u64) -> Option<wire::Parcel> {
        match peer.poll_parcel(stream, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(parcel) => parcel,
            Poll::Pending => Some(wire::Parcel::default()),
        }
    }

    #[test]
    fn a_node_is_sent_everything_until_it_has_said_what_it_wants() {
        let peer = Peer::new(7);
        let wants = |kind, channel: &str| peer.wants(kind, channel.as_bytes());
        assert!(wants(Kind::Channel, "news"));
        assert!(!wants(Kind::Shard, "news"), "it is in another shard");
        let first = vec![change(WireKind::Channel, "a", true)];
        peer.learn(wire::Interest { number: 0, complete: false, changes: first });
        assert!(wants(Kind::Channel, "news"));
        let rest =
            vec![change(WireKind::Pattern, "b*", true), change(WireKind::ShardChannel, "s", true)];
        peer.learn(wire::Interest { number: 3, complete: true, changes: rest });
        assert!(wants(Kind::Channel, "a") && wants(Kind::Channel, "bee"));
        assert!(!wants(Kind::Channel, "news") && !wants(Kind::Channel, "s"));
        peer.is_sibling.set(true);
        assert!(wants(Kind::Shard, "s") && !wants(Kind::Shard, "bee"));
        let gone = vec![change(WireKind::Channel, "a", false)];
        peer.learn(wire::Interest { number: 4, complete: true, changes: gone });
        assert!(!wants(Kind::Channel, "a"));
        peer.begin_stream();
        assert!(wants(Kind::Channel, "news"), "a new stream knows nothing");
    }

    #[test]
    fn only_the_newest_stream_takes_messages_and_confirms() {
        let peer = Peer::new(7);
        let old = peer.begin_stream();
        peer.learn(wire::Interest { number: 5, complete: true, changes: Vec::new() });
        assert_eq!(taken(&peer, old).map(|parcel| parcel.heard), Some(5));
        let new = peer.begin_stream();
        peer.push(publication("a", "1"));
        assert_eq!(taken(&peer, old), None);
        let parcel = taken(&peer, new).expect("the stream is open");
        assert_eq!(parcel.publications, [publication("a", "1")]);
        assert_eq!(parcel.heard, 0);
    }

    #[test]
    fn the_oldest_messages_make_room_for_new_ones() {
        let peer = Peer::new(7);
        let stream = peer.begin_stream();
        let large = "x".repeat(QUEUE_BYTES_MAX / 2);
        for channel in ["a", "b", "c"] {
            peer.push(publication(channel, &large));
        }
        let parcel = taken(&peer, stream).expect("the stream is open");
        let channels: Vec<_> = parcel.publications.iter().map(|one| &one.channel[..]).collect();
        assert_eq!(channels, [b"c"]);
        assert_eq!(taken(&peer, stream), Some(wire::Parcel::default()));
    }
}
