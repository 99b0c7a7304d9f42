//! One interpreter with the sealed world in it.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use mlua::chunk::ChunkMode;
use mlua::{
    Error, Function, HookTriggers, Lua, LuaOptions, LuaString, Result, StdLib, Table, Value,
    VmState,
};
use quoris_engine::scripting::{Parameters, Part, Script, ScriptFlags, Sha};

use crate::gate::Gate;
use crate::guard::guard;
use crate::meter::{Ending, Meter, PERIOD, STEPS_MAX};
use crate::pauses::Pauses;
use crate::recorder::Recorder;
use crate::toll::toll;
use crate::{api, libraries, math, strings};

const PRELUDE: &str = include_str!("prelude.lua");
/// The most that a script may hold at once.
pub(crate) const MEMORY_BYTES_MAX: usize = 256 << 20;
/// How much a script may allocate in an interpreter that others have used.
const SHARED_BYTES_MAX: usize = 32 << 20;
/// From how many bytes on an interpreter of a script's own collects garbage while it runs.
const COLLECT_BYTES: usize = 128 << 20;
/// The most text of scripts that are kept compiled.
const COMPILED_BYTES_MAX: usize = 16 << 20;
/// Steps of a library that registers its functions; Redis gives it half a second.
const LOAD_STEPS_MAX: i64 = STEPS_MAX / 4;
/// How much a script may allocate in all before that counts as work. One that comes this far has an
/// interpreter of its own on every replica, whatever the shared one held already.
const FREE_BYTES: usize = 256 << 20;
/// How much garbage is left between scripts: little enough to stay in the processor's cache.
const GARBAGE_BYTES_MAX: usize = 1 << 20;

/// How a run went.
pub(crate) enum Outcome {
    /// It returned this.
    Returned(Value),
    /// It failed with this error.
    Failed(Value),
    /// It was ended.
    Ended(Ending),
}

/// On which terms scripts run.
#[derive(Clone)]
pub(crate) struct Terms {
    /// Steps of a script that cannot be killed.
    pub budget: i64,
    /// How the others pause.
    pub pauses: Option<Rc<Pauses>>,
}

/// An interpreter.
pub(crate) struct Machine {
    lua: Lua,
    pub meter: Rc<Meter>,
    terms: Terms,
    run: Function,
    load: Function,
    compiled: BTreeMap<Sha, Function>,
    compiled_bytes: usize,
    /// What it held after the last collection.
    settled_bytes: usize,
    /// Its way to the commands.
    gate: Gate,
}

impl Machine {
    /// A new one; `is_exact` if it is for one script only.
    pub(crate) fn new(is_exact: bool, terms: Terms) -> Result<Self> {
        let lua = Lua::new_with(StdLib::TABLE | StdLib::STRING | StdLib::MATH, LuaOptions::new())?;
        lua.gc_stop();
        let meter = Rc::new(Meter::new(is_exact));
        let host = offers(&lua, &meter)?;
        let gate = Gate::new();
        gate.offer(&lua, &host)?;
        let prelude = lua.load(PRELUDE).set_name("=quoris");
        let (world, run, load): (Table, Function, Function) = prelude.call(host)?;
        lua.set_globals(world)?;
        let mut machine = Machine {
            lua,
            meter,
            terms,
            run,
            load,
            compiled: BTreeMap::new(),
            compiled_bytes: 0,
            settled_bytes: 0,
            gate,
        };
        machine.collect()?;
        Ok(machine)
    }

    /// The compiled script.
    pub(crate) fn compile(&mut self, script: &Script) -> Result<Function> {
        if let Some(function) = self.compiled.get(&script.sha) {
            return Ok(function.clone());
        }
        let name = if script.part == Part::Whole { "@user_script" } else { "@user_function" };
        let chunk = self.lua.load(script.program()).set_name(name);
        let function = chunk.set_mode(ChunkMode::Text).into_function()?;
        if self.compiled_bytes > COMPILED_BYTES_MAX {
            self.forget();
        }
        self.compiled_bytes += script.source.len();
        self.compiled.insert(script.sha, function.clone());
        Ok(function)
    }

    /// Forgets all compiled scripts.
    pub(crate) fn forget(&mut self) {
        self.compiled.clear();
        self.compiled_bytes = 0;
    }

    /// Runs a script.
    pub(crate) fn run(
        &mut self,
        script: &Script,
        parameters: Parameters<'_>,
        recorder: &mut Recorder<'_>,
    ) -> Result<Outcome> {
        let function = self.compile(script)?;
        let (writes, seed) = (recorder.calls().writes(), recorder.calls().seed());
        let pauses = self.terms.pauses.clone().filter(|pauses| !writes && pauses.is_inside());
        let budget = if pauses.is_some() { i64::MAX } else { self.terms.budget };
        self.meter.begin(seed, budget);
        self.count_instructions(pauses)?;
        let allowed = if self.meter.is_exact { MEMORY_BYTES_MAX } else { SHARED_BYTES_MAX };
        let name = match &script.part {
            Part::Function(name) => Some(&**name),
            Part::Whole | Part::Library => None,
        };
        let world = (&self.lua, &*self.meter, allowed);
        let called = (&self.run, &function, name);
        let ran = self.gate.run(world, called, parameters, recorder);
        Ok(self.judge(ran))
    }

