//! Where the keys of a command are, and what it does with them.
//!
//! Source: <https://redis.io/docs/latest/develop/reference/key-specs/>.

use alloc::vec::Vec;

use super::argument::{Arg, ArgKind};

/// What a command does with a key, as `COMMAND GETKEYSANDFLAGS` reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyAccess(u16);

impl KeyAccess {
    /// Nothing said: read-only for a reading command, read and updated for a writing one.
    pub const UNSTATED: KeyAccess = KeyAccess(0);
    /// Only read, and its value is returned or used.
    pub const READ: KeyAccess = KeyAccess(1 | 16);
    /// Only read, and only its meta data is used.
    pub const PEEK: KeyAccess = KeyAccess(1);
    /// Read and updated.
    pub const UPDATE: KeyAccess = KeyAccess(2 | 16 | 32);
    /// Updated in a way that does not depend on what it held.
    pub const MODIFY: KeyAccess = KeyAccess(2 | 32);
    /// Extended.
    pub const INSERT: KeyAccess = KeyAccess(2 | 64);
    /// Parts of it are deleted.
    pub const DELETE_PART: KeyAccess = KeyAccess(2 | 128);
    /// Parts of it are returned and deleted.
    pub const TAKE: KeyAccess = KeyAccess(2 | 16 | 128);
    /// Overwritten whatever it held.
    pub const OVERWRITE: KeyAccess = KeyAccess(4 | 32);
    /// Overwritten, and what it held is returned.
    pub const EXCHANGE: KeyAccess = KeyAccess(2 | 16 | 32);
    /// Removed.
    pub const REMOVE: KeyAccess = KeyAccess(8 | 128);

    /// Not a key of the data, but placed in the cluster like one: the channel of a shard.
    pub const NOT_KEY: KeyAccess = KeyAccess(256);

    /// The names of the flags, in Redis's order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        const NAMES: [&str; 9] =
            ["RO", "RW", "OW", "RM", "access", "update", "insert", "delete", "not_key"];
        (0..NAMES.len()).filter(move |bit| self.0 & (1 << bit) != 0).map(|bit| NAMES[bit])
    }

    /// Whether the key may have more in it afterwards than before.
    pub const fn may_add(self) -> bool {
        const READ_REMOVED_OR_SHRUNK: u16 = 1 | 8 | 128;
        self.0 & READ_REMOVED_OR_SHRUNK == 0
    }

    /// What an unstated access means for a command that writes or does not.
    #[must_use]
    pub const fn or_default(self, writes: bool) -> KeyAccess {
        match (self.0, writes) {
            (0, true) => KeyAccess::UPDATE,
            (0, false) => KeyAccess::READ,
            _ => self,
        }
    }
}

/// Where the first key of a specification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At this word; the command's name is word 0.
    Index(usize),
    /// At this word, unless that is empty: then the keys are elsewhere. `COMMAND INFO` calls it an
    /// index.
    Selected(usize),
    /// Behind this word, searched for from word `from` on.
    Keyword(&'static str, usize),
    /// Behind an option, wherever it stands; `COMMAND INFO` calls that unknown.
    Option(OptionWords),
    /// Nowhere that the request tells: the names derive from the data.
    Unknown,
}

/// A word that may come anywhere among other options; the last one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionWords {
    /// The option.
    pub word: &'static str,
    /// The first word that can be an option.
    pub from: usize,
    /// The other options that take words, and how many.
    pub others: &'static [(&'static str, usize)],
}

impl OptionWords {
    /// The word behind the option.
    fn find<'a>(&self, words: usize, word: impl Fn(usize) -> &'a [u8]) -> Option<usize> {
        let (mut found, mut at) = (None, self.from);
        while at < words {
            let is = |name: &str| word(at).eq_ignore_ascii_case(name.as_bytes());
            if is(self.word) {
                found = Some(at + 1);
                at += 1;
            } else if let Some((_, taken)) = self.others.iter().find(|(name, _)| is(name)) {
                at += taken;
            }
            at += 1;
        }
        found
    }
}

/// How to find the other keys of a specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Find {
    /// Every `step`-th word up to `last`, relative to the first key; negative `last` counts from
    /// the end (-1 is the last word). With `limit` 2, only the first half of the rest.
    Range {
        /// Relative index of the last key.
        last: i32,
        /// Distance between keys.
        step: usize,
        /// Zero, or the divisor of how much of the rest is searched.
        limit: usize,
    },
    /// The word at `begin` counts the keys; the first is `first` words behind it.
    Count {
        /// Distance of the first key from the count.
        first: usize,
        /// Distance between keys.
        step: usize,
    },
}

/// One key specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpec {
    /// Where it begins.
    pub begin: Begin,
    /// How it goes on.
    pub find: Find,
    /// What the command does with these keys.
    pub access: KeyAccess,
}

impl KeySpec {
    /// One key at a fixed word.
    pub const fn single(index: usize) -> KeySpec {
        KeySpec {
            begin: Begin::Index(index),
            find: Find::Range { last: 0, step: 1, limit: 0 },
            access: KeyAccess::UNSTATED,
        }
    }

    /// A count at a fixed word, then as many keys.
    pub const fn counted(index: usize) -> KeySpec {
        KeySpec {
            begin: Begin::Index(index),
            find: Find::Count { first: 1, step: 1 },
            access: KeyAccess::UNSTATED,
        }
    }

