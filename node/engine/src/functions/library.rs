//! One library: the line that names it, and the functions that it registers.
//!
//! Source: <https://redis.io/docs/latest/develop/programmability/functions-intro/>.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use crate::command::Args;
use crate::error::{CommandError, Result};
use crate::scripting::{Part, Registered, Script, ScriptFlags, ScriptHost, Sha};

const NO_METADATA: CommandError = CommandError::fixed("ERR Missing library metadata");
const BAD_METADATA: CommandError = CommandError::fixed("ERR Invalid library metadata");
const NO_NAME: CommandError = CommandError::fixed("ERR Library name was not given");
const NAME_TWICE: CommandError =
    CommandError::fixed("ERR Invalid metadata value, name argument was given multiple times");
const BAD_NAME: CommandError = CommandError::fixed(
    "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long",
);
const NO_FUNCTIONS: CommandError = CommandError::fixed("ERR No functions registered");

/// A library that is loaded.
#[derive(Clone, Debug)]
pub(crate) struct Library {
    /// Its name: letters, digits and underscores.
    pub name: String,
    /// Its text, as the client sent it.
    pub source: Rc<[u8]>,
    /// What it registered, in order.
    pub functions: Vec<Function>,
}

/// A function of a library.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    /// Its name.
    pub name: String,
    /// What the library says about it.
    pub description: Option<Vec<u8>>,
    /// How it runs.
    pub script: Rc<Script>,
}

/// A text whose first line is understood: `#!lua name=library`.
pub(crate) struct Header<'a> {
    name: String,
    source: &'a [u8],
    /// Where the first line ends.
    begin: usize,
}

impl<'a> Header<'a> {
    /// Reads the first line.
    ///
    /// # Errors
    /// Redis's texts for a line that is not understood.
    pub(crate) fn parse(source: &'a [u8]) -> Result<Self> {
        if !source.starts_with(b"#!") {
            return Err(NO_METADATA);
        }
        let begin = memchr::memchr(b'\n', source).ok_or(BAD_METADATA)?;
        let (mut spans, mut bytes) = (Vec::new(), Vec::new());
        quoris_resp::split_words(&source[..begin], &mut spans, &mut bytes)
            .map_err(|_| BAD_METADATA)?;
        let words = Args::new(&bytes, &spans);
        let mut name = None;
        for word in words.from(1) {
            match word.split_at_checked(5) {
                Some((key, value)) if key.eq_ignore_ascii_case(b"name=") => {
                    if name.replace(value).is_some() {
                        return Err(NAME_TWICE);
                    }
                }
                _ => {
                    let word = String::from_utf8_lossy(word);
                    let text = format!("ERR Invalid metadata value given: {word}");
                    return Err(CommandError::text(text));
                }
            }
        }
        let name = name.ok_or(NO_NAME)?;
        check_name(name)?;
        check_engine(&words[0][2..])?;
        let name = String::from_utf8_lossy(name).into_owned();
        Ok(Header { name, source, begin })
    }

    /// The library's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Lets the library register its functions.
    ///
    /// # Errors
    /// Redis's texts around what the compiler or the library itself says.
    pub(crate) fn load(self, host: &mut dyn ScriptHost) -> Result<Library> {
        let source: Rc<[u8]> = self.source.into();
        let sha = Sha::of(&source);
        let script = |part, flags| {
            let (source, begin) = (Rc::clone(&source), self.begin);
            Rc::new(Script { sha, source, begin, flags, part })
        };
        let program = script(Part::Library, ScriptFlags::NONE);
        let failed =
            |what: &str, why: String| CommandError::text(format!("ERR Error {what}: {why}"));
        host.compile(&program).map_err(|why| failed("compiling function", why))?;
        let registered = host.load(&program);
        let registered = registered.map_err(|why| failed("registering functions", why))?;
        if registered.is_empty() {
            return Err(NO_FUNCTIONS);
        }
        let functions = registered.into_iter().map(|Registered { name, description, flags }| {
            let part = Part::Function(name.as_str().into());
            Function { name, description, script: script(part, flags) }
        });
        Ok(Library { functions: functions.collect(), name: self.name, source })
    }
}

fn check_name(name: &[u8]) -> Result {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    if name.is_empty() || !name.iter().all(fits) { Err(BAD_NAME) } else { Ok(()) }
}

fn check_engine(name: &[u8]) -> Result {
    if name.eq_ignore_ascii_case(b"lua") {
        return Ok(());
    }
    let name = String::from_utf8_lossy(name);
    Err(CommandError::text(format!("ERR Engine '{name}' not found")))
}

/// A function of this name is another library's.
pub(super) fn function_exists(name: &str) -> CommandError {
    CommandError::text(format!("ERR Function {name} already exists"))
}
