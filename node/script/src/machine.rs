//! One interpreter with the sealed world in it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use mlua::chunk::ChunkMode;
use mlua::{Function, Lua, LuaOptions, LuaString, Result, StdLib, Table, Value};
use quoris_engine::scripting::{Parameters, Part, Script, ScriptFlags, Sha};

use crate::bytecode::sets_globals;
use crate::entrance::{Anchor, Called, Entrance, Left};
use crate::gate::Gate;
use crate::guard::guard;
use crate::meter::{Ending, Meter, PERIOD, STEPS_MAX};
use crate::pauses::Pauses;
use crate::recorder::Recorder;
use crate::toll::toll;
use crate::watch::Watch;
use crate::{api, libraries, math, strings};

const PRELUDE: &str = include_str!("prelude.lua");
/// The most that a script may hold at once.
pub(crate) const MEMORY_BYTES_MAX: usize = 256 << 20;
/// How much a script may allocate in an interpreter that others have used.
const SHARED_BYTES_MAX: usize = 32 << 20;
/// The most text of scripts that are kept compiled.
const COMPILED_BYTES_MAX: usize = 16 << 20;
/// Steps of a library that registers its functions; Redis gives it half a second.
const LOAD_STEPS_MAX: i64 = STEPS_MAX / 4;
/// How much garbage is left between scripts: little enough to stay in the processor's cache.
const GARBAGE_BYTES_MAX: usize = 1 << 20;

/// How a run went.
pub(crate) enum Outcome {
    /// It returned this.
    Returned(Value),
    /// It returned this short string.
    Said(Vec<u8>),
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
    watch: Rc<Watch>,
    load: Function,
    compiled: BTreeMap<Sha, Anchor>,
    /// The one of them that was asked for last.
    latest: Option<(Sha, Anchor)>,
    compiled_bytes: usize,
    /// What it held after the last collection.
    settled_bytes: usize,
    /// Its way to the commands.
    gate: Gate,
    /// The way into its scripts.
    entrance: Entrance,
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
        let (world, load, prelude): (Table, Function, Table) = prelude.call(host)?;
        lua.set_globals(world)?;
        let entrance = Entrance::new(&lua, &prelude)?;
        let watch = Rc::new(Watch::new(&meter));
        watch.start(&lua)?;
        let mut machine = Machine {
            lua,
            meter,
            terms,
            watch,
            load,
            compiled: BTreeMap::new(),
            latest: None,
            compiled_bytes: 0,
            settled_bytes: 0,
            gate,
            entrance,
        };
        machine.collect()?;
        Ok(machine)
    }

    /// Compiles a script, if that has not been done.
    pub(crate) fn compile(&mut self, script: &Script) -> Result<Anchor> {
        if let Some((_, known)) = self.latest.filter(|(sha, _)| *sha == script.sha) {
            return Ok(known);
        }
        let known = match self.compiled.get(&script.sha) {
            Some(known) => *known,
            None => self.compile_new(script)?,
        };
        self.latest = Some((script.sha, known));
        Ok(known)
    }

    fn compile_new(&mut self, script: &Script) -> Result<Anchor> {
        let name = if script.part == Part::Whole { "@user_script" } else { "@user_function" };
        let chunk = self.lua.load(script.program()).set_name(name);
        let function = chunk.set_mode(ChunkMode::Text).into_function()?;
        if self.compiled_bytes > COMPILED_BYTES_MAX {
            self.forget();
        }
        // While a library registers its functions, it sees other globals than they do later.
        let sees_globals = script.part == Part::Whole && !sets_globals(&function.dump(true));
        let anchor = self.entrance.anchor(&self.lua, function, sees_globals)?;
        self.compiled_bytes += script.source.len();
        self.compiled.insert(script.sha, anchor);
        Ok(anchor)
    }

    /// Forgets all compiled scripts.
    fn forget(&mut self) {
        self.compiled.values().for_each(|anchor| self.entrance.release(*anchor));
        self.compiled.clear();
        (self.latest, self.compiled_bytes) = (None, 0);
    }

    /// Runs a script.
    pub(crate) fn run(
        &mut self,
        script: &Script,
        parameters: Parameters<'_>,
        recorder: &mut Recorder<'_>,
    ) -> Result<Outcome> {
        let program = self.compile(script)?;
        let (writes, seed) = (recorder.calls().writes(), recorder.calls().seed());
        let pauses = self.terms.pauses.as_ref().filter(|pauses| !writes && pauses.is_inside());
        let budget = if pauses.is_some() { i64::MAX } else { self.terms.budget };
        self.meter.begin(seed, budget);
        self.watch.begin(pauses.cloned(), self.lua.used_memory());
        let allowed = if self.meter.is_exact { MEMORY_BYTES_MAX } else { SHARED_BYTES_MAX };
        let name = match &script.part {
            Part::Function(name) => Some(&**name),
            Part::Whole | Part::Library => None,
        };
        let called = Called { program, name, parameters, writes };
        self.entrance.restart_count();
        let world = (&self.lua, &*self.meter, allowed);
        let left = self.gate.run(&self.entrance, world, &called, recorder);
        if self.meter.numbers_objects.take() {
            self.entrance.tidy();
        }
        Ok(match (self.meter.ending(), left) {
            (Some(ending), _) => Outcome::Ended(ending),
            (None, Ok(Left::Text(text))) => Outcome::Said(text),
            (None, Ok(Left::Value(value))) => Outcome::Returned(value),
            (None, Ok(Left::Error(value @ Value::Table(_)))) => Outcome::Failed(value),
            // What is left are errors that do not reach the handler: memory has run out, or an
            // error of the host's, which are about memory too.
            (None, Ok(Left::Error(_)) | Err(_)) => Outcome::Ended(Ending::Memory),
        })
    }

    /// Lets a library register its functions, and returns them as a table.
    pub(crate) fn load(&mut self, library: &Script) -> Result<Outcome> {
        let program = self.compile(library)?.function(&self.lua)?;
        self.meter.begin(0, STEPS_MAX);
        self.meter.charge(STEPS_MAX - LOAD_STEPS_MAX);
        self.watch.begin(None, self.lua.used_memory());
        self.entrance.restart_count();
        self.entrance.unsettle();
        let allowed = if self.meter.is_exact { MEMORY_BYTES_MAX } else { SHARED_BYTES_MAX };
        self.lua.set_memory_limit(self.lua.used_memory() + allowed)?;
        let ran = self.load.call::<(bool, Value)>(program);
        self.lua.set_memory_limit(0)?;
        Ok(match (self.meter.ending(), ran) {
            (Some(ending), _) => Outcome::Ended(ending),
            (None, Ok((true, value))) => Outcome::Returned(value),
            (None, Ok((false, value @ Value::Table(_)))) => Outcome::Failed(value),
            (None, Ok((false, _)) | Err(_)) => Outcome::Ended(Ending::Memory),
        })
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
    let numbering = meter.clone();
    host.raw_set(
        "numbers_objects",
        lua.create_function(move |_, ()| {
            numbering.numbers_objects.set(true);
            Ok(())
        })?,
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
pub(crate) fn script_place(lua: &Lua, from: usize) -> Option<(String, usize)> {
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