    /// One key behind a word, searched for from word `from` on.
    pub const fn behind(word: &'static str, from: usize) -> KeySpec {
        KeySpec {
            begin: Begin::Keyword(word, from),
            find: Find::Range { last: 0, step: 1, limit: 0 },
            access: KeyAccess::UNSTATED,
        }
    }

    /// One key at a fixed word, unless that is empty.
    pub const fn selected(index: usize) -> KeySpec {
        KeySpec { begin: Begin::Selected(index), ..KeySpec::single(index) }
    }

    /// All words behind a word, searched for from word `from` on.
    pub const fn all_behind(word: &'static str, from: usize) -> KeySpec {
        let find = Find::Range { last: -1, step: 1, limit: 0 };
        KeySpec { begin: Begin::Keyword(word, from), find, access: KeyAccess::UNSTATED }
    }

    /// Keys whose names derive from the data.
    pub const fn unknown() -> KeySpec {
        KeySpec { begin: Begin::Unknown, ..KeySpec::single(0) }
    }

    /// States what the command does with these keys.
    #[must_use]
    pub const fn access(mut self, access: KeyAccess) -> KeySpec {
        self.access = access;
        self
    }

    /// Appends the word indexes of this specification's keys in a request. A request that does not
    /// fit the specification (a count that is no number, or larger than the request) is an error.
    ///
    /// # Errors
    /// [`KeysError`], which `COMMAND GETKEYS` turns into Redis's text.
    pub fn find_in<'a>(
        &self,
        words: usize,
        word: impl Fn(usize) -> &'a [u8],
        found: &mut Vec<usize>,
    ) -> Result<(), KeysError> {
        let start = match self.begin {
            Begin::Selected(index) if index < words && word(index).is_empty() => return Ok(()),
            Begin::Index(index) | Begin::Selected(index) => index,
            Begin::Keyword(text, from) => {
                match (from..words).find(|&at| word(at).eq_ignore_ascii_case(text.as_bytes())) {
                    Some(at) => at + 1,
                    None => return Ok(()),
                }
            }
            Begin::Option(option) => match option.find(words, &word) {
                Some(at) => at,
                None => return Ok(()),
            },
            Begin::Unknown => return Ok(()),
        };
        if start >= words {
            return Ok(());
        }
        match self.find {
            Find::Range { last, step, limit } => {
                let end = match (last, limit) {
                    (0.., _) => start + last as usize,
                    (-1, 2..) => start + (words - start) / limit - 1,
                    (negative, _) => words - negative.unsigned_abs() as usize,
                };
                found.extend((start..=end.min(words - 1)).step_by(step));
            }
            Find::Count { first, step } => {
                let count = quoris_resp::parse_i64(word(start)).ok_or(KeysError)?;
                let count = usize::try_from(count).map_err(|_| KeysError)?;
                let end = count.checked_mul(step).and_then(|n| n.checked_add(start + first));
                if end.is_none_or(|end| end > words) {
                    return Err(KeysError);
                }
                found.extend((0..count).map(|n| start + first + n * step));
            }
        }
        Ok(())
    }
}

/// The request does not fit the command's key specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeysError;

/// Derives the key specifications from the arguments of a command.
pub(super) const fn derive(args: &[Arg]) -> [Option<KeySpec>; 3] {
    derive_from(args, 1)
}

/// Derives the key specifications of arguments that begin at word `position`: keys at fixed
/// places, a repeated key or block up to the end, and keys behind a count.
pub(super) const fn derive_from(args: &[Arg], mut position: usize) -> [Option<KeySpec>; 3] {
    let mut specs = [None; 3];
    let mut next = 0;
    let mut at = 0;
    while at < args.len() {
        let arg = &args[at];
        let counts = at > 0 && matches!(args[at - 1].kind, ArgKind::Integer);
        if matches!(arg.kind, ArgKind::Key) && arg.token.is_none() {
            let mut spec = KeySpec::single(position).access(arg.access);
            if arg.multiple && counts {
                spec.begin = Begin::Index(position - 1);
                spec.find = Find::Count { first: 1, step: 1 };
            } else if arg.multiple {
                // Arguments after the repeated one are counted from the end (BLPOP's timeout).
                let behind = words_of(args, at + 1);
                spec.find = Find::Range { last: -1 - behind, step: 1, limit: 0 };
            }
            specs[next] = Some(spec);
            next += 1;
        } else if matches!(arg.kind, ArgKind::Block)
            && arg.multiple
            && matches!(arg.children[0].kind, ArgKind::Key)
        {
            let mut spec = KeySpec::single(position).access(arg.children[0].access);
            spec.find = Find::Range { last: -1, step: arg.children.len(), limit: 0 };
            specs[next] = Some(spec);
            next += 1;
        }
        if arg.optional || arg.multiple {
            break;
        }
        position += arg.words() as usize;
        at += 1;
    }
    specs
}

const fn words_of(args: &[Arg], from: usize) -> i32 {
    let mut words = 0;
    let mut at = from;
    while at < args.len() {
        if !args[at].optional {
            words += args[at].words();
        }
        at += 1;
    }
    words
}