    /// Lets a library register its functions, and returns them as a table.
    pub(crate) fn load(&mut self, library: &Script) -> Result<Outcome> {
        let function = self.compile(library)?;
        self.meter.begin(0, STEPS_MAX);
        self.meter.charge(STEPS_MAX - LOAD_STEPS_MAX);
        self.count_instructions(None)?;
        let allowed = if self.meter.is_exact { MEMORY_BYTES_MAX } else { SHARED_BYTES_MAX };
        self.lua.set_memory_limit(self.lua.used_memory() + allowed)?;
        let ran = self.load.call::<(bool, Value)>(function);
        self.lua.set_memory_limit(0)?;
        Ok(self.judge(ran))
    }

    /// How many bytes it holds.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.lua.used_memory()
    }

    /// Between scripts: collects garbage if there is much of it.
    pub(crate) fn rest(&mut self) -> Result<()> {
        let much = self.settled_bytes * 2 + GARBAGE_BYTES_MAX;
        if self.lua.used_memory() > much { self.collect() } else { Ok(()) }
    }

    fn collect(&mut self) -> Result<()> {
        self.lua.gc_collect()?;
        self.lua.gc_stop();
        self.settled_bytes = self.lua.used_memory();
        Ok(())
    }

    fn judge(&self, ran: Result<(bool, Value)>) -> Outcome {
        if let Some(ending) = self.meter.ending() {
            return Outcome::Ended(ending);
        }
        match ran {
            Ok((true, value)) => Outcome::Returned(value),
            Ok((false, value @ Value::Table(_))) => Outcome::Failed(value),
            // What is left are errors that do not reach the handler: memory has run out, or an
            // error of the host's, which are about memory too.
            Ok((false, _)) | Err(_) => Outcome::Ended(Ending::Memory),
        }
    }

    /// Starts the count of instructions anew.
    fn count_instructions(&self, pauses: Option<Rc<Pauses>>) -> Result<()> {
        let meter = self.meter.clone();
        let collect_at = Cell::new(COLLECT_BYTES);
        let (held, allocated) = (Cell::new(self.lua.used_memory()), Cell::new(0));
        self.lua.set_global_hook(
            HookTriggers::new().every_nth_instruction(PERIOD),
            move |lua, _| {
                if pauses.as_ref().is_some_and(|pauses| pauses.tick(PERIOD.into())) {
                    meter.kill(script_place(lua, 0));
                }
                if meter.charge(PERIOD.into()) {
                    return Err(Error::runtime("budget"));
                }
                if !meter.is_exact {
                    return Ok(VmState::Continue);
                }
                let grown = lua.used_memory().saturating_sub(held.get());
                allocated.set(allocated.get() + grown);
                if allocated.get() > FREE_BYTES {
                    meter.charge_bytes(grown);
                }
                if lua.used_memory() > collect_at.get() {
                    lua.gc_collect()?;
                    lua.gc_stop();
                    collect_at.set(COLLECT_BYTES.max(lua.used_memory() * 2));
                }
                held.set(lua.used_memory());
                Ok(VmState::Continue)
            },
        )
    }
}

/// The table of what the prelude needs of the host.
fn offers(lua: &Lua, meter: &Rc<Meter>) -> Result<Table> {
    let host = lua.create_table()?;
    let asked = meter.clone();
    host.raw_set("ended", lua.create_function(move |_, ()| Ok(asked.ending().is_some()))?)?;
    let charged = meter.clone();
    host.raw_set(
        "charge",
        lua.create_function(move |_, steps: f64| Ok(charged.charge(steps as i64)))?,
    )?;
    let full = meter.clone();
    host.raw_set(
        "out_of_memory",
        lua.create_function(move |_, ()| {
            // In an interpreter of its own, a script may see the end of its memory.
            if !full.is_exact {
                full.end(Ending::Memory);
            }
            Ok(!full.is_exact)
        })?,
    )?;
    host.raw_set(
        "is_flag",
        lua.create_function(|_, name: LuaString| {
            Ok(ScriptFlags::by_name(&name.as_bytes()).is_some())
        })?,
    )?;
    host.raw_set("where", lua.create_function(|lua, ()| place(lua))?)?;
    host.raw_set("period", PERIOD)?;
    host.raw_set("null", Value::NULL)?;
    let taken = meter.clone();
    let toll =
        move |lua: &Lua, (native, rate): (Function, String)| toll(lua, &taken, native, &rate);
    host.raw_set("toll", lua.create_function(toll)?)?;
    host.raw_set("string", strings::functions(lua, meter)?)?;
    host.raw_set("patterns", strings::parts(lua, meter)?)?;
    host.raw_set("math", math::functions(lua, meter)?)?;
    host.raw_set("os", api::clock(lua, meter)?)?;
    host.raw_set("api", api::functions(lua, meter)?)?;
    host.raw_set("guard", lua.create_function(guard)?)?;
    host.raw_set("libraries", libraries::all(lua, meter)?)?;
    Ok(host)
}

/// Where the error that is being handled was raised: source and line of the innermost function of
/// the script. Level 0 is this function, 1 the handler.
fn place(lua: &Lua) -> Result<(Value, Value)> {
    let Some((source, line)) = script_place(lua, 2) else { return Ok((Value::Nil, Value::Nil)) };
    Ok((Value::String(lua.create_string(source)?), Value::Number(line as f64)))
}

/// Source and line of the innermost function of the script, from a level on.
fn script_place(lua: &Lua, from: usize) -> Option<(String, usize)> {
    for level in from.. {
        let found = lua.inspect_stack(level, |debug| {
            let source = debug.source();
            let is_ours = source.what == "C" || source.source.as_deref() == Some("=quoris");
            let line = debug.current_line()?;
            (!is_ours).then(|| (source.source.map_or_else(String::new, Cow::into_owned), line))
        });
        if let Some(place) = found? {
            return Some(place);
        }
    }
    None
}
