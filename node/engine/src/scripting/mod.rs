//! Scripts: what the engine keeps of them, and what it asks of the host that runs them.
//!
//! The engine knows no Lua. It keeps the *cache* of scripts, which is replicated state like any key:
//! `EVAL` and `SCRIPT LOAD` put a script into it when their entry is applied, so `EVALSHA` finds it
//! on every replica, after a failover and after a snapshot. To run a script it calls a
//! [`ScriptHost`] and hands it [`Calls`], through which the script reaches the commands.
//!
//! A script that may write runs in an entry, on every replica, so its host has to be a function of
//! what it is given: source, keys, arguments, replies, and [`Calls::now_ms`]. What it compiles it
//! may keep, as that can be derived again.
//!
//! ```text
//! EVAL          an entry ──► WriteCx ──► ScriptHost::run ──► Calls::call ──► handlers
//! EVAL_RO       a read   ──► ReadCx  ──► ScriptHost::run ──► Calls::call ──► reading handlers
//! ```

mod cache;
mod calls;
mod facts;
mod here;
mod persist;
mod rules;
mod sha;
mod shebang;

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::cell::RefCell;

use quoris_resp::{Protocol, Writer};

pub(crate) use cache::Cache;
pub(crate) use calls::{Reading, Reads, Writing};
pub use facts::ScriptingFacts;
pub use sha::Sha;
pub use shebang::ScriptFlags;

use crate::command::Args;
use crate::error::{CommandError, Result};
use crate::functions::Functions;

/// A script that can be run, or a function of a library.
#[derive(Debug)]
pub struct Script {
    /// The name by which `EVALSHA` knows it; of a function, that of its library's text.
    pub sha: Sha,
    /// Its text, as the client sent it; of a function, that of its library.
    pub source: Rc<[u8]>,
    /// Where in the text the program begins, behind a `#!lua` line but with its line break, so that
    /// lines keep their numbers.
    pub begin: usize,
    /// What that line says; without one a script may do what scripts could before there were flags.
    pub flags: ScriptFlags,
    /// What of the text is to run.
    pub part: Part,
}

/// What of a text is to run.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it: it is a script.
    Whole,
    /// The registration of functions: it is a library.
    Library,
    /// The function of this name, which the library registers.
    Function(Box<str>),
}

impl Script {
    /// The script with this text.
    ///
    /// # Errors
    /// That its first line promises something that is not there.
    pub fn new(source: &[u8]) -> Result<Script> {
        let (flags, begin) = shebang::parse(source)?;
        Ok(Script { sha: Sha::of(source), source: source.into(), begin, flags, part: Part::Whole })
    }

    /// What errors call it: its hash, or the name of the function.
    pub fn title(&self) -> String {
        match &self.part {
            Part::Function(name) => name.to_string(),
            Part::Whole | Part::Library => self.sha.to_string(),
        }
    }

    /// The program, without the line that states flags.
    pub fn program(&self) -> &[u8] {
        &self.source[self.begin..]
    }
}

/// What a script is called with.
#[derive(Clone, Copy)]
pub struct Parameters<'a> {
    args: Args<'a>,
    first: usize,
    keys: usize,
}

impl<'a> Parameters<'a> {
    /// The keys.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone {
        self.args.from(self.first).take(self.keys)
    }

    /// The arguments behind the keys.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone {
        self.args.from(self.first + self.keys)
    }

    /// Reads the count in word 2 and what it counts.
    ///
    /// # Errors
    /// Redis's texts for a count that is none, or too large, or negative.
    pub(crate) fn of(args: Args<'a>) -> Result<Self> {
        Self::counted(args, crate::error::NOT_INTEGER)
    }

    /// The same where a count that is no number is reported as `not_a_count`.
    ///
    /// # Errors
    /// As above.
    pub(crate) fn counted(args: Args<'a>, not_a_count: CommandError) -> Result<Self> {
        let count = quoris_resp::parse_i64(&args[2]).ok_or(not_a_count)?;
        if count > args.len() as i64 - 3 {
            return Err(TOO_MANY_KEYS);
        }
        let keys = usize::try_from(count).map_err(|_| NEGATIVE_KEYS)?;
        Ok(Parameters { args, first: 3, keys })
    }
}

const TOO_MANY_KEYS: CommandError =
    CommandError::fixed("ERR Number of keys can't be greater than number of args");
const NEGATIVE_KEYS: CommandError = CommandError::fixed("ERR Number of keys can't be negative");
/// No host was given to this engine.
pub(crate) const NO_HOST: CommandError =
    CommandError::fixed("ERR this engine was started without a host for scripts");

/// Runs scripts: one per engine.
pub trait ScriptHost {
    /// Whether a script can be compiled.
    ///
    /// # Errors
    /// The compiler's complaint, beginning with the place (`user_script:1: …`).
    fn compile(&mut self, script: &Rc<Script>) -> Result<(), String>;

