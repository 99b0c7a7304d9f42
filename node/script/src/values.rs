//! Replies as Lua values.
//!
//! Replies are pushed onto Lua's stack as they are read, without anything in between: a script gets
//! one for every command that it calls.
//!
//! Source: <https://redis.io/docs/latest/develop/programmability/lua-api/#data-type-conversion>.

#![expect(unsafe_code, reason = "values are pushed onto Lua's own stack")]

use std::ffi::{CStr, c_int};

use mlua::ffi::{self, lua_State};
use mlua::{Lua, Result, Value};

/// The table that stands for an error.
pub(crate) fn error(lua: &Lua, text: &[u8]) -> Result<Value> {
    let table = lua.create_table_with_capacity(0, 2)?;
    table.raw_set("err", Value::String(lua.create_string(text)?))?;
    table.raw_set("ignore_error_stats_update", true)?;
    Ok(Value::Table(table))
}

/// Pushes the table that stands for an error.
///
/// # Safety
/// The state is valid. An error of Lua's may leave the function: no frame above it up to Lua may
/// hold a value with a destructor.
pub(crate) unsafe fn push_error(state: *mut lua_State, text: &[u8]) {
    // SAFETY: as the caller promises; there is room for what is pushed.
    unsafe {
        ffi::luaL_checkstack(state, 4, std::ptr::null());
        ffi::lua_createtable(state, 0, 2);
        push_string(state, text);
        ffi::lua_setfield(state, -2, c"err".as_ptr());
        ffi::lua_pushboolean(state, 1);
        ffi::lua_setfield(state, -2, c"ignore_error_stats_update".as_ptr());
    }
}

/// Pushes a string.
///
/// # Safety
/// As for [`push_error`], and there is room for it.
pub(crate) unsafe fn push_string(state: *mut lua_State, text: &[u8]) {
    // SAFETY: as the caller promises.
    unsafe { ffi::lua_pushlstring(state, text.as_ptr().cast(), text.len()) };
}

/// Pushes the value of the reply at the start of `rest`, which the engine wrote, and moves `rest`
/// behind it; false if it is an error.
///
/// # Safety
/// As for [`push_error`].
pub(crate) unsafe fn push_reply(state: *mut lua_State, rest: &mut &[u8]) -> bool {
    let is_fine = rest.first() != Some(&b'-');
    // SAFETY: as the caller promises.
    unsafe { push(state, rest) };
    is_fine
}

/// # Safety
/// As for [`push_error`].
unsafe fn push(state: *mut lua_State, rest: &mut &[u8]) {
    let (kind, line) = next_line(rest);
    // SAFETY: as the caller promises; each value finds room, and tables hold what is on top.
    unsafe {
        ffi::luaL_checkstack(state, 4, std::ptr::null());
        match kind {
            b'$' | b'*' if line == b"-1" => ffi::lua_pushboolean(state, 0),
            b'$' => push_string(state, bulk(line, rest)),
            b':' => ffi::lua_pushnumber(state, integer(line) as f64),
            b'*' | b'>' => array(state, integer(line) as c_int, rest),
            b'+' => single(state, c"ok", || push_string(state, line)),
            b'-' => push_error(state, line),
            b'_' => ffi::lua_pushnil(state),
            b'#' => ffi::lua_pushboolean(state, c_int::from(line == b"t")),
            b',' => single(state, c"double", || ffi::lua_pushnumber(state, double(line))),
            b'(' => single(state, c"big_number", || push_string(state, line)),
            b'=' => single(state, c"verbatim_string", || verbatim(state, bulk(line, rest))),
            b'%' => single(state, c"map", || map(state, integer(line) as c_int, rest)),
            b'~' => single(state, c"set", || set(state, integer(line) as c_int, rest)),
            _ => unreachable!("the engine writes no such reply: {kind}"),
        }
    }
}

/// A table with one field, whose value `push` pushes.
///
/// # Safety
/// As for [`push_error`].
unsafe fn single(state: *mut lua_State, name: &CStr, push: impl FnOnce()) {
    // SAFETY: as the caller promises.
    unsafe {
        ffi::lua_createtable(state, 0, 1);
        push();
        ffi::lua_setfield(state, -2, name.as_ptr());
    }
}

/// # Safety
/// As for [`push_error`].
unsafe fn array(state: *mut lua_State, len: c_int, rest: &mut &[u8]) {
    // SAFETY: as the caller promises.
    unsafe {
        ffi::lua_createtable(state, len, 0);
        for place in 1..=len {
            push(state, rest);
            ffi::lua_rawseti(state, -2, place.into());
        }
    }
}

/// # Safety
/// As for [`push_error`].
unsafe fn map(state: *mut lua_State, pairs: c_int, rest: &mut &[u8]) {
    // SAFETY: as the caller promises.
    unsafe {
        ffi::luaL_checkstack(state, 4, std::ptr::null());
        ffi::lua_createtable(state, 0, pairs);
        for _ in 0..pairs {
            push(state, rest);
            push(state, rest);
            ffi::lua_rawset(state, -3);
        }
    }
}

/// # Safety
/// As for [`push_error`].
unsafe fn set(state: *mut lua_State, len: c_int, rest: &mut &[u8]) {
    // SAFETY: as the caller promises.
    unsafe {
        ffi::luaL_checkstack(state, 4, std::ptr::null());
        ffi::lua_createtable(state, 0, len);
        for _ in 0..len {
            push(state, rest);
            ffi::lua_pushboolean(state, 1);
            ffi::lua_rawset(state, -3);
        }
    }
}

/// # Safety
/// As for [`push_error`].
unsafe fn verbatim(state: *mut lua_State, bytes: &[u8]) {
    // SAFETY: as the caller promises.
    unsafe {
        ffi::luaL_checkstack(state, 4, std::ptr::null());
        ffi::lua_createtable(state, 0, 2);
        push_string(state, &bytes[..3]);
        ffi::lua_setfield(state, -2, c"format".as_ptr());
        push_string(state, &bytes[4..]);
        ffi::lua_setfield(state, -2, c"string".as_ptr());
    }
}

/// The type byte and the line behind it.
fn next_line<'a>(rest: &mut &'a [u8]) -> (u8, &'a [u8]) {
    let end = rest.iter().position(|byte| *byte == b'\r').expect("a reply ends its lines");
    let (line, behind) = rest.split_at(end);
    *rest = &behind[2..];
    (line[0], &line[1..])
}

fn bulk<'a>(line: &[u8], rest: &mut &'a [u8]) -> &'a [u8] {
    let (bytes, behind) = rest.split_at(integer(line) as usize);
    *rest = &behind[2..];
    bytes
}

fn integer(line: &[u8]) -> i64 {
    quoris_resp::parse_i64(line).expect("the engine writes integers")
}

fn double(line: &[u8]) -> f64 {
    match line {
        b"nan" | b"-nan" => f64::NAN,
        _ => quoris_resp::parse_double(line).expect("the engine writes doubles"),
    }
}
