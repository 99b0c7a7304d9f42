//! What the commands that change the libraries do to them.

use alloc::format;
use alloc::string::String;

use super::library::Header;
use super::{Functions, Library};
use crate::command::Args;
use crate::error::{CommandError, Result};
use crate::rdb::{FUNCTION, FUNCTION_BEFORE_RELEASE, Input, unsealed};
use crate::scripting::ScriptHost;

const NOT_FOUND: CommandError = CommandError::fixed("ERR Library not found");
const FLUSH_OPTIONS: CommandError =
    CommandError::fixed("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
const BAD_POLICY: CommandError = CommandError::fixed(
    "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
);
const BAD_PAYLOAD: CommandError =
    CommandError::fixed("ERR DUMP payload version or checksum are wrong");
const NOT_A_FUNCTION: CommandError = CommandError::fixed("ERR given type is not a function");
const TOO_OLD: CommandError = CommandError::fixed("ERR Pre-release function format not supported.");
const CUT_OFF: CommandError = CommandError::fixed("ERR Failed loading library payload");

/// What a client wants to be done to the libraries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change<'a> {
    Load { source: &'a [u8], replace: bool },
    Delete { name: &'a [u8] },
    Flush,
    Restore { payload: &'a [u8], policy: Policy },
}

/// What `FUNCTION RESTORE` does about libraries that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// They go.
    Flush,
    /// They must have other names.
    Append,
    /// Those of the same name go.
    Replace,
}

/// What a change answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// `OK`.
    Done,
    /// The name of the library that was loaded.
    Loaded(String),
}

impl<'a> Change<'a> {
    /// The change that a request for `FUNCTION LOAD`, `DELETE`, `FLUSH` or `RESTORE` wants.
    ///
    /// # Errors
    /// Redis's texts for options that there are not.
    pub(crate) fn of(args: &Args<'a>) -> Result<Self> {
        let is = |word: &str| args[1].eq_ignore_ascii_case(word.as_bytes());
        if is("load") {
            return Self::load(args);
        }
        if is("delete") {
            return Ok(Change::Delete { name: args.get(2) });
        }
        if is("flush") {
            return Self::flush(args);
        }
        assert!(is("restore"), "no other subcommand changes functions");
        Self::restore(args)
    }

    fn load(args: &Args<'a>) -> Result<Self> {
        let last = args.len() - 1;
        let mut replace = false;
        for word in args.from(2).take(last - 2) {
            if !word.eq_ignore_ascii_case(b"replace") {
                let word = String::from_utf8_lossy(word);
                return Err(CommandError::text(format!("ERR Unknown option given: {word}")));
            }
            replace = true;
        }
        Ok(Change::Load { source: args.get(last), replace })
    }

    fn flush(args: &Args<'a>) -> Result<Self> {
        if args.len() > 3 {
            return Err(CommandError::bad_subcommand("FUNCTION", args.get(1)));
        }
        let known =
            |word: &[u8]| word.eq_ignore_ascii_case(b"sync") || word.eq_ignore_ascii_case(b"async");
        let fits = args.try_get(2).is_none_or(known);
        if fits { Ok(Change::Flush) } else { Err(FLUSH_OPTIONS) }
    }

    fn restore(args: &Args<'a>) -> Result<Self> {
        if args.len() > 4 {
            return Err(CommandError::bad_subcommand("FUNCTION", args.get(1)));
        }
        let policy = match args.try_get(3).map(<[u8]>::to_ascii_lowercase).as_deref() {
            None | Some(b"append") => Policy::Append,
            Some(b"replace") => Policy::Replace,
            Some(b"flush") => Policy::Flush,
            Some(_) => return Err(BAD_POLICY),
        };
        Ok(Change::Restore { payload: args.get(2), policy })
    }
}

impl Functions {
    /// Makes a change, or part of it if it fails: to be called on a copy.
    ///
    /// # Errors
    /// Redis's texts for what cannot be done.
    pub(crate) fn make(&mut self, change: Change<'_>, host: &mut dyn ScriptHost) -> Result<Answer> {
        match change {
            Change::Load { source, replace } => return self.load(source, replace, host),
            Change::Delete { name } => self.delete(name)?,
            Change::Flush => self.clear(),
            Change::Restore { payload, policy } => self.restore_payload(payload, policy, host)?,
        }
        Ok(Answer::Done)
    }

    fn load(&mut self, source: &[u8], replace: bool, host: &mut dyn ScriptHost) -> Result<Answer> {
        let header = Header::parse(source)?;
        let name = String::from(header.name());
        if !replace && self.libraries.contains_key(&name) {
            if !self.is_unasked(&name, source) {
                return Err(CommandError::text(format!("ERR Library '{name}' already exists")));
            }
            self.unasked.remove(&name);
        } else {
            self.link(header.load(host)?)?;
        }
        Ok(Answer::Loaded(name))
    }

    fn delete(&mut self, name: &[u8]) -> Result {
        let name = core::str::from_utf8(name).map_err(|_| NOT_FOUND)?;
        let found = self.unlink(name) || self.departed.remove(name);
        if found { Ok(()) } else { Err(NOT_FOUND) }
    }

    fn clear(&mut self) {
        *self = Functions { version: self.version, ..Functions::default() };
    }

    fn restore_payload(
        &mut self,
        payload: &[u8],
        policy: Policy,
        host: &mut dyn ScriptHost,
    ) -> Result {
        let restored = read_payload(payload, host)?;
        if policy == Policy::Flush {
            self.clear();
        }
        for library in restored.libraries() {
            let name = &library.name;
            if policy != Policy::Append || !self.libraries.contains_key(name) {
                continue;
            }
            if !self.is_unasked(name, &library.source) {
                return Err(CommandError::text(format!("ERR Library {name} already exists")));
            }
        }
        // Those that are to be replaced make room for each other's functions.
        for library in restored.libraries() {
            self.unlink(&library.name);
        }
        restored.libraries().try_for_each(|library| self.link(Library::clone(library)))
    }
}

/// The libraries of a payload.
fn read_payload(payload: &[u8], host: &mut dyn ScriptHost) -> Result<Functions> {
    let mut input = Input::new(unsealed(payload).map_err(|_| BAD_PAYLOAD)?);
    let mut restored = Functions::default();
    while !input.is_empty() {
        match input.byte() {
            Ok(FUNCTION) => {}
            Ok(FUNCTION_BEFORE_RELEASE) => return Err(TOO_OLD),
            _ => return Err(NOT_A_FUNCTION),
        }
        let source = input.string().map_err(|_| CUT_OFF)?;
        restored.load(&source, false, host)?;
    }
    Ok(restored)
}
