//! Who listens to what on this node.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use quoris_resp::Writer;

use super::interest::Interest;
use super::{Change, Kind, Message, Own, fits};
use crate::routes::Route;
use crate::session::{Ending, Session};
use crate::shared::Shared;

/// All subscriptions of a node's clients.
#[derive(Default)]
pub(crate) struct Hub {
    tables: [RefCell<BTreeMap<Rc<[u8]>, Place>>; 3],
    pub(super) interest: Interest,
}

/// A channel or pattern that somebody listens to.
#[derive(Default)]
pub(super) struct Place {
    /// Under which number the other nodes were told of it.
    pub(super) number: u64,
    /// Subscriptions that are about to be confirmed.
    coming: u32,
    clients: BTreeMap<u64, Rc<Session>>,
}

impl Place {
    fn is_empty(&self) -> bool {
        self.clients.is_empty() && self.coming == 0
    }
}

/// Subscriptions that other nodes have been told of and that have yet to be confirmed.
pub(crate) struct Announcement {
    shared: Rc<Shared>,
    kind: Kind,
    names: Vec<Rc<[u8]>>,
    number: u64,
}

impl Announcement {
    /// Completes when all nodes that have a stream to this one have taken note.
    pub(crate) async fn settled(&self) {
        self.shared.pubsub.interest.settled(self.number).await;
    }

    /// What was announced.
    pub(crate) fn names(&self) -> &[Rc<[u8]>] {
        &self.names
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        self.shared.pubsub.withdraw(self.kind, &self.names);
    }
}

impl Hub {
    /// Tells the other nodes that these names will have a listener. None if there is nothing to
    /// wait for: nobody to tell, or everybody knows.
    pub(crate) fn announce(
        &self,
        shared: &Rc<Shared>,
        kind: Kind,
        names: &[Rc<[u8]>],
    ) -> Option<Announcement> {
        if self.interest.is_alone() {
            return None;
        }
        let mut table = self.tables[kind as usize].borrow_mut();
        let is_new = |name: &&Rc<[u8]>| !table.contains_key(*name);
        let fresh: Vec<Rc<[u8]>> = names.iter().filter(is_new).cloned().collect();
        let known = names.iter().filter_map(|name| table.get(name));
        let mut number = known.map(|place| place.number).max().unwrap_or(0);
        if fresh.is_empty() && self.interest.is_settled(number) {
            return None;
        }
        let told = self.interest.tell(kind, &fresh, true);
        for name in names {
            let place = table.entry(Rc::clone(name)).or_default();
            place.number = if place.number == 0 { told } else { place.number };
            number = number.max(place.number);
            place.coming += 1;
        }
        Some(Announcement { shared: Rc::clone(shared), kind, names: names.to_vec(), number })
    }

    fn withdraw(&self, kind: Kind, names: &[Rc<[u8]>]) {
        let mut gone = Vec::new();
        let mut table = self.tables[kind as usize].borrow_mut();
        for name in names {
            let Some(place) = table.get_mut(name) else { continue };
            place.coming -= 1;
            if place.is_empty() {
                table.remove(name);
                gone.push(Rc::clone(name));
            }
        }
        self.interest.tell(kind, &gone, false);
    }

    /// Subscribes a client, and confirms every name.
    pub(crate) fn enter(
        &self,
        session: &Rc<Session>,
        kind: Kind,
        names: &[Rc<[u8]>],
        reply: &mut Writer<'_>,
    ) {
        if session.ending() == Ending::Now {
            // A transaction may run when its client has gone; nobody would end this any more.
            return;
        }
        let mut subscriptions = session.subscriptions.borrow_mut();
        let own = subscriptions.get_or_insert_default();
        let mut table = self.tables[kind as usize].borrow_mut();
        let mut fresh = Vec::new();
        for name in names {
            // The bytes are kept once, however many listen.
            let known = table.get_key_value(name).map(|(known, _)| Rc::clone(known));
            let name = known.unwrap_or_else(|| {
                fresh.push(Rc::clone(name));
                table.insert(Rc::clone(name), Place::default());
                Rc::clone(name)
            });
            if own.add(kind, &name) {
                let place = table.get_mut(&name).expect("inserted if missing");
                place.clients.insert(session.id, Rc::clone(session));
            }
            Change { kind, begins: true }.write(Some(&name), own.count(kind), reply);
        }
        session.is_subscriber.set(true);
        let number = self.interest.tell(kind, &fresh, true);
        for name in fresh {
            table.get_mut(&name).expect("inserted above").number = number;
        }
    }

    /// Ends subscriptions of a client, those of all `names` or of all that it has, and confirms
    /// each. One without any is told so.
    pub(crate) fn leave(
        &self,
        session: &Session,
        kind: Kind,
        names: Option<&[&[u8]]>,
        reply: &mut Writer<'_>,
    ) {
        let end = Change { kind, begins: false };
        let all: Vec<Rc<[u8]>> = match (names, &*session.subscriptions.borrow()) {
            (Some(names), _) => names.iter().map(|name| Rc::from(*name)).collect(),
            (None, Some(own)) => own.names(kind),
            (None, None) => Vec::new(),
        };
        if all.is_empty() {
            let count = session.subscriptions.borrow().as_ref().map_or(0, |own| own.count(kind));
            end.write(None, count, reply);
        }
        self.remove(session, kind, &all, |name, count| end.write(Some(name), count, reply));
    }

