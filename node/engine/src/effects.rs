//! What the world outside should do after an entry or a command: returned, never performed.

use alloc::vec::Vec;

use crate::keyspace::{Garbage, Key};

/// Which effects somebody outside waits for; the others are not even collected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interests {
    /// Keys that were written: blocked clients, `WATCH`, client-side caches.
    pub touched: bool,
    /// Keyspace notifications, any class.
    pub notifications: bool,
    /// Keys that scripts read: client-side caches.
    pub script_reads: bool,
}

/// The class of a keyspace notification, as the letters of `notify-keyspace-events` name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventClass {
    /// `g`: DEL, EXPIRE, RENAME, …
    Generic,
    /// `$`
    String,
    /// `l`
    List,
    /// `s`
    Set,
    /// `h`
    Hash,
    /// `z`
    SortedSet,
    /// `t`
    Stream,
    /// `x`: a key has expired.
    Expired,
    /// `e`: a key was evicted for memory.
    Evicted,
    /// `n`: a key was created.
    New,
}

impl EventClass {
    /// The letter of `notify-keyspace-events`.
    pub const fn letter(self) -> char {
        match self {
            Self::Generic => 'g',
            Self::String => '$',
            Self::List => 'l',
            Self::Set => 's',
            Self::Hash => 'h',
            Self::SortedSet => 'z',
            Self::Stream => 't',
            Self::Expired => 'x',
            Self::Evicted => 'e',
            Self::New => 'n',
        }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A key's value changed, or the key went away.
    Touched {
        /// Database number.
        db: u16,
        /// The key.
        key: Vec<u8>,
    },
    /// Who waits for a key has an answer, although its value is what it was.
    Ready {
        /// Database number.
        db: u16,
        /// The key.
        key: Vec<u8>,
    },
    /// A keyspace notification.
    Notify {
        /// Its class.
        class: EventClass,
        /// Its name (`hset`, `del`, …).
        event: &'static str,
        /// Database number.
        db: u16,
        /// The key.
        key: Vec<u8>,
    },
    /// A message for subscribers, published by a script.
    Publish {
        /// The channel.
        channel: Vec<u8>,
        /// The message.
        message: Vec<u8>,
        /// Whether it is a channel of a slot (`SPUBLISH`).
        sharded: bool,
    },
    /// A whole database was emptied or exchanged; `None` means all of them.
    Flushed {
        /// Database number.
        db: Option<u16>,
    },
    /// The replicated settings changed.
    Settings,
    /// The functions have become those of a record of the cluster, or it was noted who has asked
    /// for them.
    Functions,
}

/// Everything that an entry brought about.
#[derive(Debug, Default)]
pub struct Effects {
    /// What was asked for by the [`Interests`].
    pub list: Vec<Effect>,
    /// How many changes the entry made (`rdb_changes_since_last_save`).
    pub changes: u64,
    /// How many keys it removed because their time had come.
    pub expired: u64,
    /// What it removed and takes long to drop: to be dropped where nobody waits for it.
    pub garbage: Vec<Garbage>,
    /// The keys that the command that ran last has read, if it is a script.
    pub(crate) script_reads: Vec<Vec<u8>>,
    /// The command that ran last would have waited, had it been allowed to.
    pub(crate) found_nothing: bool,
}

impl Effects {
    /// Adds a keyspace notification, which somebody waits for.
    pub(crate) fn notify(
        &mut self,
        class: EventClass,
        event: &'static str,
        db: u16,
        key: &Key<'_>,
    ) {
        self.list.push(Effect::Notify { class, event, db, key: key.bytes.to_vec() });
    }
}
