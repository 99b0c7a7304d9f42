//! What this node wants to be sent, as it tells the others.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use quoris_proto::messages as wire;
use quoris_proto::messages::change::Kind as WireKind;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;

use super::{Hub, Kind, PATIENCE};
use crate::shared::Shared;

/// Names in one message.
const NAMES_MAX: usize = 1000;
/// Changes that a stream may be behind. One that is further behind is closed; the next begins with
/// everything.
const BEHIND_MAX: usize = 4096;

/// The changes so far, and who is told of them.
#[derive(Default)]
pub(super) struct Interest {
    number: Cell<u64>,
    streams: RefCell<Vec<Rc<Told>>>,
    news: Notify,
}

/// A node that has a stream to this one.
struct Told {
    outbound: mpsc::Sender<wire::Interest>,
    /// The last change that it has taken note of.
    heard: Cell<u64>,
}

/// This node's end of a stream that another has to it, for as long as it lives.
pub(super) struct Listening {
    shared: Weak<Shared>,
    told: Rc<Told>,
}

impl Listening {
    /// The other has taken note of a change.
    pub(super) fn heard(&self, number: u64) {
        if number > self.told.heard.get() {
            self.told.heard.set(number);
            if let Some(shared) = self.shared.upgrade() {
                shared.pubsub.interest.news.notify_waiters();
            }
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let interest = &shared.pubsub.interest;
        interest.streams.borrow_mut().retain(|told| !Rc::ptr_eq(told, &self.told));
        interest.news.notify_waiters();
    }
}

impl Hub {
    /// Another node has opened a stream: what it is told, beginning with everything.
    pub(super) fn open(&self, shared: &Rc<Shared>) -> (Listening, ReceiverStream<wire::Interest>) {
        let mut wanted = Vec::new();
        self.each_wanted(|kind, name| wanted.push(change(kind, name, true)));
        let number = self.interest.number.get();
        let parts = wanted.chunks(NAMES_MAX).map(<[wire::Change]>::to_vec);
        let parts = parts.map(|changes| wire::Interest { number: 0, complete: false, changes });
        let last = wire::Interest { number, complete: true, changes: Vec::new() };
        let parts: Vec<_> = parts.chain([last]).collect();
        let (outbound, inbound) = mpsc::channel(parts.len() + BEHIND_MAX);
        for part in parts {
            outbound.try_send(part).expect("the channel was made large enough");
        }
        let told = Rc::new(Told { outbound, heard: Cell::new(0) });
        self.interest.streams.borrow_mut().push(Rc::clone(&told));
        let shared = Rc::downgrade(shared);
        (Listening { shared, told }, ReceiverStream::new(inbound))
    }
}

pub(super) const fn wire_kind(kind: Kind) -> WireKind {
    match kind {
        Kind::Channel => WireKind::Channel,
        Kind::Pattern => WireKind::Pattern,
        Kind::Shard => WireKind::ShardChannel,
    }
}

impl Interest {
    /// Whether there is nobody to tell.
    pub(super) fn is_alone(&self) -> bool {
        self.streams.borrow().is_empty()
    }

    /// Tells everybody that names have got their first listener, or lost their last. Returns the
    /// number of the change.
    pub(super) fn tell(&self, kind: Kind, names: &[Rc<[u8]>], wanted: bool) -> u64 {
        for names in names.chunks(NAMES_MAX) {
            self.number.set(self.number.get() + 1);
            let change = |name: &Rc<[u8]>| change(kind, name, wanted);
            let mut streams = self.streams.borrow_mut();
            if streams.is_empty() {
                continue;
            }
            let changes = names.iter().map(change).collect();
            let news = wire::Interest { number: self.number.get(), complete: true, changes };
            streams.retain(|told| told.outbound.try_send(news.clone()).is_ok());
        }
        self.number.get()
    }

    /// Whether everybody has taken note of a change.
    pub(super) fn is_settled(&self, number: u64) -> bool {
        self.streams.borrow().iter().all(|told| told.heard.get() >= number)
    }

    /// Completes when everybody has taken note of a change, or will not any more.
    pub(super) async fn settled(&self, number: u64) {
        let all = async {
            loop {
                let news = self.news.notified();
                if self.is_settled(number) {
                    return;
                }
                news.await;
            }
        };
        // A node that does not answer is about to lose its stream.
        let _ = timeout(PATIENCE, all).await;
    }
}

fn change(kind: Kind, name: &[u8], wanted: bool) -> wire::Change {
    let name = bytes::Bytes::copy_from_slice(name);
    wire::Change { kind: wire_kind(kind).into(), name, wanted }
}
