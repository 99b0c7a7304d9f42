//! The forms a list, set or hash can have, by the names that `OBJECT ENCODING` gives them.

/// The form of a collection. It is part of the replicated state, because clients and scripts can
/// see it: a snapshot records it, and whoever rebuilds the collection restores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// A short list, set or hash in one buffer.
    Listpack,
    /// A short hash of which fields can expire, in one buffer.
    TimedListpack,
    /// A long list.
    Quicklist,
    /// A set of integers.
    Intset,
    /// A big set or hash.
    Hashtable,
}

impl Encoding {
    /// The name in Redis 7.2, and for hashes of which fields expire in Redis 7.4.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listpack => "listpack",
            Self::TimedListpack => "listpackex",
            Self::Quicklist => "quicklist",
            Self::Intset => "intset",
            Self::Hashtable => "hashtable",
        }
    }
}
