//! The host: which interpreter runs a script, and what its end means for the client.
//!
//! Scripts share one interpreter, because making one costs more than a short script. What it holds
//! depends on the scripts that ran before: strings that are there already take no memory again. So
//! nothing that a script can notice may follow from its size. A script that allocates little never
//! gets near a limit. One that allocates much is stopped, wherever that is, and run once more from
//! its beginning in an interpreter of its own, where every byte is a function of the script; calls
//! of commands are answered from a record until it comes to where it was stopped. There, and only
//! there, the limit on memory counts. Whether a replica went this way or not makes no difference to
//! what the script did.
//!
//! The same goes for the collection of garbage, which weak tables could show: in the shared
//! interpreter it happens between scripts, in one of its own at counted instructions.

use std::rc::Rc;

use mlua::{Table, Value};
use quoris_engine::scripting::{Calls, Parameters, Part, Registered, Script, ScriptHost};
use quoris_engine::{CommandError, error::Result};
use quoris_resp::Writer;

use crate::functions;
use crate::machine::{Machine, Outcome, Terms};
use crate::meter::{Ending, STEPS_MAX};
use crate::pauses::Pauses;
use crate::recorder::{Record, Recorder};
use crate::replies::{self, Returned, Unsayable};

const TOO_DEEP: CommandError = CommandError::fixed("ERR reached lua stack limit");
const UNKNOWN: &str = "ERR unknown error";

/// Runs the scripts of one engine.
pub struct LuaHost {
    shared: Option<Machine>,
    terms: Terms,
    /// Room for what commands answer.
    record: Record,
}

impl Default for LuaHost {
    fn default() -> Self {
        Self::new()
    }
}

impl LuaHost {
    /// A host that has run nothing.
    pub fn new() -> Self {
        Self::on(Terms { budget: STEPS_MAX, pauses: None })
    }

    /// The same, for scripts that pause while they only read inside a [`Fiber`](crate::Fiber).
    pub fn with_pauses(pauses: &Rc<Pauses>) -> Self {
        let pauses = Some(Rc::clone(pauses));
        Self::on(Terms { budget: STEPS_MAX, pauses })
    }

    fn on(terms: Terms) -> Self {
        LuaHost { shared: None, terms, record: Record::default() }
    }

    /// The same with another budget of steps. All replicas of a shard have to have the same.
    #[must_use]
    pub fn with_budget(mut self, steps: u32) -> Self {
        self.terms.budget = steps.into();
        self.shared = None;
        self
    }

    /// The shared interpreter, which is made when it is first needed.
    fn shared(&mut self) -> &mut Machine {
        let terms = &self.terms;
        self.shared.get_or_insert_with(|| new_machine(false, terms))
    }
}

fn new_machine(is_exact: bool, terms: &Terms) -> Machine {
    Machine::new(is_exact, terms.clone())
        .expect("the prelude runs, and there is no limit on memory yet")
}

impl ScriptHost for LuaHost {
    fn compile(&mut self, script: &Rc<Script>) -> Result<(), String> {
        match self.shared().compile(script) {
            Ok(_) => Ok(()),
            Err(mlua::Error::SyntaxError { message, .. }) => Err(message),
            Err(other) => Err(other.to_string()),
        }
    }

    fn load(&mut self, library: &Rc<Script>) -> Result<Vec<Registered>, String> {
        let shared = self.shared();
        let outcome = shared.load(library).unwrap_or(Outcome::Ended(Ending::Memory));
        if !matches!(outcome, Outcome::Ended(Ending::Memory)) {
            let loaded = functions::registered(&outcome);
            drop(outcome);
            if shared.rest().is_err() {
                self.shared = None;
            }
            return loaded;
        }
        self.shared = None;
        let outcome = new_machine(true, &self.terms).load(library);
        functions::registered(&outcome.unwrap_or(Outcome::Ended(Ending::Memory)))
    }

