//! The grammar that `XREAD` and `XREADGROUP` share.

use core::ops::Range;

use crate::command::Args;
use crate::commands::options;
use crate::error::{CommandError, Result, SYNTAX};

const NOT_INTEGER: CommandError =
    CommandError::fixed("ERR timeout is not an integer or out of range");
const NEGATIVE: CommandError = CommandError::fixed("ERR timeout is negative");
const GROUP: CommandError = CommandError::fixed(
    "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
);
const NOACK: CommandError = CommandError::fixed(
    "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
);
const NO_GROUP: CommandError = CommandError::fixed("ERR Missing GROUP option for XREADGROUP");
const UNBALANCED: CommandError = CommandError::fixed(
    "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.",
);
const UNBALANCED_GROUP: CommandError = CommandError::fixed(
    "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be \
     specified.",
);

/// Which of the two commands it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Group,
}

/// A request to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    /// The most entries of each stream.
    pub count: usize,
    /// How long to wait in milliseconds, zero for ever; nothing if the client does not wait.
    pub block_ms: Option<u64>,
    /// Group and consumer.
    pub group: Option<(&'a [u8], &'a [u8])>,
    /// `NOACK`.
    pub no_ack: bool,
    /// The word of the first key.
    first: usize,
    streams: usize,
}

impl<'a> Reading<'a> {
    /// Reads the options.
    ///
    /// # Errors
    /// Redis's texts.
    pub fn parse(args: &Args<'a>, kind: Kind) -> Result<Reading<'a>> {
        let mut reading = Reading {
            count: usize::MAX,
            block_ms: None,
            group: None,
            no_ack: false,
            first: 0,
            streams: 0,
        };
        let mut at = 1;
        while at < args.len() && reading.streams == 0 {
            at += reading.parse_option(args, at, kind)?;
        }
        if reading.streams == 0 {
            return Err(SYNTAX);
        }
        if kind == Kind::Group && reading.group.is_none() {
            return Err(NO_GROUP);
        }
        Ok(reading)
    }

    /// Reads the option at a word, and returns how many words it takes.
    fn parse_option(&mut self, args: &Args<'a>, at: usize, kind: Kind) -> Result<usize> {
        let (word, more) = (args.get(at), args.len() - at - 1);
        if more > 0 && options::is(word, "block") {
            self.block_ms = Some(timeout(args.get(at + 1))?);
            return Ok(2);
        }
        if more > 0 && options::is(word, "count") {
            // Zero and less stand for any number.
            let count = options::integer(args.get(at + 1))?;
            self.count = usize::try_from(count).ok().filter(|&n| n > 0).unwrap_or(usize::MAX);
            return Ok(2);
        }
        if more > 0 && options::is(word, "streams") {
            if !more.is_multiple_of(2) {
                return Err(if kind == Kind::Group { UNBALANCED_GROUP } else { UNBALANCED });
            }
            (self.first, self.streams) = (at + 1, more / 2);
            return Ok(1 + more);
        }
        if more > 1 && options::is(word, "group") {
            if kind == Kind::Plain {
                return Err(GROUP);
            }
            self.group = Some((args.get(at + 1), args.get(at + 2)));
            return Ok(3);
        }
        if options::is(word, "noack") {
            if kind == Kind::Plain {
                return Err(NOACK);
            }
            self.no_ack = true;
            return Ok(1);
        }
        Err(SYNTAX)
    }

    /// The words that are keys.
    pub fn keys(&self) -> Range<usize> {
        self.first..self.first + self.streams
    }

    /// The word that says from where on to read the stream whose key is this word.
    pub fn id_of(&self, key: usize) -> usize {
        key + self.streams
    }
}

fn timeout(text: &[u8]) -> Result<u64> {
    u64::try_from(options::integer_or(text, NOT_INTEGER)?).map_err(|_| NEGATIVE)
}
