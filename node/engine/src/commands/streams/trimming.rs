//! The options of `XADD` and `XTRIM`: what to remove, how exactly, and what becomes of references.

use crate::command::Args;
use crate::commands::options;
use crate::error::{CommandError, Result, SYNTAX};
use crate::settings::Settings;
use crate::spec::{Arg, integer, one_of, string, token};
use crate::types::stream::{References, Threshold, Trim};

use super::arguments;

pub(super) const STRATEGY: Arg =
    one_of("strategy", &[token("maxlen", "MAXLEN"), token("minid", "MINID")]);
pub(super) const OPERATOR: Arg =
    one_of("operator", &[token("equal", "="), token("approximately", "~")]).optional();
pub(super) const THRESHOLD: Arg = string("threshold");
pub(super) const LIMIT: Arg = integer("count").after("LIMIT").optional();
pub(super) const REFERENCES: Arg = one_of(
    "condition",
    &[token("keepref", "KEEPREF"), token("delref", "DELREF"), token("acked", "ACKED")],
)
.optional();

const BOTH: CommandError = CommandError::fixed(
    "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
);
const NEGATIVE_LENGTH: CommandError = CommandError::fixed("ERR The MAXLEN argument must be >= 0.");
const NEGATIVE_LIMIT: CommandError = CommandError::fixed("ERR The LIMIT argument must be >= 0.");
const LIMIT_ALONE: CommandError = CommandError::fixed(
    "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
);
const LIMIT_EXACT: CommandError =
    CommandError::fixed("ERR syntax error, LIMIT cannot be used without the special ~ option");

/// The options of `XADD` before its id, or those of `XTRIM`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Options {
    threshold: Option<Threshold>,
    approximate: bool,
    limit: Option<u64>,
    references: Option<References>,
    /// `NOMKSTREAM`.
    pub keep_missing: bool,
}

impl Options {
    /// Reads options from word 2 on, and returns them with the first word that is none.
    ///
    /// # Errors
    /// Those of the single options.
    pub fn parse(args: &Args<'_>) -> Result<(Options, usize)> {
        let mut options = Options::default();
        let mut at = 2;
        while let Some(word) = args.try_get(at) {
            let more = at + 1 < args.len();
            let known = match word.len() {
                5 if more && options::is(word, "limit") => {
                    options.parse_limit(args.get(at + 1))?;
                    2
                }
                5 if more && options::is(word, "minid") => options.parse_threshold(args, at)?,
                6 if more && options::is(word, "maxlen") => options.parse_threshold(args, at)?,
                10 if options::is(word, "nomkstream") => {
                    options.keep_missing = true;
                    1
                }
                _ => usize::from(options.parse_references(word)?),
            };
            if known == 0 {
                break;
            }
            at += known;
        }
        Ok((options, at))
    }

    fn parse_limit(&mut self, text: &[u8]) -> Result {
        let limit = options::integer(text)?;
        self.limit = Some(u64::try_from(limit).map_err(|_| NEGATIVE_LIMIT)?);
        Ok(())
    }

    /// Reads `MAXLEN | MINID [= | ~] threshold`, and returns how many words that were.
    fn parse_threshold(&mut self, args: &Args<'_>, at: usize) -> Result<usize> {
        if self.threshold.is_some() {
            return Err(BOTH);
        }
        let operator = at + 2 < args.len() && matches!(args.get(at + 1), b"~" | b"=");
        self.approximate = operator && args.get(at + 1) == b"~";
        let words = 2 + usize::from(operator);
        let text = args.get(at + words - 1);
        self.threshold = Some(if options::is(args.get(at), "maxlen") {
            let most = options::integer(text)?;
            Threshold::Length(u64::try_from(most).map_err(|_| NEGATIVE_LENGTH)?)
        } else {
            Threshold::Id(arguments::id(text, 0)?)
        });
        Ok(words)
    }

    fn parse_references(&mut self, word: &[u8]) -> Result<bool> {
        let Some(references) = references(word) else { return Ok(false) };
        match self.references.replace(references) {
            None => Ok(true),
            Some(_) => Err(SYNTAX),
        }
    }

    /// Whether nothing says what to remove, nor how much of it.
    pub fn ask_for_nothing(&self) -> bool {
        self.threshold.is_none() && self.limit.unwrap_or(0) == 0
    }

    /// The trimming that the options ask for, if any.
    ///
    /// # Errors
    /// That `LIMIT` has nothing to limit.
    pub fn trim(&self, settings: &Settings) -> Result<Option<Trim>> {
        let Some(threshold) = self.threshold else {
            return match self.limit {
                None => Ok(None),
                Some(0) => Err(LIMIT_EXACT),
                Some(_) => Err(LIMIT_ALONE),
            };
        };
        let limit = match self.limit {
            Some(_) if !self.approximate => return Err(LIMIT_EXACT),
            Some(limit) => limit,
            None if self.approximate => default_limit(settings),
            None => 0,
        };
        let references = self.references.unwrap_or_default();
        Ok(Some(Trim { threshold, approximate: self.approximate, limit, references }))
    }
}

/// How many entries may go at once if nothing is said: a hundred nodes of them.
fn default_limit(settings: &Settings) -> u64 {
    match settings.stream_node_entries.saturating_mul(100) {
        0 => 10_000,
        limit => limit.min(1_000_000),
    }
}

/// What `KEEPREF`, `DELREF` and `ACKED` mean.
pub(super) fn references(word: &[u8]) -> Option<References> {
    match () {
        () if options::is(word, "keepref") => Some(References::Keep),
        () if options::is(word, "delref") => Some(References::Delete),
        () if options::is(word, "acked") => Some(References::Acknowledged),
        () => None,
    }
}
