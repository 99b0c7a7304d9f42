//! Keyspace notifications: what happens to keys, as messages to whoever subscribes to it on this
//! node.
//!
//! The engine returns events as effects of entries, so that followers tell their subscribers the
//! same as the leader does its own. Misses are the exception: they come from reads, and only the
//! node that answers one knows of it.

use std::cell::{Cell, RefCell};
use std::io::Write as _;

use quoris_engine::effects::EventClass;
use quoris_engine::{Interests, Run};

use crate::config::KeyspaceEvents;
use crate::observe::Ran;
use crate::pubsub::Kind;
use crate::shared::Shared;

/// Commands that look at a key without asking for its value, which is no miss in Redis either.
const UNASKED: [&str; 2] = ["object", "memory"];

/// Which events are told, and room to write their channels in.
#[derive(Default)]
pub(crate) struct Notifications {
    events: Cell<KeyspaceEvents>,
    channel: RefCell<Vec<u8>>,
}

impl Notifications {
    /// Whether anybody wants to know of keys that were not there.
    #[inline]
    pub(crate) fn has_misses(&self) -> bool {
        self.events.get().contains_any(KeyspaceEvents::KEY_MISS)
    }
}

const fn directive_class(class: EventClass) -> KeyspaceEvents {
    match class {
        EventClass::Generic => KeyspaceEvents::GENERIC,
        EventClass::String => KeyspaceEvents::STRING,
        EventClass::List => KeyspaceEvents::LIST,
        EventClass::Set => KeyspaceEvents::SET,
        EventClass::Hash => KeyspaceEvents::HASH,
        EventClass::SortedSet => KeyspaceEvents::SORTED_SET,
        EventClass::Stream => KeyspaceEvents::STREAM,
        EventClass::Expired => KeyspaceEvents::EXPIRED,
        EventClass::Evicted => KeyspaceEvents::EVICTED,
        EventClass::New => KeyspaceEvents::NEW,
    }
}

impl Shared {
    /// Obeys `notify-keyspace-events`.
    pub(crate) fn configure_notifications(&self) {
        let wanted = self.config.borrow().notify_keyspace_events();
        let events = if wanted.is_on() { wanted } else { KeyspaceEvents::default() };
        self.notifications.events.set(events);
        let interests = self.interests.get();
        self.interests.set(Interests { notifications: events.is_on(), ..interests });
    }

    /// Tells of something that happened to a key, if that is wanted.
    pub(crate) fn notify(&self, class: EventClass, event: &str, db: u16, key: &[u8]) {
        self.tell_of_key(directive_class(class), event, db, key);
    }

    fn tell_of_key(&self, class: KeyspaceEvents, event: &str, db: u16, key: &[u8]) {
        let events = self.notifications.events.get();
        if !events.contains_any(class) || !self.pubsub.has_listeners() {
            return;
        }
        let channel = &mut *self.notifications.channel.borrow_mut();
        let event = event.as_bytes();
        let forms = [
            (KeyspaceEvents::KEYSPACE, "keyspace", key, event),
            (KeyspaceEvents::KEYEVENT, "keyevent", event, key),
        ];
        for (form, name, about, payload) in forms {
            if events.contains_any(form) {
                channel.clear();
                write!(channel, "__{name}@{db}__:").expect("a vector takes everything");
                channel.extend_from_slice(about);
                self.pubsub.deliver(self, Kind::Channel, (channel, payload), None);
            }
        }
    }

    /// Tells of keys that a command has read and that were not there.
    #[cold]
    pub(crate) fn notify_misses(&self, ran: &Ran<'_>) {
        let name = ran.entry.container.unwrap_or(ran.entry.command.spec.name);
        if !matches!(ran.entry.command.run, Run::Read(_)) || UNASKED.contains(&name) {
            return;
        }
        // While an entry is applied, there is no saying what is there by now.
        let Ok(engine) = self.engine.try_borrow() else { return };
        let now_ms = self.now_ms().max(engine.last_stamp().now_ms);
        let keyspace = engine.keyspace();
        ran.entry.each_key(&ran.args, |word| {
            let key = ran.args.get(word);
            let found = keyspace.database(ran.db).get(&keyspace.key(key));
            let is_live = |at: u64| at > now_ms;
            if !found.is_some_and(|entry| entry.expire_at_ms().is_none_or(is_live)) {
                self.tell_of_key(KeyspaceEvents::KEY_MISS, "keymiss", ran.db, key);
            }
            false
        });
    }
}
