//! Every error text that a data command can answer with, word for word Redis's.
//!
//! Clients and libraries match on these texts, so each stands here once and nowhere else.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use core::fmt;

/// What a handler returns.
pub type Result<T = (), E = CommandError> = core::result::Result<T, E>;

/// The client's mistake: its text goes out as an error reply and nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandError(Cow<'static, str>);

impl CommandError {
    /// An error with the given text, which begins with its code.
    pub const fn fixed(text: &'static str) -> Self {
        CommandError(Cow::Borrowed(text))
    }

    /// An error whose text quotes the request.
    pub fn text(text: String) -> Self {
        CommandError(Cow::Owned(text))
    }

    /// `ERR wrong number of arguments …`; `name` is the lower-case full name (`config|get`).
    pub fn arity(name: &str) -> Self {
        Self::text(format!("ERR wrong number of arguments for '{name}' command"))
    }

    /// `ERR unknown subcommand …`; `container` is the lower-case name of the command.
    pub fn unknown_subcommand(container: &str, word: &[u8]) -> Self {
        let word = String::from_utf8_lossy(&word[..word.len().min(128)]);
        let container = container.to_ascii_uppercase();
        Self::text(format!("ERR unknown subcommand '{word}'. Try {container} HELP."))
    }

    /// What a container answers to words that fit no subcommand's grammar; `container` is its name in
    /// upper case.
    pub fn bad_subcommand(container: &str, word: &[u8]) -> Self {
        let word = String::from_utf8_lossy(&word[..word.len().min(128)]);
        Self::text(format!(
            "ERR unknown subcommand or wrong number of arguments for '{word}'. Try {container} HELP."
        ))
    }

    /// `ERR invalid expire time …`.
    pub fn invalid_expire(name: &str) -> Self {
        Self::text(format!("ERR invalid expire time in '{name}' command"))
    }

    /// The text, beginning with its code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first word of the text: `ERR`, `WRONGTYPE`, … as `INFO errorstats` counts them.
    pub fn code(&self) -> &str {
        self.0.split(' ').next().unwrap_or_default()
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for CommandError {}

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: CommandError = CommandError::fixed($text);)*
    };
}

errors! {
    /// The key holds another type than the command works on.
    WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";
    /// The options do not fit the command's grammar.
    SYNTAX = "ERR syntax error";
    /// An argument or a stored value is not a 64-bit integer.
    NOT_INTEGER = "ERR value is not an integer or out of range";
    /// An argument is an integer beyond 32 bits where a small one is wanted.
    NOT_INT32 = "ERR value is out of range, value must between -2147483648 and 2147483647";
    /// An argument is not an integer of the range that the command accepts.
    OUT_OF_RANGE = "ERR value is out of range";
    /// An argument has to be positive.
    MUST_BE_POSITIVE = "ERR value is out of range, must be positive";
    /// An argument or a stored value is not a double.
    NOT_FLOAT = "ERR value is not a valid float";
    /// The command needs an existing key.
    NO_SUCH_KEY = "ERR no such key";
    /// An index beyond the list.
    INDEX_OUT_OF_RANGE = "ERR index out of range";
    /// An integer increment would leave the 64-bit range.
    OVERFLOW = "ERR increment or decrement would overflow";
    /// A float increment would leave the finite range.
    NAN_OR_INFINITY = "ERR increment would produce NaN or Infinity";
    /// A string would grow beyond `proto-max-bulk-len`.
    STRING_TOO_LONG = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    /// A negative offset where none is allowed.
    OFFSET_OUT_OF_RANGE = "ERR offset is out of range";
    /// The same key as source and destination.
    SAME_OBJECT = "ERR source and destination objects are the same";
    /// A database number that does not exist.
    DB_OUT_OF_RANGE = "ERR DB index is out of range";
    /// A timeout in seconds that is no number.
    TIMEOUT_NOT_FLOAT = "ERR timeout is not a float or out of range";
    /// A timeout before now.
    TIMEOUT_NEGATIVE = "ERR timeout is negative";
    /// A timeout that ends after all times that can be told.
    TIMEOUT_OUT_OF_RANGE = "ERR timeout is out of range";
    /// A scan cursor that is not a number.
    INVALID_CURSOR = "ERR invalid cursor";
}
