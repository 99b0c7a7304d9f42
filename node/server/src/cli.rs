//! The command line: `quoris-node [quoris.conf] [--directive value …] [--version] [--help]`.

use std::path::Path;

use crate::config::{Config, ConfigError, Flag, reference};

/// The version of Redis whose behaviour clients may expect; they look for features by it.
pub const REDIS_VERSION: &str = "7.2.5";

/// What the command line asks for.
#[derive(Debug)]
pub enum Invocation {
    /// Run a node.
    Run(Box<Config>),
    /// Print this and be done.
    Print(String),
}

/// Reads the arguments behind the program's name.
///
/// # Errors
/// [`ConfigError`], one line for the standard error; the exit status should not be zero.
pub fn parse(arguments: &[String]) -> Result<Invocation, ConfigError> {
    let asks_for = |names: &[&str]| arguments.iter().any(|argument| names.contains(&&**argument));
    if asks_for(&["--help", "-h"]) {
        return Ok(Invocation::Print(reference::help()));
    }
    if asks_for(&["--version", "-v"]) {
        return Ok(Invocation::Print(version()));
    }
    let (file, rest) = match arguments.split_first() {
        Some((first, rest)) if !first.starts_with('-') => (Some(Path::new(first)), rest),
        _ => (None, arguments),
    };
    let flags = flags(rest.iter().map(String::as_str))?;
    Config::load(file, &flags).map(|config| Invocation::Run(Box::new(config)))
}

fn version() -> String {
    format!("quoris-node {} (speaks as Redis {REDIS_VERSION})\n", env!("CARGO_PKG_VERSION"))
}

/// Groups arguments into flags. Two dashes begin a flag, unless the flag before is still without a
/// value: a password may begin with anything.
pub(crate) fn flags<'a>(
    arguments: impl Iterator<Item = &'a str>,
) -> Result<Vec<Flag>, ConfigError> {
    let mut flags: Vec<Flag> = Vec::new();
    for argument in arguments {
        let is_named = |flag: &Flag| !flag.words.is_empty();
        match argument.strip_prefix("--") {
            Some(name) if !name.is_empty() && flags.last().is_none_or(is_named) => {
                flags.push(Flag { name: name.into(), words: Vec::new() });
            }
            _ => match flags.last_mut() {
                Some(flag) => flag.words.push(argument.into()),
                None => return Err(ConfigError::stray(argument)),
            },
        }
    }
    Ok(flags)
}
