//! How a command is declared, and all that derives from the declaration.
//!
//! A [`Spec`] names the arguments in order. Arity, key positions, ACL categories, `COMMAND`,
//! `COMMAND DOCS`, slot routing and the documentation are computed from it; nothing is said twice.
//! Most of it is computed by the compiler, because specs are constants.

mod argument;
mod flags;
mod keys;

pub use argument::{
    Arg, ArgKind, block, double, integer, key, one_of, pattern, string, token, unix_time,
};
pub use flags::{Categories, Flags, Group};
pub use keys::{Begin, Find, KeyAccess, KeySpec, KeysError, OptionWords};

/// The declaration of a command or subcommand.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Lower-case name; for a subcommand its own word (`get` of `config|get`).
    pub name: &'static str,
    /// What the command is about.
    pub group: Group,
    /// The Redis (or Valkey) release that introduced it.
    pub since: &'static str,
    /// One sentence, in our own words.
    pub summary: &'static str,
    /// How its cost grows, in Redis's notation.
    pub complexity: &'static str,
    /// Its arguments in order, without the name.
    pub args: &'static [Arg],
    /// Its behaviour.
    pub flags: Flags,
    /// ACL categories beyond those that derive from group and flags.
    pub categories: Categories,
    /// Where its keys are; derived from `args` unless given by [`Spec::keys`].
    pub key_specs: KeySpecs,
    /// Number of words including the name; negative if that is a minimum.
    pub arity: i32,
    /// What clients of a cluster and proxies may want to know, in Redis's words.
    ///
    /// Source: <https://redis.io/docs/latest/develop/reference/command-tips/>.
    pub tips: &'static [&'static str],
    /// What a user of Redis would notice, in a sentence; empty if nothing.
    pub differs: &'static str,
}

/// The key specifications of one command: at most three.
pub type KeySpecs = [Option<KeySpec>; 3];

impl Spec {
    /// A declaration without arguments or flags.
    pub const fn new(
        name: &'static str,
        group: Group,
        since: &'static str,
        summary: &'static str,
    ) -> Spec {
        Spec {
            name,
            group,
            since,
            summary,
            complexity: "O(1)",
            args: &[],
            flags: Flags::NONE,
            categories: Categories::NONE,
            key_specs: [None; 3],
            arity: 1,
            tips: &[],
            differs: "",
        }
    }

    /// Declares the arguments; arity and key positions follow.
    #[must_use]
    pub const fn args(mut self, args: &'static [Arg]) -> Spec {
        self.args = args;
        self.arity = argument::arity(args, 1);
        self.key_specs = keys::derive(args);
        self
    }

    /// Declares the arguments of a subcommand, whose words count from the container's name.
    #[must_use]
    pub const fn sub_args(mut self, args: &'static [Arg]) -> Spec {
        self.args = args;
        self.arity = argument::arity(args, 2);
        self.key_specs = keys::derive_from(args, 2);
        self
    }

    /// Overrides the derived arity, where Redis's is looser than its grammar.
    #[must_use]
    pub const fn arity(mut self, arity: i32) -> Spec {
        self.arity = arity;
        self
    }

    /// Overrides the derived key positions.
    #[must_use]
    pub const fn keys(mut self, specs: KeySpecs) -> Spec {
        self.key_specs = specs;
        self
    }

    /// Declares the behaviour.
    #[must_use]
    pub const fn flags(mut self, flags: Flags) -> Spec {
        self.flags = flags;
        self
    }

    /// Declares how the cost grows.
    #[must_use]
    pub const fn complexity(mut self, complexity: &'static str) -> Spec {
        self.complexity = complexity;
        self
    }

    /// Adds ACL categories beyond the derived ones.
    #[must_use]
    pub const fn categories(mut self, categories: Categories) -> Spec {
        self.categories = categories;
        self
    }

    /// Gives tips for clients of a cluster and for proxies.
    #[must_use]
    pub const fn tips(mut self, tips: &'static [&'static str]) -> Spec {
        self.tips = tips;
        self
    }

    /// Says what a user of Redis would notice.
    #[must_use]
    pub const fn differs(mut self, differs: &'static str) -> Spec {
        self.differs = differs;
        self
    }

    /// Whether a request of `words` words, the name included, can be this command.
    #[inline]
    pub const fn accepts(&self, words: usize) -> bool {
        if self.arity >= 0 {
            words == self.arity as usize
        } else {
            words >= self.arity.unsigned_abs() as usize
        }
    }
}