    fn run(
        &mut self,
        script: &Rc<Script>,
        parameters: Parameters<'_>,
        calls: &mut dyn Calls,
        reply: &mut Writer<'_>,
    ) -> Result {
        self.record.clear();
        let LuaHost { shared, terms, record } = self;
        let mut recorder = Recorder::new(calls, record);
        let shared = shared.get_or_insert_with(|| new_machine(false, terms));
        let outcome = shared.run(script, parameters, &mut recorder);
        let outcome = outcome.unwrap_or(Outcome::Ended(Ending::Memory));
        if !matches!(outcome, Outcome::Ended(Ending::Memory)) {
            let said = conclude(shared, script, &outcome, reply);
            drop(outcome);
            if shared.rest().is_err() {
                self.shared = None;
            }
            return said;
        }
        // What the script held goes first.
        self.shared = None;
        recorder.rewind();
        let mut own = new_machine(true, &self.terms);
        let outcome = own.run(script, parameters, &mut recorder);
        let outcome = outcome.unwrap_or(Outcome::Ended(Ending::Memory));
        conclude(&own, script, &outcome, reply)
    }

    fn memory_bytes(&self) -> usize {
        self.shared.as_ref().map_or(0, Machine::memory_bytes)
    }

    fn forget(&mut self) {
        self.shared = None;
    }
}

/// Writes the reply.
fn conclude(
    machine: &Machine,
    script: &Script,
    outcome: &Outcome,
    reply: &mut Writer<'_>,
) -> Result {
    match outcome {
        Outcome::Said(text) => {
            reply.bulk(text);
            Ok(())
        }
        Outcome::Returned(value) => {
            let (meter, mark) = (&*machine.meter, reply.mark());
            let mut returned = Returned { reply, protocol: meter.protocol.get(), meter, mark };
            returned.write(value, 0).map_err(|unsayable| match unsayable {
                Unsayable::TooDeep => TOO_DEEP,
                Unsayable::TooMuch => ended(machine, script, meter.ending()),
                Unsayable::Lua(error) => CommandError::text(format!("ERR {error}")),
            })
        }
        Outcome::Failed(Value::Table(error)) => Err(failure(script, error)),
        Outcome::Failed(_) => Err(CommandError::fixed(UNKNOWN)),
        Outcome::Ended(ending) => Err(ended(machine, script, Some(*ending))),
    }
}

/// `<text> script: <sha>, on <source>:<line>.`
fn failure(script: &Script, error: &Table) -> CommandError {
    let text = replies::string(error, "err").ok().flatten();
    let text = text.map_or_else(|| UNKNOWN.into(), |text| text.to_string_lossy());
    // Redis sees a text of C's, which ends there.
    let text = text.split('\0').next().unwrap_or_default();
    let source = replies::string(error, "source").ok().flatten();
    let line = error.raw_get::<Option<f64>>("line").ok().flatten();
    match (source, line) {
        (Some(source), Some(line)) => {
            let source = source.to_string_lossy();
            CommandError::text(format!("{text} script: {}, on {source}:{line}.", script.title()))
        }
        _ => CommandError::text(text.to_owned()),
    }
}

fn ended(machine: &Machine, script: &Script, ending: Option<Ending>) -> CommandError {
    let why = match ending {
        Some(Ending::Killed) => return killed(script, machine.meter.killed_at()),
        Some(Ending::Steps) | None => {
            format!("ran for more than {} instructions", machine.meter.budget())
        }
        Some(Ending::Memory) => "needs more memory than a script may have".into(),
    };
    CommandError::text(format!("ERR The script {why} and was ended script: {}", script.title()))
}

fn killed(script: &Script, place: Option<(String, usize)>) -> CommandError {
    let place = place.map(|(source, line)| format!(", on {source}:{line}.")).unwrap_or_default();
    let by = if script.part == Part::Whole { "SCRIPT" } else { "FUNCTION" };
    let title = script.title();
    CommandError::text(format!(
        "ERR Script killed by user with {by} KILL... script: {title}{place}"
    ))
}
