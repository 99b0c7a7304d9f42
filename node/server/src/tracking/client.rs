//! What a client has asked for with `CLIENT TRACKING`.

use std::collections::BTreeSet;

/// Of which keys a client is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Those that it reads.
    #[default]
    All,
    /// Those that it reads with a command behind `CLIENT CACHING YES`.
    OptIn,
    /// Those that it reads, but not with a command behind `CLIENT CACHING NO`.
    OptOut,
    /// All that begin with its prefixes.
    Broadcast,
}

/// A client that is told of changes.
#[derive(Debug, Default)]
pub(crate) struct Track {
    /// Of which keys it is told.
    pub(crate) mode: Mode,
    /// It is not told of its own changes.
    pub(crate) skips_own: bool,
    /// Who is told in its place; 0 for nobody.
    pub(crate) redirect: u64,
    /// The client that should be told in its place is gone.
    pub(crate) is_broken: bool,
    /// `CLIENT CACHING`: the next command is an exception.
    pub(crate) is_asked: bool,
    /// In broadcasting mode, how the keys begin.
    pub(crate) prefixes: BTreeSet<Vec<u8>>,
}

impl Track {
    /// Whether the client is told of what its present command reads.
    pub(crate) fn caches(&self) -> bool {
        match self.mode {
            Mode::All => true,
            Mode::OptIn => self.is_asked,
            Mode::OptOut => !self.is_asked,
            Mode::Broadcast => false,
        }
    }
}

/// What `CLIENT TRACKING ON` asks for.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
    pub(crate) skips_own: bool,
    pub(crate) redirect: u64,
    pub(crate) prefixes: Vec<Vec<u8>>,
}
