//! Groups, flags and ACL categories of commands.

macro_rules! bit_set {
    ($(#[$doc:meta])* $name:ident: $repr:ty { $($(#[$item_doc:meta])* $item:ident = $bit:literal => $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name($repr);

        impl $name {
            /// All there are.
            pub const ALL: $name = $name(0 $(| 1 << $bit)*);
            /// The empty set.
            pub const NONE: $name = $name(0);
            $($(#[$item_doc])* pub const $item: $name = $name(1 << $bit);)*

            /// Both sets together.
            #[must_use]
            pub const fn or(self, other: $name) -> $name {
                $name(self.0 | other.0)
            }

            /// Whether all of `other` is in this set.
            #[inline]
            pub const fn has(self, other: $name) -> bool {
                self.0 & other.0 == other.0
            }

            /// The names of the members, as Redis prints them.
            pub fn names(self) -> impl Iterator<Item = &'static str> {
                const EACH: &[($name, &str)] = &[$(($name::$item, $text)),*];
                EACH.iter().filter(move |(item, _)| self.has(*item)).map(|(_, text)| *text)
            }

            /// The member with this name.
            pub fn by_name(name: &str) -> Option<$name> {
                const EACH: &[($name, &str)] = &[$(($name::$item, $text)),*];
                EACH.iter().find(|(_, text)| text.eq_ignore_ascii_case(name)).map(|(item, _)| *item)
            }
        }
    };
}

bit_set! {
    /// Behaviour of a command. `write` and `readonly` are not here: they derive from how the
    /// command runs.
    Flags: u32 {
        /// Refused when memory is full.
        DENYOOM = 0 => "denyoom";
        /// An operator's command.
        ADMIN = 1 => "admin";
        /// Publishes or subscribes.
        PUBSUB = 2 => "pubsub";
        /// Not callable from scripts.
        NOSCRIPT = 3 => "noscript";
        /// May block its client.
        BLOCKING = 4 => "blocking";
        /// Allowed while the data set loads.
        LOADING = 5 => "loading";
        /// Allowed on a replica without a leader.
        STALE = 6 => "stale";
        /// Not shown to MONITOR.
        SKIP_MONITOR = 7 => "skip_monitor";
        /// Not in the slow log.
        SKIP_SLOWLOG = 8 => "skip_slowlog";
        /// Serves a slot that is being imported.
        ASKING = 9 => "asking";
        /// Constant or logarithmic cost.
        FAST = 10 => "fast";
        /// Allowed before authentication.
        NO_AUTH = 11 => "no_auth";
        /// A read-only script may contain writes by this one.
        MAY_REPLICATE = 12 => "may_replicate";
        /// It may do without the keys that it can have.
        NO_MANDATORY_KEYS = 17 => "no_mandatory_keys";
        /// Refused while another data set is loaded beside the one that is served.
        NO_ASYNC_LOADING = 18 => "no_async_loading";
        /// Not allowed in a transaction.
        NO_MULTI = 13 => "no_multi";
        /// Key positions depend on arguments.
        MOVABLE_KEYS = 14 => "movablekeys";
        /// Allowed while a script is too slow.
        ALLOW_BUSY = 15 => "allow_busy";
        /// Only entries may contain it; unknown to clients.
        INTERNAL = 16 => "internal";
    }
}

bit_set! {
    /// ACL categories.
    Categories: u32 {
        /// `@keyspace`
        KEYSPACE = 0 => "keyspace";
        /// `@read`
        READ = 1 => "read";
        /// `@write`
        WRITE = 2 => "write";
        /// `@set`
        SET = 3 => "set";
        /// `@sortedset`
        SORTED_SET = 4 => "sortedset";
        /// `@list`
        LIST = 5 => "list";
        /// `@hash`
        HASH = 6 => "hash";
        /// `@string`
        STRING = 7 => "string";
        /// `@bitmap`
        BITMAP = 8 => "bitmap";
        /// `@hyperloglog`
        HYPERLOGLOG = 9 => "hyperloglog";
        /// `@geo`
        GEO = 10 => "geo";
        /// `@stream`
        STREAM = 11 => "stream";
        /// `@pubsub`
        PUBSUB = 12 => "pubsub";
        /// `@admin`
        ADMIN = 13 => "admin";
        /// `@fast`
        FAST = 14 => "fast";
        /// `@slow`
        SLOW = 15 => "slow";
        /// `@blocking`
        BLOCKING = 16 => "blocking";
        /// `@dangerous`
        DANGEROUS = 17 => "dangerous";
        /// `@connection`
        CONNECTION = 18 => "connection";
        /// `@transaction`
        TRANSACTION = 19 => "transaction";
        /// `@scripting`
        SCRIPTING = 20 => "scripting";
    }
}

/// What a command is about, as `COMMAND DOCS` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Keys of any type.
    Generic,
    /// Strings.
    String,
    /// Bitmaps.
    Bitmap,
    /// Hashes.
    Hash,
    /// Lists.
    List,
    /// Sets.
    Set,
    /// Sorted sets.
    SortedSet,
    /// Geographic indexes.
    Geo,
    /// `HyperLogLog`.
    HyperLogLog,
    /// Streams.
    Stream,
    /// Publish and subscribe.
    PubSub,
    /// Transactions.
    Transactions,
    /// Scripts and functions.
    Scripting,
    /// The connection itself.
    Connection,
    /// The server.
    Server,
    /// The cluster.
    Cluster,
}

impl Group {
    /// The name in `COMMAND DOCS`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::String => "string",
            Self::Bitmap => "bitmap",
            Self::Hash => "hash",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "sorted-set",
            Self::Geo => "geo",
            Self::HyperLogLog => "hyperloglog",
            Self::Stream => "stream",
            Self::PubSub => "pubsub",
            Self::Transactions => "transactions",
            Self::Scripting => "scripting",
            Self::Connection => "connection",
            Self::Server => "server",
            Self::Cluster => "cluster",
        }
    }

    /// The ACL category that membership in the group brings.
    pub const fn category(self) -> Categories {
        match self {
            Self::Generic => Categories::KEYSPACE,
            Self::String => Categories::STRING,
            Self::Bitmap => Categories::BITMAP,
            Self::Hash => Categories::HASH,
            Self::List => Categories::LIST,
            Self::Set => Categories::SET,
            Self::SortedSet => Categories::SORTED_SET,
            Self::Geo => Categories::GEO,
            Self::HyperLogLog => Categories::HYPERLOGLOG,
            Self::Stream => Categories::STREAM,
            Self::PubSub => Categories::PUBSUB,
            Self::Transactions => Categories::TRANSACTION,
            Self::Scripting => Categories::SCRIPTING,
            Self::Connection => Categories::CONNECTION,
            Self::Server | Self::Cluster => Categories::NONE,
        }
    }
}
