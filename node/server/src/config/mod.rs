//! The configuration of a node.
//!
//! A directive is declared once, in [`table`]: its name, the form of its value, its default, when it
//! may change, what it does, and a sentence for people. Everything else follows from there:
//!
//! - a file in Redis's format and `--directive value …` flags ([`Config::load`]), where a name that
//!   is not in the table is an error that suggests the nearest one;
//! - `CONFIG GET` with patterns, `CONFIG SET` of several directives or none of them, `CONFIG
//!   REWRITE` which keeps the order and the comments of the file, all in Redis's words;
//! - cheap typed access ([`Config::maxclients`] and its siblings): an index and a match;
//! - `--help` and `docs/configuration.md` ([`reference`]).
//!
//! Names and forms are Redis's, so that a `redis.conf` can be used as it is. What Redis knows and
//! this server has no use for is accepted with a notice; what would betray its author if it were
//! ignored (encryption, a foreign master) is refused.
//!
//! Invariant: a configuration holds a valid value for every directive at any time.

mod access;
mod buffer_limits;
mod checks;
mod choices;
mod directive;
mod error;
mod get;
mod keyspace_events;
mod load;
pub mod reference;
mod rewrite;
mod set;
mod suggest;
pub mod table;
mod value;

use std::path::{Path, PathBuf};

pub use buffer_limits::{BufferLimit, BufferLimits, ClientClass};
pub use choices::{AppendFsync, EndpointType, LogFormat, LogLevel, MaxMemoryPolicy, Permission};
pub use directive::{Directive, Effect, Kind, When};
pub use error::{ConfigError, RewriteError, SetError};
pub use keyspace_events::KeyspaceEvents;
pub use load::Flag;
pub use set::{Change, Changed};
pub use value::Value;

use table::DIRECTIVES;

/// The values of all directives of one node.
#[derive(Clone, Debug)]
pub struct Config {
    /// One for each directive, in the order of [`DIRECTIVES`].
    values: Vec<Value>,
    /// Which directives a file or a flag gives.
    given: Vec<bool>,
    /// Which directives an included file gives: the main file has to overrule those.
    included: Vec<bool>,
    /// The file that was read, and that `CONFIG REWRITE` writes.
    file: Option<PathBuf>,
    notices: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            values: DIRECTIVES.iter().map(Directive::default_value).collect(),
            given: vec![false; DIRECTIVES.len()],
            included: vec![false; DIRECTIVES.len()],
            file: None,
            notices: Vec::new(),
        }
    }
}

impl Config {
    /// The file that was read at the start.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// What the operator should be told at the start: directives that were set and have no effect.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The value of a directive, if a file or a flag gave it.
    pub fn given(&self, name: &str) -> Option<String> {
        table::find(name).filter(|index| self.given[*index]).and_then(|_| self.print(name))
    }

    /// Takes over what a directive is for all nodes of the shard, whatever this one was told. False
    /// if it is that already.
    ///
    /// # Panics
    /// If there is no such directive or the value is none for it.
    pub(crate) fn follow(&mut self, name: &str, value: &str) -> bool {
        let index = table::find(name).expect("a replicated setting is a directive");
        let value = DIRECTIVES[index].parse(&[value], &self.values[index]);
        let value = value.expect("a replicated setting was checked when it was set");
        let is_news = self.values[index] != value;
        self.values[index] = value;
        is_news
    }

    /// The value of a directive as `CONFIG GET` prints it; `None` for an unknown name.
    pub fn print(&self, name: &str) -> Option<String> {
        table::find(name).map(|index| DIRECTIVES[index].print(&self.values[index]))
    }
}

#[cfg(test)]
mod tests;
