//! The way into a script.
//!
//! A short script is over in less time than a binding takes to prepare a call. So scripts are
//! entered on Lua's own stack, by one protected call of [`begin`], which makes `KEYS` and `ARGV` and
//! calls the script; what it needs for that it has as upvalues, and other things are found in Lua's
//! registry by number.
//!
//! ```text
//! Entrance::run ──► lua_pcall ──► begin ──► the script, or the prelude's `call` for a function
//!              ◄── true and a value, false and an error, or the error that `trap` has made
//! ```
//!
//! As in [`crate::gate`], nothing that has a destructor lives in a frame that Lua's errors cross.

#![expect(unsafe_code, reason = "a script is called on Lua's own stack")]

use std::cell::Cell;
use std::ffi::c_int;
use std::ptr;

use mlua::ffi::{self, lua_State};
use mlua::{Function, Lua, Result, Table, Value};
use quoris_engine::scripting::Parameters;

use crate::gate::{Visit, push_words, set_limit};
use crate::meter::PERIOD;
use crate::values::push_string;

/// Up to which size a string that a script returns is copied instead of being bound.
const COPIED_BYTES_MAX: usize = 4096;

/// A value in Lua's registry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Anchor(c_int);

impl Anchor {
    /// The function that is kept, as the binding has functions.
    pub(crate) fn function(self, lua: &Lua) -> Result<Function> {
        // SAFETY: there is room for a value.
        unsafe {
            lua.exec_raw((), |state| {
                ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, self.0.into());
            })
        }
    }
}

/// The entrance of one interpreter.
pub(crate) struct Entrance {
    state: *mut lua_State,
    begin: Anchor,
    trap: Anchor,
    prepare: Anchor,
    globals: Anchor,
    names: [Anchor; 2],
    /// Takes a result to where the binding finds it.
    parcel: Anchor,
    /// Whether the prelude has been told that scripts write; unknown at first.
    writes: Cell<Option<bool>>,
}

/// What is to be called, and with what.
pub(crate) struct Called<'a> {
    /// A script, or a library.
    pub program: Anchor,
    /// The function of the library.
    pub name: Option<&'a str>,
    /// Its keys and arguments.
    pub parameters: Parameters<'a>,
    /// Whether it may write.
    pub writes: bool,
}

/// A call, as [`begin`] sees it. Has no destructor.
struct Entering<'a> {
    called: &'a Called<'a>,
    visit: *mut Visit<'static, 'static>,
    /// How many bytes more than there are it may hold.
    allowed: usize,
    /// Whether the prelude has to be prepared.
    prepares: bool,
}

/// How a call ended.
pub(crate) enum Left {
    /// With a short string.
    Text(Vec<u8>),
    /// With another value.
    Value(Value),
    /// With an error, a table in all cases that the prelude knows of.
    Error(Value),
}

