//! Directives whose value is one of some words, as types.

/// Declares an enum with the word that stands for each variant. The order of the words is the one
/// in which Redis lists them when it refuses another.
macro_rules! choices {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// The words that a configuration may use.
            pub const WORDS: &'static [&'static str] = &[$($word),+];
            const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word for this choice.
            pub fn as_str(self) -> &'static str {
                Self::WORDS[self as usize]
            }

            pub(super) fn from_index(index: i64) -> Self {
                Self::ALL[index as usize]
            }
        }
    };
}

choices! {
    /// `appendfsync`: what "persisted" means before a write is acknowledged.
    AppendFsync {
        /// Handed to the operating system, synced once per second.
        EverySecond = "everysec",
        /// Synced to the disk.
        Always = "always",
        /// Handed to the operating system.
        Never = "no",
    }
}

choices! {
    /// `maxmemory-policy`: what is evicted when memory runs out.
    MaxMemoryPolicy {
        /// The least recently used keys that have a time to live.
        VolatileLru = "volatile-lru",
        /// The least frequently used keys that have a time to live.
        VolatileLfu = "volatile-lfu",
        /// Random keys that have a time to live.
        VolatileRandom = "volatile-random",
        /// The keys that expire next.
        VolatileTtl = "volatile-ttl",
        /// The least recently used keys.
        AllKeysLru = "allkeys-lru",
        /// The least frequently used keys.
        AllKeysLfu = "allkeys-lfu",
        /// Random keys.
        AllKeysRandom = "allkeys-random",
        /// Nothing: commands that need memory are refused.
        NoEviction = "noeviction",
    }
}

choices! {
    /// `enable-debug-command` and its kin: who may use what can hurt.
    Permission {
        /// Nobody.
        Nobody = "no",
        /// Everybody.
        Everybody = "yes",
        /// Clients on this machine.
        Local = "local",
    }
}

impl Permission {
    /// True if a client may, given whether it is on this machine.
    pub fn allows(self, is_local: bool) -> bool {
        match self {
            Permission::Nobody => false,
            Permission::Everybody => true,
            Permission::Local => is_local,
        }
    }
}

choices! {
    /// `cluster-preferred-endpoint-type`: how redirections and `CLUSTER SLOTS` name a node.
    EndpointType {
        /// By its address.
        Ip = "ip",
        /// By its host name.
        Hostname = "hostname",
        /// Not at all: the client asks again at the address that it knows.
        Unknown = "unknown-endpoint",
    }
}

choices! {
    /// `loglevel`: how much is logged.
    LogLevel {
        /// Everything.
        Debug = "debug",
        /// Much.
        Verbose = "verbose",
        /// What an operator wants to know.
        Notice = "notice",
        /// What an operator has to know.
        Warning = "warning",
    }
}

choices! {
    /// `log-format`: what a line of the log looks like.
    LogFormat {
        /// For people.
        Text = "text",
        /// For machines: one JSON object a line.
        Json = "json",
    }
}
