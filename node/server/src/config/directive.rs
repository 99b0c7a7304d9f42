//! What a directive is: one declaration from which parsing, `CONFIG GET`, `CONFIG SET`,
//! `CONFIG REWRITE`, `--help` and the reference page are derived.

/// A directive as declared in the table.
#[derive(Clone, Copy, Debug)]
pub struct Directive {
    /// Lower-case name; Redis's, wherever Redis has one.
    pub name: &'static str,
    /// An older name that means the same.
    pub alias: Option<&'static str>,
    /// What its value looks like, and the default.
    pub kind: Kind,
    /// When it may be changed.
    pub when: When,
    /// What it does here.
    pub effect: Effect,
    /// True for secrets, which logs do not repeat.
    pub sensitive: bool,
    /// One sentence for people.
    pub summary: &'static str,
}

/// The form of a value, with its default.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `yes` or `no`.
    Bool {
        /// Default.
        default: bool,
    },
    /// A decimal integer in a range.
    Integer {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
        /// Default.
        default: i64,
    },
    /// A decimal integer that is moved into a range instead of being refused.
    Clamped {
        /// Smallest that is kept.
        min: i64,
        /// Largest that is kept.
        max: i64,
        /// Default.
        default: i64,
    },
    /// Bytes, with an optional unit: `k m g` count in thousands, `kb mb gb` in 1024.
    Memory {
        /// Smallest, in bytes.
        min: i64,
        /// Largest, in bytes.
        max: i64,
        /// Default, in bytes.
        default: i64,
    },
    /// Bytes, or a percentage, which is kept as a negative number.
    MemoryOrPercent {
        /// Default, in bytes.
        default: i64,
    },
    /// An octal number, as for file modes.
    Octal {
        /// Largest.
        max: i64,
        /// Default.
        default: i64,
    },
    /// One of some words, kept as an index.
    Choice {
        /// The words.
        of: &'static [&'static str],
        /// Default.
        default: &'static str,
    },
    /// Some of some words.
    Choices {
        /// The words.
        of: &'static [&'static str],
        /// Default.
        default: &'static str,
    },
    /// Any text that passes the check.
    Text {
        /// Default.
        default: &'static str,
        /// Refuses a text with the reason.
        check: fn(&str) -> Result<(), String>,
    },
    /// Any number of words that together pass the check.
    Words {
        /// Default.
        default: &'static [&'static str],
        /// Refuses the words with the reason, or says how they are kept.
        check: fn(&[&str]) -> Result<Vec<String>, String>,
        /// True if several lines of a file add up.
        accumulates: bool,
    },
    /// `normal|replica|pubsub <hard> <soft> <soft seconds>`, any number of times.
    BufferLimits,
    /// Letters that each stand for a class of events, kept as bits.
    KeyspaceEvents,
}

impl Kind {
    /// True if the value is any number of words.
    pub fn takes_many(&self) -> bool {
        matches!(self, Kind::Words { .. } | Kind::Choices { .. } | Kind::BufferLimits)
    }
}

/// When a directive may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Any time, by `CONFIG SET`.
    Running,
    /// In the file or by a flag only.
    Starting,
    /// By `CONFIG SET` only where `enable-protected-configs` allows it.
    Protected,
}

/// What a directive does in this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// What its summary says.
    Applies,
    /// Nothing: accepted for the sake of files and tools written for Redis. The reason is told when
    /// somebody asks for anything but the default.
    Ignored(&'static str),
    /// Anything but the default is refused, because ignoring it would betray who wrote it.
    Refused(&'static str),
}

impl Directive {
    const fn new(name: &'static str, kind: Kind, summary: &'static str) -> Directive {
        Directive {
            name,
            alias: None,
            kind,
            when: When::Running,
            effect: Effect::Applies,
            sensitive: false,
            summary,
        }
    }

    pub(super) const fn alias(mut self, alias: &'static str) -> Directive {
        self.alias = Some(alias);
        self
    }

    pub(super) const fn at_start(mut self) -> Directive {
        self.when = When::Starting;
        self
    }

    pub(super) const fn protected(mut self) -> Directive {
        self.when = When::Protected;
        self
    }

    pub(super) const fn sensitive(mut self) -> Directive {
        self.sensitive = true;
        self
    }

    pub(super) const fn ignored(mut self, why: &'static str) -> Directive {
        self.effect = Effect::Ignored(why);
        self
    }

    pub(super) const fn refused(mut self, why: &'static str) -> Directive {
        self.effect = Effect::Refused(why);
        self
    }

    pub(super) const fn checked(mut self, check: fn(&str) -> Result<(), String>) -> Directive {
        if let Kind::Text { default, .. } = self.kind {
            self.kind = Kind::Text { default, check };
        }
        self
    }

    /// True if `name` is the directive's name or alias, in either case.
    pub fn is_called(&self, name: &str) -> bool {
        self.names().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// The name and the alias.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        core::iter::once(self.name).chain(self.alias)
    }
}

pub(super) const fn flag(name: &'static str, default: bool, summary: &'static str) -> Directive {
    Directive::new(name, Kind::Bool { default }, summary)
}

pub(super) const fn integer(
    name: &'static str,
    (min, max): (i64, i64),
    default: i64,
    summary: &'static str,
) -> Directive {
    Directive::new(name, Kind::Integer { min, max, default }, summary)
}

pub(super) const fn memory(
    name: &'static str,
    (min, max): (i64, i64),
    default: i64,
    summary: &'static str,
) -> Directive {
    Directive::new(name, Kind::Memory { min, max, default }, summary)
}

pub(super) const fn choice(
    name: &'static str,
    of: &'static [&'static str],
    default: &'static str,
    summary: &'static str,
) -> Directive {
    Directive::new(name, Kind::Choice { of, default }, summary)
}

pub(super) const fn text(
    name: &'static str,
    default: &'static str,
    summary: &'static str,
) -> Directive {
    Directive::new(name, Kind::Text { default, check: |_| Ok(()) }, summary)
}

pub(super) const fn special(name: &'static str, kind: Kind, summary: &'static str) -> Directive {
    Directive::new(name, kind, summary)
}
