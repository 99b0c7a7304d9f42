//! What a change would come to, for a node whose cluster has to agree to it first.

use alloc::vec::Vec;

use quoris_resp::Writer;

use super::{Answer, Change, Functions};
use crate::command::Args;
use crate::engine::Engine;
use crate::error::Result;

/// A change that can be made.
#[derive(Debug)]
pub struct FunctionPlan {
    answer: Answer,
    /// The texts of all libraries after it; `None` if they stay as they are.
    pub sources: Option<Vec<Vec<u8>>>,
    /// The names for which this shard had not been asked before, if they stay.
    pub asked: Vec<Vec<u8>>,
}

impl FunctionPlan {
    /// Writes the reply.
    pub fn answer(&self, reply: &mut Writer<'_>) {
        self.answer.write(reply);
    }
}

impl Functions {
    /// What `FUNCTION STATS` says of the engines of functions: the only one is Lua's.
    pub(crate) fn write_engines(&self, reply: &mut Writer<'_>) {
        reply.bulk(b"engines");
        reply.map(1);
        reply.bulk(b"LUA");
        reply.map(2);
        reply.bulk(b"libraries_count");
        reply.count(self.libraries().len());
        reply.bulk(b"functions_count");
        reply.count(self.function_count());
    }
}

impl Answer {
    pub(crate) fn write(&self, reply: &mut Writer<'_>) {
        match self {
            Answer::Done => reply.ok(),
            Answer::Loaded(name) => reply.bulk(name.as_bytes()),
        }
    }
}

impl Engine {
    /// Writes the part of `FUNCTION STATS` that counts.
    pub fn write_function_engines(&self, reply: &mut Writer<'_>) {
        self.scripting.functions.write_engines(reply);
    }

    /// What the request for a change of functions would come to; nothing changes.
    ///
    /// # Errors
    /// The client's mistake.
    pub fn plan_functions(&self, args: &Args<'_>) -> Result<FunctionPlan> {
        let change = Change::of(args)?;
        let now = &self.scripting.functions;
        let mut next = now.clone();
        let answer = next.make(change, self.scripting.borrow_host()?.get())?;
        if !next.is_same(now) {
            let sources = next.sources().map(<[u8]>::to_vec).collect();
            return Ok(FunctionPlan { answer, sources: Some(sources), asked: Vec::new() });
        }
        let unasked = now.unasked.difference(&next.unasked);
        let asked = unasked.chain(now.departed.difference(&next.departed));
        let asked = asked.map(|name| name.as_bytes().to_vec()).collect();
        Ok(FunctionPlan { answer, sources: None, asked })
    }

    /// Which record of the cluster's functions this shard has.
    pub fn function_version(&self) -> u64 {
        self.scripting.functions.version()
    }

    /// Whether the requests for all these names have been noted, see [`FunctionPlan::asked`].
    pub fn have_been_asked(&self, names: &[Vec<u8>]) -> bool {
        let now = &self.scripting.functions;
        let is_open = |name: &str| now.unasked.contains(name) || now.departed.contains(name);
        !names.iter().any(|name| core::str::from_utf8(name).is_ok_and(is_open))
    }

    /// The texts of all libraries.
    pub fn function_sources(&self) -> Vec<Vec<u8>> {
        self.scripting.functions.sources().map(<[u8]>::to_vec).collect()
    }
}