    /// Lets a library, which compiles, register its functions. What comes of that is a function of
    /// its text.
    ///
    /// # Errors
    /// What the library did wrong.
    fn load(&mut self, library: &Rc<Script>) -> Result<Vec<Registered>, String>;

    /// Runs a script or a function and writes what it returns.
    ///
    /// # Errors
    /// The script's failure, as the client is to see it. What it has written until then stays.
    fn run(
        &mut self,
        script: &Rc<Script>,
        parameters: Parameters<'_>,
        calls: &mut dyn Calls,
        reply: &mut Writer<'_>,
    ) -> Result;

    /// How many bytes the interpreter holds.
    fn memory_bytes(&self) -> usize;

    /// Forgets everything that was compiled.
    fn forget(&mut self);
}

/// A function that a library has registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Its name: letters, digits and underscores.
    pub name: String,
    /// What the library says about it.
    pub description: Option<Vec<u8>>,
    /// What it states about itself.
    pub flags: ScriptFlags,
}

/// What a running script can reach.
pub trait Calls {
    /// Runs a command and appends its reply, an error among others, in the given protocol.
    fn call(&mut self, args: Args<'_>, protocol: Protocol, reply: &mut Vec<u8>);

    /// Whether the script may write, and so runs on every replica.
    fn writes(&self) -> bool;

    /// Whether the command that `args` name exists and has enough words, for `acl_check_cmd`.
    fn exists(&self, args: &Args<'_>) -> bool;

    /// A number drawn for this script: the same on every replica if it writes.
    fn seed(&self) -> u64;

    /// The time that counts for the script, in milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64;
}

/// Everything about scripts that an engine has.
#[derive(Default)]
pub(crate) struct Scripting {
    /// Replicated.
    pub cache: Cache,
    /// Scripts that only reads brought to this node; nothing that an entry does depends on it.
    pub seen_by_reads: RefCell<Cache>,
    /// Replicated.
    pub functions: Functions,
    /// What the read that runs a script has read.
    pub reads: Reads,
    host: RefCell<Option<Box<dyn ScriptHost>>>,
}

impl Scripting {
    /// Gives the engine a host, or another one.
    pub(crate) fn set_host(&mut self, mut host: Box<dyn ScriptHost>) {
        host.forget();
        self.functions.wake(&mut *host);
        self.host = RefCell::new(Some(host));
    }

    /// Takes the host away, to be given to another engine.
    pub(crate) fn take_host(&mut self) -> Option<Box<dyn ScriptHost>> {
        self.host.get_mut().take()
    }

    /// Lends the host for one call. Nobody else can use it meanwhile: scripts do not call scripts.
    pub(crate) fn borrow_host(&self) -> Result<Lent<'_>> {
        let host = self.host.borrow_mut().take().ok_or(NO_HOST)?;
        Ok(Lent { place: &self.host, host: Some(host) })
    }

    /// The same for a writing context, whose commands need all of the rest: to be given back.
    pub(crate) fn lend_host(&mut self) -> Result<Box<dyn ScriptHost>> {
        self.host.get_mut().take().ok_or(NO_HOST)
    }

    /// Ends what [`Scripting::lend_host`] began.
    pub(crate) fn return_host(&mut self, host: Box<dyn ScriptHost>) {
        *self.host.get_mut() = Some(host);
    }

    /// A script that a read may run: one of the cache, or one that another read brought to this
    /// node.
    pub(crate) fn seen(&self, sha: &Sha) -> Option<Rc<Script>> {
        self.cache.get(sha).or_else(|| self.seen_by_reads.borrow().get(sha))
    }

    /// Whether what a command of this name is to run states that it never writes.
    pub(crate) fn states_no_writes(&self, command: &str, what: &[u8]) -> bool {
        let flags = match command {
            "eval" => shebang::parse(what).ok().map(|(flags, _)| flags),
            "evalsha" if self.knows_readers() => {
                Sha::parse(what).and_then(|sha| self.seen(&sha)).map(|script| script.flags)
            }
            "fcall" => self.functions.find(what).map(|function| function.flags),
            _ => None,
        };
        flags.is_some_and(|flags| flags.has(ScriptFlags::NO_WRITES))
    }

    fn knows_readers(&self) -> bool {
        self.cache.knows_readers() || self.seen_by_reads.borrow().knows_readers()
    }

    /// Empties the cache.
    pub(crate) fn flush_scripts(&mut self) {
        self.cache = Cache::default();
        *self.seen_by_reads.get_mut() = Cache::default();
        if let Some(host) = self.host.get_mut() {
            host.forget();
        }
    }
}

/// A host that goes back to its place.
pub(crate) struct Lent<'s> {
    place: &'s RefCell<Option<Box<dyn ScriptHost>>>,
    host: Option<Box<dyn ScriptHost>>,
}

impl Lent<'_> {
    pub(crate) fn get(&mut self) -> &mut dyn ScriptHost {
        self.host.as_deref_mut().expect("it is there until it is dropped")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        *self.place.borrow_mut() = self.host.take();
    }
}
