//! The grammar of a command's arguments, as `COMMAND DOCS` reports it.

use super::keys::KeyAccess;

/// What an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgKind {
    /// A key.
    Key,
    /// Any bytes.
    String,
    /// A 64-bit integer.
    Integer,
    /// A double.
    Double,
    /// A point in time.
    UnixTime,
    /// A glob pattern.
    Pattern,
    /// A literal word and nothing else.
    Token,
    /// Exactly one of the children.
    OneOf,
    /// All of the children, in order.
    Block,
}

/// One argument of a command.
#[derive(Clone, Copy, Debug)]
pub struct Arg {
    /// Its name in the documentation.
    pub name: &'static str,
    /// What it is.
    pub kind: ArgKind,
    /// The literal word before it, or the word that it is.
    pub token: Option<&'static str>,
    /// May be left out.
    pub optional: bool,
    /// May be repeated.
    pub multiple: bool,
    /// Children of a block or a choice.
    pub children: &'static [Arg],
    /// For a key: what the command does with it.
    pub access: KeyAccess,
}

const fn arg(name: &'static str, kind: ArgKind) -> Arg {
    Arg {
        name,
        kind,
        token: None,
        optional: false,
        multiple: false,
        children: &[],
        access: KeyAccess::UNSTATED,
    }
}

/// A key.
pub const fn key(name: &'static str) -> Arg {
    arg(name, ArgKind::Key)
}

/// Any bytes.
pub const fn string(name: &'static str) -> Arg {
    arg(name, ArgKind::String)
}

/// A 64-bit integer.
pub const fn integer(name: &'static str) -> Arg {
    arg(name, ArgKind::Integer)
}

/// A double.
pub const fn double(name: &'static str) -> Arg {
    arg(name, ArgKind::Double)
}

/// A point in time.
pub const fn unix_time(name: &'static str) -> Arg {
    arg(name, ArgKind::UnixTime)
}

/// A glob pattern.
pub const fn pattern(name: &'static str) -> Arg {
    arg(name, ArgKind::Pattern)
}

/// A literal word.
pub const fn token(name: &'static str, word: &'static str) -> Arg {
    let mut made = arg(name, ArgKind::Token);
    made.token = Some(word);
    made
}

/// Exactly one of `children`.
pub const fn one_of(name: &'static str, children: &'static [Arg]) -> Arg {
    let mut made = arg(name, ArgKind::OneOf);
    made.children = children;
    made
}

/// All of `children`, in order.
pub const fn block(name: &'static str, children: &'static [Arg]) -> Arg {
    let mut made = arg(name, ArgKind::Block);
    made.children = children;
    made
}

impl Arg {
    /// May be left out.
    #[must_use]
    pub const fn optional(mut self) -> Arg {
        self.optional = true;
        self
    }

    /// May be repeated; at least one is required unless it is optional.
    #[must_use]
    pub const fn multiple(mut self) -> Arg {
        self.multiple = true;
        self
    }

    /// Follows the literal `word`.
    #[must_use]
    pub const fn after(mut self, word: &'static str) -> Arg {
        self.token = Some(word);
        self
    }

    /// States what the command does with this key.
    #[must_use]
    pub const fn access(mut self, access: KeyAccess) -> Arg {
        self.access = access;
        self
    }

    /// The fewest words that this argument takes once.
    pub(super) const fn words(&self) -> i32 {
        let own = match self.kind {
            ArgKind::Token => return 1,
            ArgKind::Block => {
                let mut sum = 0;
                let mut at = 0;
                while at < self.children.len() {
                    if !self.children[at].optional {
                        sum += self.children[at].words();
                    }
                    at += 1;
                }
                sum
            }
            ArgKind::OneOf => {
                let mut least = i32::MAX;
                let mut at = 0;
                while at < self.children.len() {
                    let words = self.children[at].words();
                    if words < least {
                        least = words;
                    }
                    at += 1;
                }
                least
            }
            _ => 1,
        };
        if self.token.is_some() { own + 1 } else { own }
    }

    /// Whether the number of words can vary.
    const fn varies(&self) -> bool {
        if self.optional || self.multiple {
            return true;
        }
        let mut at = 0;
        while at < self.children.len() {
            if self.children[at].varies() {
                return true;
            }
            if matches!(self.kind, ArgKind::OneOf)
                && self.children[at].words() != self.children[0].words()
            {
                return true;
            }
            at += 1;
        }
        false
    }
}

/// Number of words of a command whose own name takes `name_words`; negative if a minimum.
pub(super) const fn arity(args: &[Arg], name_words: i32) -> i32 {
    let mut words = name_words;
    let mut varies = false;
    let mut at = 0;
    while at < args.len() {
        if !args[at].optional {
            words += args[at].words();
        }
        varies = varies || args[at].varies();
        at += 1;
    }
    if varies { -words } else { words }
}
