//! What can be wrong with a configuration.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a node cannot start with the configuration it was given; one line that says where.
#[derive(Debug)]
pub struct ConfigError {
    pub(super) place: Place,
    pub(super) problem: String,
}

impl ConfigError {
    /// An argument that belongs to no flag.
    pub(crate) fn stray(argument: &str) -> Self {
        let problem =
            format!("'{argument}' is neither a file in front nor a --directive, see --help");
        ConfigError { place: Place::Flags, problem }
    }
}

/// Where a directive was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a file, at a line counted from one; line zero is the file itself.
    File(PathBuf, usize),
    /// On the command line.
    Flags,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(path, 0) => write!(f, "{}", path.display()),
            Place::File(path, line) => write!(f, "{}:{line}", path.display()),
            Place::Flags => f.write_str("command line"),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

impl std::error::Error for ConfigError {}

/// Why `CONFIG SET` changed nothing; prints as Redis's reply, code included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetError {
    /// No directive has this name.
    Unknown(String),
    /// The directive cannot have this value, or not now.
    Failed {
        /// The directive.
        name: String,
        /// Why.
        reason: String,
    },
}

impl SetError {
    /// The reply for a directive whose new value is valid but could not be put into effect.
    pub fn failed(name: &str, reason: impl Into<String>) -> Self {
        SetError::Failed { name: name.into(), reason: reason.into() }
    }
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SetError::Unknown(name) => {
                write!(f, "ERR Unknown option or number of arguments for CONFIG SET - '{name}'")
            }
            SetError::Failed { name, reason } => write!(
                f,
                "ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}"
            ),
        }
    }
}

impl std::error::Error for SetError {}

/// Why `CONFIG REWRITE` failed; prints as Redis's reply, code included.
#[derive(Debug)]
pub enum RewriteError {
    /// The node was started without a file.
    NoFile,
    /// The file could not be read or replaced.
    Io(io::Error),
}

impl fmt::Display for RewriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RewriteError::NoFile => f.write_str("ERR The server is running without a config file"),
            RewriteError::Io(error) => write!(f, "ERR Rewriting config file: {error}"),
        }
    }
}

impl std::error::Error for RewriteError {}

impl From<io::Error> for RewriteError {
    fn from(error: io::Error) -> Self {
        RewriteError::Io(error)
    }
}