impl Entrance {
    /// The entrance that the prelude has described.
    pub(crate) fn new(lua: &Lua, prelude: &Table) -> Result<Self> {
        let functions: (Function, Function, Function) =
            (prelude.raw_get("trap")?, prelude.raw_get("prepare")?, prelude.raw_get("call")?);
        let globals: Table = prelude.raw_get("globals")?;
        let (mut state, mut anchors) = (ptr::null_mut(), [0; 7]);
        // SAFETY: the stack holds the four arguments and has room for more; each value that is
        // pushed becomes an upvalue of `begin` or is anchored.
        unsafe {
            lua.exec_raw::<()>((functions.0, functions.1, functions.2, globals), |lua_state| {
                state = lua_state;
                push_string(state, b"KEYS");
                push_string(state, b"ARGV");
                for place in [1, 2, 4, 5, 6] {
                    ffi::lua_pushvalue(state, place);
                    anchors[place as usize] = ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX);
                }
                ffi::lua_pushboolean(state, 0);
                anchors[0] = ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX);
                ffi::lua_pushcclosure(state, begin, 5);
                anchors[3] = ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX);
                ffi::lua_settop(state, 0);
            })?;
        }
        let [parcel, trap, prepare, begin, globals, keys, values] = anchors.map(Anchor);
        let (names, writes) = ([keys, values], Cell::new(None));
        Ok(Entrance { state, begin, trap, prepare, globals, names, parcel, writes })
    }

    /// Keeps a function; `sees_globals` if it need not look at these through the sealed table.
    pub(crate) fn anchor(
        &self,
        lua: &Lua,
        function: Function,
        sees_globals: bool,
    ) -> Result<Anchor> {
        let (mut anchor, globals) = (0, self.globals.0);
        // SAFETY: the stack holds the function and has room for one more value.
        unsafe {
            lua.exec_raw::<()>(function, |state| {
                if sees_globals {
                    ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, globals.into());
                    ffi::lua_setfenv(state, 1);
                }
                anchor = ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX);
            })?;
        }
        Ok(Anchor(anchor))
    }

    /// Counts instructions from the beginning of a period again.
    pub(crate) fn restart_count(&self) {
        // SAFETY: the state lives as long as this, and its hook stays the one that it has.
        unsafe {
            let hook = ffi::lua_gethook(self.state);
            ffi::lua_sethook(self.state, hook, ffi::LUA_MASKCOUNT, PERIOD as c_int);
        }
    }

    /// Lets go of a value.
    pub(crate) fn release(&self, anchor: Anchor) {
        // SAFETY: the state lives as long as this; setting what is there already takes no memory.
        unsafe { ffi::luaL_unref(self.state, ffi::LUA_REGISTRYINDEX, anchor.0) }
    }

    /// Something else has used the prelude meanwhile.
    pub(crate) fn unsettle(&self) {
        self.writes.set(None);
    }

    /// Calls a script, which may hold `allowed` bytes more than there are.
    pub(crate) fn run(
        &self,
        lua: &Lua,
        called: &Called<'_>,
        visit: *mut Visit<'static, 'static>,
        allowed: usize,
    ) -> Result<Left> {
        let prepares = self.writes.replace(Some(called.writes)) != Some(called.writes);
        let mut entering = Entering { called, visit, allowed, prepares };
        let state = self.state;
        // SAFETY: the state lives as long as this, and nothing of Lua's runs, so its stack is nearly
        // empty and has room for what is pushed. Nothing in here but the protected call can fail,
        // and `entering` outlives that.
        unsafe {
            let top = ffi::lua_gettop(state);
            self.push(self.trap);
            self.push(self.begin);
            ffi::lua_pushlightuserdata(state, ptr::from_mut(&mut entering).cast());
            let status = ffi::lua_pcall(state, 1, 2, top + 1);
            set_limit(lua, 0);
            if called.name.is_none() {
                self.clear_words();
            }
            let is_fine = status == ffi::LUA_OK && ffi::lua_toboolean(state, -2) != 0;
            let left = self.left(lua, is_fine);
            ffi::lua_settop(state, top);
            left
        }
    }

    /// Has the prelude forget what it knows of the script that has ended.
    pub(crate) fn tidy(&self) {
        // SAFETY: as in `run`. The prelude's function only sets variables, so it cannot fail.
        unsafe {
            let top = ffi::lua_gettop(self.state);
            self.push(self.prepare);
            ffi::lua_pushboolean(self.state, c_int::from(self.writes.get() == Some(true)));
            ffi::lua_pcall(self.state, 1, 0, 0);
            ffi::lua_settop(self.state, top);
        }
    }

    /// Takes `KEYS` and `ARGV` out of the globals.
    ///
    /// # Safety
    /// The state is valid and there is room on its stack.
    unsafe fn clear_words(&self) {
        // SAFETY: as the caller promises. Fields that there are can be set without memory; those
        // that are not there, because memory ran out before, are set while there is no limit.
        unsafe {
            self.push(self.globals);
            for name in self.names {
                self.push(name);
                ffi::lua_pushnil(self.state);
                ffi::lua_rawset(self.state, -3);
            }
            ffi::lua_settop(self.state, -2);
        }
    }

    /// What is on top of the stack.
    ///
    /// # Safety
    /// The state is valid, there is a value, and there is room for one more.
    unsafe fn left(&self, lua: &Lua, is_fine: bool) -> Result<Left> {
        let state = self.state;
        // SAFETY: as the caller promises; a string stays where it is while it is on the stack.
        unsafe {
            let value = match ffi::lua_type(state, -1) {
                ffi::LUA_TNIL => Value::Nil,
                ffi::LUA_TBOOLEAN => Value::Boolean(ffi::lua_toboolean(state, -1) != 0),
                ffi::LUA_TNUMBER => Value::Number(ffi::lua_tonumber(state, -1)),
                ffi::LUA_TSTRING if ffi::lua_objlen(state, -1) <= COPIED_BYTES_MAX => {
                    let mut len = 0;
                    let text = ffi::lua_tolstring(state, -1, &raw mut len);
                    let text = std::slice::from_raw_parts(text.cast::<u8>(), len).to_vec();
                    if is_fine {
                        return Ok(Left::Text(text));
                    }
                    Value::Nil
                }
                _ => self.bound(lua)?,
            };
            Ok(if is_fine { Left::Value(value) } else { Left::Error(value) })
        }
    }

    /// What is on top of the stack, as the binding has values.
    ///
    /// # Safety
    /// As for `left`.
    unsafe fn bound(&self, lua: &Lua) -> Result<Value> {
        let parcel = ffi::lua_Integer::from(self.parcel.0);
        // SAFETY: as the caller promises; what is in the registry under this number is there
        // already, so that setting it takes no memory.
        unsafe {
            ffi::lua_rawseti(self.state, ffi::LUA_REGISTRYINDEX, parcel);
            let value = lua.exec_raw::<Value>((), |state| {
                ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, parcel);
            });
            ffi::lua_pushboolean(self.state, 0);
            ffi::lua_rawseti(self.state, ffi::LUA_REGISTRYINDEX, parcel);
            // What was on top has been taken away.
            ffi::lua_pushnil(self.state);
            value
        }
    }

    /// # Safety
    /// The state is valid and there is room on its stack.
    unsafe fn push(&self, anchor: Anchor) {
        // SAFETY: as the caller promises.
        unsafe { ffi::lua_rawgeti(self.state, ffi::LUA_REGISTRYINDEX, anchor.0.into()) };
    }
}

