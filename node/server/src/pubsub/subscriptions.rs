//! What one client has subscribed to. Few clients have, so that a session only has room for a
//! pointer to it.

use std::collections::BTreeSet;
use std::rc::Rc;

use quoris_resp::Writer;

use super::Kind;

/// The names that a client has subscribed to, by kind.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    names: [BTreeSet<Rc<[u8]>>; 3],
}

impl Subscriptions {
    /// False if it was there.
    pub(super) fn add(&mut self, kind: Kind, name: &Rc<[u8]>) -> bool {
        self.names[kind as usize].insert(Rc::clone(name))
    }

    /// False if it was not there.
    pub(super) fn remove(&mut self, kind: Kind, name: &[u8]) -> bool {
        self.names[kind as usize].remove(name)
    }

    /// How many there are of a kind.
    pub(crate) fn len(&self, kind: Kind) -> usize {
        self.names[kind as usize].len()
    }

    /// Whether there are none of any kind.
    pub(super) fn is_empty(&self) -> bool {
        self.names.iter().all(BTreeSet::is_empty)
    }

    /// The names of a kind, in their order.
    pub(crate) fn names(&self, kind: Kind) -> Vec<Rc<[u8]>> {
        self.names[kind as usize].iter().cloned().collect()
    }

    /// The number that confirms a change: channels and patterns are counted together.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::Channel | Kind::Pattern => self.len(Kind::Channel) + self.len(Kind::Pattern),
            Kind::Shard => self.len(Kind::Shard),
        }
    }
}

/// A confirmed subscription or its end, as the client is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    /// Of what.
    pub(crate) kind: Kind,
    /// It begins.
    pub(crate) begins: bool,
}

impl Change {
    const fn word(self) -> &'static [u8] {
        match (self.kind, self.begins) {
            (Kind::Channel, true) => b"subscribe",
            (Kind::Channel, false) => b"unsubscribe",
            (Kind::Pattern, true) => b"psubscribe",
            (Kind::Pattern, false) => b"punsubscribe",
            (Kind::Shard, true) => b"ssubscribe",
            (Kind::Shard, false) => b"sunsubscribe",
        }
    }

    /// Tells the client; `name` is none where it asked to end all of none.
    pub(crate) fn write(self, name: Option<&[u8]>, count: usize, reply: &mut Writer<'_>) {
        reply.push(3);
        reply.bulk(self.word());
        reply.bulk_or_null(name);
        reply.count(count);
    }
}
