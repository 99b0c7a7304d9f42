//! What an operator may know about scripts and functions.

use crate::engine::Engine;

/// Numbers for `INFO`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScriptingFacts {
    /// Scripts that `EVALSHA` can name on every replica.
    pub scripts: usize,
    /// About how many bytes these occupy.
    pub script_bytes: usize,
    /// Libraries of functions.
    pub libraries: usize,
    /// Functions in them.
    pub functions: usize,
    /// About how many bytes these occupy.
    pub function_bytes: usize,
    /// What the interpreter of all of them holds, compiled programs included.
    pub interpreter_bytes: usize,
}

impl Engine {
    /// The numbers as of now.
    pub fn scripting_facts(&self) -> ScriptingFacts {
        let scripting = &self.scripting;
        let script_bytes = |cached: &super::cache::Cached| {
            size_of::<super::cache::Cached>()
                + size_of::<super::Script>()
                + cached.script.source.len()
        };
        ScriptingFacts {
            scripts: scripting.cache.iter().len(),
            script_bytes: scripting.cache.iter().map(script_bytes).sum(),
            libraries: scripting.functions.libraries().len(),
            functions: scripting.functions.function_count(),
            function_bytes: scripting.functions.bytes(),
            interpreter_bytes: scripting
                .borrow_host()
                .map_or(0, |mut host| host.get().memory_bytes()),
        }
    }
}
