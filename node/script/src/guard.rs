//! Turns a function that tells of its failure into one that raises it.
//!
//! Functions of the host and of the prelude return true and their results, or false and what went
//! wrong. To a script they have to be functions as C writes them: an error that is a string gets the
//! place of the caller in front, and a script that ends with `return redis.call(…)` still has its
//! frame when the error is raised, which a function written in Lua would have replaced. A binding
//! cannot raise a value of Lua's safely, so this is not safe Rust.

#![expect(unsafe_code, reason = "raising an error of Lua's own leaves the function by a jump")]

use std::ffi::c_int;

use mlua::ffi;
use mlua::{Function, Lua, Result};

/// A function that does what `raw` does, and raises what `raw` calls wrong.
pub(crate) fn guard(lua: &Lua, raw: Function) -> Result<Function> {
    // SAFETY: exactly one value is on the stack, and it becomes the upvalue of the closure that
    // replaces it. `guarded` relies on nothing but that upvalue.
    unsafe { lua.exec_raw(raw, |state| ffi::lua_pushcclosure(state, guarded, 1)) }
}

/// Calls the function in its upvalue.
///
/// No value with a destructor lives in here, since errors jump across this frame.
unsafe extern "C-unwind" fn guarded(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Lua calls this with a valid state and room for `LUA_MINSTACK` more values, and only
    // the arguments are on the stack; every index below is of a value that has been pushed.
    unsafe {
        let args = ffi::lua_gettop(state);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(1));
        ffi::lua_insert(state, 1);
        ffi::lua_call(state, args, ffi::LUA_MULTRET);
        if ffi::lua_toboolean(state, 1) != 0 {
            return ffi::lua_gettop(state) - 1;
        }
        ffi::lua_settop(state, 2);
        if ffi::lua_type(state, 2) == ffi::LUA_TSTRING {
            ffi::luaL_where(state, 1);
            ffi::lua_insert(state, 2);
            ffi::lua_concat(state, 2);
        }
        ffi::lua_error(state)
    }
}
