//! How a command of the tool can fail: one line that says what to do, and an
//! exit code that a script can act on.

use std::fmt;

/// The exit codes, as the manual page (`cluster-cli --help`) lists them.
/// 2 is clap's: the command line could not be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// `check` found that part of the cluster cannot be served.
    Broken = 1,
    /// A node did not answer, or did not let us in.
    Unreachable = 3,
    /// Nothing was changed: a precondition does not hold, or the answer was no.
    Refused = 4,
    /// It was begun, but not finished in the time allowed.
    Unfinished = 5,
    /// `check` found that everything is served, with less redundancy than meant.
    Degraded = 6,
}

/// What ended a command early.
#[derive(Debug)]
pub struct Failure {
    /// What the process exits with.
    pub code: Code,
    message: String,
}

impl Failure {
    /// A failure whose message is one line and names the way out.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into().replace(['\r', '\n'], " ") }
    }

    /// Nothing was changed.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Code::Refused, message)
    }

    /// A node did not answer.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self::new(Code::Unreachable, message)
    }

    /// Begun, not finished.
    pub fn unfinished(message: impl Into<String>) -> Self {
        Self::new(Code::Unfinished, message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

/// The result of a command or of a step of one.
pub type Outcome<T = ()> = Result<T, Failure>;