/// Places of the upvalues.
const PREPARE: c_int = 1;
const CALL: c_int = 2;
const GLOBALS: c_int = 3;
const KEYS: c_int = 4;
const VALUES: c_int = 5;

/// Calls a script with its keys and arguments: true and what it returns, or false and an error.
///
/// No value with a destructor lives in here, since errors jump across this frame.
unsafe extern "C-unwind" fn begin(state: *mut lua_State) -> c_int {
    // SAFETY: only `run` calls this, with the address of what it keeps until this has ended; the
    // upvalues are those that `new` has made.
    unsafe {
        let entering = &*ffi::lua_touserdata(state, 1).cast::<Entering<'static>>();
        let called = entering.called;
        if entering.prepares {
            ffi::lua_pushvalue(state, ffi::lua_upvalueindex(PREPARE));
            ffi::lua_pushboolean(state, c_int::from(called.writes));
            ffi::lua_call(state, 1, 0);
        }
        let Some(name) = called.name else {
            ffi::lua_pushboolean(state, 1);
            ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, called.program.0.into());
            ffi::lua_pushvalue(state, ffi::lua_upvalueindex(GLOBALS));
            ffi::lua_pushvalue(state, ffi::lua_upvalueindex(KEYS));
            push_words(state, called.parameters.keys());
            ffi::lua_rawset(state, -3);
            ffi::lua_pushvalue(state, ffi::lua_upvalueindex(VALUES));
            push_words(state, called.parameters.values());
            ffi::lua_rawset(state, -3);
            ffi::lua_settop(state, 3);
            limit(entering);
            ffi::lua_call(state, 0, 1);
            return 2;
        };
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(CALL));
        ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, called.program.0.into());
        push_string(state, name.as_bytes());
        push_words(state, called.parameters.keys());
        push_words(state, called.parameters.values());
        limit(entering);
        ffi::lua_call(state, 4, 2);
        2
    }
}

/// From here on the script pays for memory.
///
/// # Safety
/// The visit is alive, and nobody else refers to it.
unsafe fn limit(entering: &Entering<'_>) {
    // SAFETY: as the caller promises.
    let visit = unsafe { &mut *entering.visit };
    visit.limit = visit.lua.used_memory() + entering.allowed;
    set_limit(visit.lua, visit.limit);
}