    /// Ends all subscriptions of a client that does not need to be told.
    pub(crate) fn forget(&self, session: &Session) {
        if !session.is_subscriber.get() {
            return;
        }
        for kind in Kind::ALL {
            let names = session.subscriptions.borrow().as_ref().map(|own| own.names(kind));
            self.remove(session, kind, &names.unwrap_or_default(), |_, _| {});
        }
    }

    fn remove(
        &self,
        session: &Session,
        kind: Kind,
        names: &[Rc<[u8]>],
        mut told: impl FnMut(&[u8], usize),
    ) {
        let mut subscriptions = session.subscriptions.borrow_mut();
        let mut table = self.tables[kind as usize].borrow_mut();
        let mut gone = Vec::new();
        for name in names {
            let mut count = 0;
            if let Some(own) = &mut *subscriptions {
                if own.remove(kind, name)
                    && let Some(place) = table.get_mut(name)
                {
                    place.clients.remove(&session.id);
                    if place.is_empty() {
                        table.remove(name);
                        gone.push(Rc::clone(name));
                    }
                }
                count = own.count(kind);
            }
            told(name, count);
        }
        if subscriptions.as_ref().is_some_and(|own| own.is_empty()) {
            *subscriptions = None;
            session.is_subscriber.set(false);
        }
        self.interest.tell(kind, &gone, false);
    }

    /// Sends a message to the clients of this node that listen to its channel; returns how often
    /// it was sent. `kind`: [`Kind::Shard`] for `SPUBLISH`, else [`Kind::Channel`].
    pub(crate) fn deliver(
        &self,
        shared: &Shared,
        kind: Kind,
        (channel, payload): (&[u8], &[u8]),
        mut own: Option<Own<'_, '_>>,
    ) -> usize {
        let word: &[u8] = if kind == Kind::Shard { b"smessage" } else { b"message" };
        let mut sent = 0;
        let mut send_to = |place: &Place, words: &[&[u8]]| {
            let mut message = Message::new(words);
            let clients = place.clients.values();
            sent += clients.filter(|client| message.send(shared, client, &mut own)).count();
        };
        if let Some(place) = self.tables[kind as usize].borrow().get(channel) {
            send_to(place, &[word, channel, payload]);
        }
        if kind == Kind::Channel {
            for (pattern, place) in &*self.tables[Kind::Pattern as usize].borrow() {
                if fits(pattern, channel) {
                    send_to(place, &[b"pmessage", pattern, channel, payload]);
                }
            }
        }
        sent
    }

    /// The names of a kind that have listeners, in their order.
    pub(crate) fn names(&self, kind: Kind, pattern: Option<&[u8]>) -> Vec<Rc<[u8]>> {
        let table = self.tables[kind as usize].borrow();
        let heard = table.iter().filter(|(_, place)| !place.clients.is_empty());
        let wanted = heard.filter(|(name, _)| pattern.is_none_or(|pattern| fits(pattern, name)));
        wanted.map(|(name, _)| Rc::clone(name)).collect()
    }

    /// How many names of a kind have listeners.
    pub(crate) fn len(&self, kind: Kind) -> usize {
        let table = self.tables[kind as usize].borrow();
        table.values().filter(|place| !place.clients.is_empty()).count()
    }

    /// Whether anybody listens to channels of the whole cluster.
    pub(crate) fn has_listeners(&self) -> bool {
        let kinds = [Kind::Channel, Kind::Pattern];
        kinds.into_iter().any(|kind| !self.tables[kind as usize].borrow().is_empty())
    }

    /// How many clients listen to a name.
    pub(crate) fn listeners(&self, kind: Kind, name: &[u8]) -> usize {
        self.tables[kind as usize].borrow().get(name).map_or(0, |place| place.clients.len())
    }

    /// Ends the subscriptions to channels whose slots belong to other shards now, and tells the
    /// clients, who then look for the new owner.
    pub(crate) fn drop_moved(&self, shared: &Shared) {
        let names = self.names(Kind::Shard, None);
        let routes = (!names.is_empty()).then(|| shared.routes());
        for name in names {
            let slot = quoris_engine::Slot::of_key(&name);
            let route = routes.as_ref().map(|routes| routes.decide(slot, false, true));
            if !matches!(route, Some(Route::Moved { .. })) {
                continue;
            }
            let table = self.tables[Kind::Shard as usize].borrow();
            let clients = table.get(&name).map(|place| place.clients.clone()).unwrap_or_default();
            drop(table);
            for session in clients.values() {
                shared.reply(session, |reply| {
                    self.leave(session, Kind::Shard, Some(&[&name]), reply);
                });
            }
        }
    }

    /// Visits every name that has or will have a listener.
    pub(super) fn each_wanted(&self, mut visit: impl FnMut(Kind, &Rc<[u8]>)) {
        for kind in Kind::ALL {
            self.tables[kind as usize].borrow().keys().for_each(|name| visit(kind, name));
        }
    }
}
