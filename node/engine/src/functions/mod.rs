//! Functions: what the engine keeps of the libraries that `FUNCTION LOAD` brings.
//!
//! A library is its text. Loading one means to run it once, in a world in which there is little but
//! `redis.register_function`; what it registers is a function of that text, so the text is all that a
//! snapshot, a digest and `FUNCTION DUMP` need. Libraries stand in the order of their names, and so
//! `FUNCTION LIST` answers the same on every replica, whatever happened to which library when.
//!
//! A change ([`Change`]) is made to a copy and put in place when it has gone through as a whole; the
//! copy shares the libraries, so it costs little.
//!
//! # In a cluster of several shards
//!
//! Every shard has the same libraries. The topology keeps them as a numbered record, and each shard's
//! leader brings its shard up to it with [`Functions::adopt`]. Clients that know of shards send
//! `FUNCTION LOAD` to all of them, as a Redis Cluster wants it, and must not be told that a library
//! exists already only because the record was quicker than they were. Hence the two sets of names:
//!
//! ```text
//! unasked   libraries that came from elsewhere and that nobody has loaded here: an equal one that is
//!           loaded is accepted once
//! departed  libraries that somebody elsewhere deleted: to delete one here is accepted once
//! ```

mod change;
mod library;
mod persist;
mod plan;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

pub(crate) use self::change::{Answer, Change};
pub(crate) use self::library::Library;
pub use self::plan::FunctionPlan;
use crate::error::Result;
use crate::scripting::{Script, ScriptHost};

/// How many names of departed libraries are remembered.
const DEPARTED_MAX: usize = 1000;

/// The libraries of a shard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Functions {
    libraries: BTreeMap<String, Rc<Library>>,
    /// All functions by name, in lower case: their case does not matter.
    by_name: BTreeMap<String, Rc<Script>>,
    /// Texts that a snapshot held, while there is no host that could load them.
    asleep: Vec<Vec<u8>>,
    /// Which record of the cluster they are; 0 where there was none.
    version: u64,
    unasked: BTreeSet<String>,
    departed: BTreeSet<String>,
}

impl Functions {
    /// The function with this name.
    pub(crate) fn find(&self, name: &[u8]) -> Option<&Rc<Script>> {
        let name = core::str::from_utf8(name).ok()?;
        self.by_name.get(&name.to_ascii_lowercase())
    }

    /// All libraries, by name.
    pub(crate) fn libraries(&self) -> impl ExactSizeIterator<Item = &Library> {
        self.libraries.values().map(Rc::as_ref)
    }

    /// How many functions there are.
    pub(crate) fn function_count(&self) -> usize {
        self.by_name.len()
    }

    /// The texts of all libraries, in order.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &[u8]> {
        let awake = self.libraries.values().map(|library| &*library.source);
        awake.chain(self.asleep.iter().map(Vec::as_slice))
    }

    /// Which record of the cluster they are.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// About how many bytes they occupy beside the interpreter.
    pub(crate) fn bytes(&self) -> usize {
        let of_library = |library: &Rc<Library>| {
            let functions = library.functions.iter();
            let names = functions.map(|function| {
                let description = function.description.as_ref().map_or(0, Vec::len);
                size_of::<Script>() + 2 * function.name.len() + description
            });
            size_of::<Library>() + library.name.len() + library.source.len() + names.sum::<usize>()
        };
        self.libraries.values().map(of_library).sum()
    }

    /// Puts a library in place; `replaces` says whether one of this name may be there.
    ///
    /// # Errors
    /// That one of its functions is another library's. Nothing has changed then.
    fn link(&mut self, library: Library) -> Result {
        let old = self.libraries.get(&library.name).cloned();
        let is_own = |key: &str| {
            let mut functions = old.iter().flat_map(|old| &old.functions);
            functions.any(|function| function.name.eq_ignore_ascii_case(key))
        };
        for function in &library.functions {
            let key = function.name.to_ascii_lowercase();
            if self.by_name.contains_key(&key) && !is_own(&key) {
                return Err(library::function_exists(&function.name));
            }
        }
        self.unlink(&library.name);
        for function in &library.functions {
            self.by_name.insert(function.name.to_ascii_lowercase(), Rc::clone(&function.script));
        }
        self.departed.remove(&library.name);
        self.libraries.insert(library.name.clone(), Rc::new(library));
        Ok(())
    }

    /// Takes a library away; false if there is none of this name.
    fn unlink(&mut self, name: &str) -> bool {
        let Some(library) = self.libraries.remove(name) else { return false };
        for function in &library.functions {
            self.by_name.remove(&function.name.to_ascii_lowercase());
        }
        self.unasked.remove(name);
        true
    }

    /// The text of a library that nobody has asked for here.
    fn is_unasked(&self, name: &str, source: &[u8]) -> bool {
        let same = self.libraries.get(name).is_some_and(|library| *library.source == *source);
        same && self.unasked.contains(name)
    }

    /// Whether both hold the same libraries.
    fn is_same(&self, other: &Functions) -> bool {
        self.sources().eq(other.sources())
    }

    /// Becomes the record of the cluster that has this number; false if it is that already, or a
    /// later one. `is_ours` says whether this shard's clients brought it about.
    ///
    /// # Errors
    /// That a library does not load. Nothing has changed then.
    pub(crate) fn adopt<'a>(
        &mut self,
        version: u64,
        is_ours: bool,
        sources: impl Iterator<Item = &'a [u8]>,
        host: &mut dyn ScriptHost,
    ) -> Result<bool> {
        if version <= self.version {
            return Ok(false);
        }
        let mut next = Functions { version, departed: self.departed.clone(), ..Self::default() };
        for source in sources {
            let header = library::Header::parse(source)?;
            let known = self.libraries.get(header.name()).filter(|known| *known.source == *source);
            let name = header.name().into();
            if if known.is_some() { self.unasked.contains(&name) } else { !is_ours } {
                next.unasked.insert(name);
            }
            next.link(match known {
                Some(known) => Library::clone(known),
                None => header.load(host)?,
            })?;
        }
        let gone = self.libraries.keys().filter(|name| !next.libraries.contains_key(*name));
        if is_ours {
            gone.for_each(|name| _ = next.departed.remove(name));
        } else {
            next.departed.extend(gone.cloned());
        }
        while next.departed.len() > DEPARTED_MAX {
            next.departed.pop_first();
        }
        *self = next;
        Ok(true)
    }

    /// Somebody has asked for these names here too.
    pub(crate) fn asked<'a>(&mut self, names: impl Iterator<Item = &'a [u8]>) {
        for name in names.filter_map(|name| core::str::from_utf8(name).ok()) {
            self.unasked.remove(name);
            self.departed.remove(name);
        }
    }
}
