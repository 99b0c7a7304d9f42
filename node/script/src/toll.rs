//! Makes Lua's own functions pay for what they do.
//!
//! A function of Lua's library is one instruction to the budget, however long the strings or tables
//! are that it works on. A toll charges the budget before it calls one, and for its results after
//! it. It calls it within its own frame, so that a complaint names the function and the place of the
//! script, as without a toll; a function of Rust in between could do neither.

#![expect(unsafe_code, reason = "a function of C is called in the frame of another")]

use std::ffi::{c_int, c_void};
use std::rc::Rc;

use mlua::{Error, Function, Lua, Result, ffi};

use crate::meter::{BYTES_PER_STEP, Meter};

/// Bytes that are worth a step where each of them is worked on.
const WORKED_BYTES_PER_STEP: usize = 8;

/// What a function is charged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
enum Rate {
    /// Its results only.
    Results = 0,
    /// The strings that it gets.
    Texts = 1,
    /// Elements between the second argument and the end of the table.
    Moved = 2,
    /// Elements between the third argument and the fourth, or the end of the table.
    Joined = 3,
    /// Putting the table in order.
    Sorted = 4,
}

/// `native`, a function of C without upvalues, which charges `meter` at the rate called `rate`.
pub(crate) fn toll(lua: &Lua, meter: &Rc<Meter>, native: Function, rate: &str) -> Result<Function> {
    let rate = match rate {
        "results" => Rate::Results,
        "texts" => Rate::Texts,
        "moved" => Rate::Moved,
        "joined" => Rate::Joined,
        "sorted" => Rate::Sorted,
        _ => return Err(Error::runtime("no such rate")),
    };
    let meter = Rc::as_ptr(meter).cast_mut().cast::<c_void>();
    // SAFETY: exactly one value is on the stack, and it becomes the first upvalue of the closure
    // that replaces it; the second is the meter, which lives as long as the interpreter.
    unsafe {
        lua.exec_raw(native, |state| {
            ffi::lua_pushlightuserdata(state, meter);
            ffi::lua_pushinteger(state, rate as ffi::lua_Integer);
            ffi::lua_pushcclosure(state, tolled, 3);
        })
    }
}

/// Calls the function in its first upvalue.
///
/// No value with a destructor lives in here, since errors jump across this frame.
unsafe extern "C-unwind" fn tolled(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Lua calls this with a valid state; the upvalues are those that `toll` has made. The
    // function does not ask for upvalues, so that it can run as if it had been called itself.
    unsafe {
        let Some(native) = ffi::lua_tocfunction(state, ffi::lua_upvalueindex(1)) else { return 0 };
        let meter = &*ffi::lua_touserdata(state, ffi::lua_upvalueindex(2)).cast::<Meter>();
        let rate = ffi::lua_tointeger(state, ffi::lua_upvalueindex(3));
        if meter.charge(price(state, rate as i32)) {
            ffi::lua_pushstring(state, c"budget".as_ptr());
            ffi::lua_error(state);
        }
        let results = native(state);
        let bytes = texts(state, -results, -1);
        meter.charge((bytes / BYTES_PER_STEP) as i64 + i64::from(results));
        results
    }
}

/// What a call costs before it has results.
///
/// # Safety
/// The arguments of a call are what is on the stack.
unsafe fn price(state: *mut ffi::lua_State, rate: i32) -> i64 {
    // SAFETY: see above; an index behind the last argument is that of no value, which is allowed.
    unsafe {
        let last = ffi::lua_gettop(state);
        let len = || ffi::lua_objlen(state, 1) as i64;
        let is_table = ffi::lua_type(state, 1) == ffi::LUA_TTABLE;
        let given = |at| {
            (ffi::lua_type(state, at) == ffi::LUA_TNUMBER)
                .then(|| ffi::lua_tonumber(state, at).clamp(-1e15, 1e15) as i64)
        };
        match rate {
            1 => (texts(state, 1, last) / WORKED_BYTES_PER_STEP) as i64,
            2 if is_table && (last > 2 || given(2).is_some()) => {
                let from = given(2).unwrap_or_else(len);
                (len() - from).max(0)
            }
            3 if is_table => {
                let from = given(3).unwrap_or(1);
                (given(4).unwrap_or_else(len) - from).max(0)
            }
            4 if is_table => {
                let len = len();
                len * i64::from(len.max(1).ilog2())
            }
            _ => 0,
        }
    }
}

/// The bytes of the strings between two places of the stack.
///
/// # Safety
/// There are values at these places.
unsafe fn texts(state: *mut ffi::lua_State, first: c_int, last: c_int) -> usize {
    let mut bytes = 0;
    for at in first..=last {
        // SAFETY: see above; only the length of strings is asked for.
        unsafe {
            if ffi::lua_type(state, at) == ffi::LUA_TSTRING {
                bytes += ffi::lua_objlen(state, at);
            }
        }
    }
    bytes
}
