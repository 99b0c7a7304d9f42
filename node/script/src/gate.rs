//! The gate through which a script reaches the commands: `redis.call`, `redis.pcall` and
//! `redis.acl_check_cmd`.
//!
//! Short scripts spend most of their time here, so this works on Lua's own stack: arguments are
//! copied from it once, to where the engine reads them, and replies are pushed onto it as they are.
//!
//! An error of Lua's leaves the functions that it passes by a jump, over which no destructor runs.
//! So whatever has one lives in functions that call nothing of Lua's that can fail, and a panic of
//! the engine's is carried past Lua by hand.

#![expect(unsafe_code, reason = "functions that Lua calls, and that push onto its stack")]

use std::any::Any;
use std::cell::Cell;
use std::ffi::c_int;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;

use mlua::ffi::{self, lua_State};
use mlua::{Function, Lua, Result, Table};
use quoris_engine::Args;
use quoris_resp::Span;

use crate::entrance::{Called, Entrance, Left};
use crate::machine::MEMORY_BYTES_MAX;
use crate::meter::{BYTES_PER_STEP, CALL_STEPS, Ending, Meter};
use crate::number;
use crate::recorder::Recorder;
use crate::values::{push_error, push_reply, push_string};

const NO_ARGUMENT: &[u8] = b"ERR Please specify at least one argument for this redis lib call";
const BAD_ARGUMENT: &[u8] = b"ERR Lua redis lib command arguments must be strings or integers";
const NO_COMMAND: &[u8] = b"ERR Invalid command passed to redis.acl_check_cmd()";
const NO_SCRIPT: &[u8] = b"ERR no script runs";

/// Names of the functions, and what they are to [`enter`].
const FUNCTIONS: [(&str, isize); 3] = [("call", CALL), ("pcall", PCALL), ("acl_check_cmd", CHECK)];
const CALL: isize = 0;
const PCALL: isize = 1;
const CHECK: isize = 2;

/// One per interpreter. The functions know it by its address.
pub(crate) struct Gate {
    /// The run that is under way; null between runs.
    visit: Box<Cell<*mut Visit<'static, 'static>>>,
    /// Kept for the next run.
    words: Cell<Words>,
}

/// The words of a call.
type Words = (Vec<u8>, Vec<Span>);

/// A run of a script, as its calls see it.
pub(crate) struct Visit<'r, 'c> {
    pub lua: &'r Lua,
    meter: &'r Meter,
    recorder: &'r mut Recorder<'c>,
    /// What the interpreter may hold, in bytes.
    pub limit: usize,
    words: Words,
    /// What the engine panicked with.
    panic: Option<Box<dyn Any + Send>>,
}

/// What a call came to. Has no destructor.
#[derive(Clone, Copy)]
enum Said {
    /// The command's reply, which the recorder keeps.
    Reply(*const [u8]),
    True,
    Refused(&'static [u8]),
    /// The script must not go on.
    Ended,
}

impl Gate {
    pub(crate) fn new() -> Gate {
        Gate { visit: Box::new(Cell::new(ptr::null_mut())), words: Cell::default() }
    }

    /// Adds the functions to a table. They must not be called once the gate is gone.
    pub(crate) fn offer(&self, lua: &Lua, table: &Table) -> Result<()> {
        for (name, kind) in FUNCTIONS {
            let gate = ptr::from_ref(&*self.visit);
            // SAFETY: what is pushed becomes the closure's upvalues, two values of two.
            let function: Function = unsafe {
                lua.exec_raw((), |state| {
                    ffi::lua_pushlightuserdata(state, gate.cast_mut().cast());
                    ffi::lua_pushinteger(state, kind as ffi::lua_Integer);
                    ffi::lua_pushcclosure(state, enter, 2);
                })
            }?;
            table.raw_set(name, function)?;
        }
        Ok(())
    }

    /// Lets a script through, which may hold `allowed` bytes more than there are.
    pub(crate) fn run(
        &self,
        entrance: &Entrance,
        (lua, meter, allowed): (&Lua, &Meter, usize),
        called: &Called<'_>,
        recorder: &mut Recorder<'_>,
    ) -> Result<Left> {
        let words = self.words.take();
        let mut visit = Visit { lua, meter, recorder, limit: 0, words, panic: None };
        let visit = ptr::from_mut(&mut visit);
        self.visit.set(visit.cast());
        let left = entrance.run(lua, called, visit.cast(), allowed);
        self.visit.set(ptr::null_mut());
        // SAFETY: it is alive until this function ends, and the script's end took back its address.
        let visit = unsafe { &mut *visit };
        self.words.set(std::mem::take(&mut visit.words));
        if let Some(panic) = visit.panic.take() {
            resume_unwind(panic);
        }
        left
    }
}

/// What the interpreter may hold, in bytes; anything if 0.
pub(crate) fn set_limit(lua: &Lua, bytes: usize) {
    lua.set_memory_limit(bytes).expect("the interpreter was made with a counting allocator");
}

/// Pushes a table of strings.
///
/// # Safety
/// As for [`push_error`].
pub(crate) unsafe fn push_words<'a>(
    state: *mut lua_State,
    words: impl ExactSizeIterator<Item = &'a [u8]>,
) {
    // SAFETY: as the caller promises; there is room for a table and a string.
    unsafe {
        ffi::luaL_checkstack(state, 4, ptr::null());
        ffi::lua_createtable(state, words.len() as c_int, 0);
        for (at, word) in words.enumerate() {
            push_string(state, word);
            ffi::lua_rawseti(state, -2, at as ffi::lua_Integer + 1);
        }
    }
}

/// What the functions do.
///
/// No value with a destructor lives in here, since errors jump across this frame.
unsafe extern "C-unwind" fn enter(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with a valid state and the upvalues that `offer` has set. The visit,
    // if there is one, is alive: `run` takes its address back before it ends. Replies stay where
    // they are until the next call.
    unsafe {
        let gate = ffi::lua_touserdata(state, ffi::lua_upvalueindex(1));
        let kind = ffi::lua_tointeger(state, ffi::lua_upvalueindex(2)) as isize;
        let visit = (*gate.cast::<Cell<*mut Visit<'static, 'static>>>()).get();
        if visit.is_null() {
            push_error(state, NO_SCRIPT);
            ffi::lua_error(state);
        }
        // Where memory decides something, it must not run out in the middle of a reply.
        let is_exact = (*visit).meter.is_exact;
        if is_exact {
            set_limit((*visit).lua, 0);
        }
        let is_fine = match ask(state, &mut *visit, kind) {
            Said::Reply(reply) => push_reply(state, &mut &*reply),
            Said::True => {
                ffi::lua_pushboolean(state, 1);
                true
            }
            Said::Refused(text) => {
                push_error(state, text);
                false
            }
            Said::Ended => {
                ffi::lua_pushnil(state);
                ffi::lua_error(state);
            }
        };
        if is_exact {
            set_limit((*visit).lua, (*visit).limit);
            if (*visit).lua.used_memory() > (*visit).limit {
                (*visit).meter.end(Ending::Memory);
                ffi::lua_pushnil(state);
                ffi::lua_error(state);
            }
        }
        if is_fine || kind == PCALL { 1 } else { ffi::lua_error(state) }
    }
}

/// Takes the words off the stack and lets the engine answer.
///
/// # Safety
/// The state is valid, and the stack holds nothing but the arguments of a call.
unsafe fn ask(state: *mut lua_State, visit: &mut Visit<'_, '_>, kind: isize) -> Said {
    let (bytes, spans) = &mut visit.words;
    bytes.clear();
    spans.clear();
    // SAFETY: as the caller promises.
    let count = unsafe { ffi::lua_gettop(state) };
    if count == 0 {
        return Said::Refused(NO_ARGUMENT);
    }
    for place in 1..=count {
        let start = bytes.len() as u32;
        // SAFETY: as the caller promises, and there are so many.
        if !unsafe { push_word(state, place, bytes) } {
            return Said::Refused(BAD_ARGUMENT);
        }
        spans.push(Span { start, len: bytes.len() as u32 - start });
        if bytes.len() > MEMORY_BYTES_MAX {
            visit.meter.end(Ending::Memory);
            return Said::Ended;
        }
    }
    catch_unwind(AssertUnwindSafe(|| answer(visit, kind))).unwrap_or_else(|panic| {
        visit.panic = Some(panic);
        visit.meter.end(Ending::Memory);
        Said::Ended
    })
}

fn answer(visit: &mut Visit<'_, '_>, kind: isize) -> Said {
    let words = Args::new(&visit.words.0, &visit.words.1);
    if kind == CHECK {
        let exists = visit.recorder.calls().exists(&words);
        return if exists { Said::True } else { Said::Refused(NO_COMMAND) };
    }
    let Some(range) = visit.recorder.call(words, visit.meter.protocol.get()) else {
        visit.meter.end(Ending::Memory);
        return Said::Ended;
    };
    let moved = visit.words.0.len() + range.len();
    visit.meter.charge(CALL_STEPS + (moved / BYTES_PER_STEP) as i64);
    Said::Reply(ptr::from_ref(visit.recorder.reply(range)))
}

/// Appends an argument of a call; false if it cannot be one.
///
/// # Safety
/// The state is valid, and there is such an argument. Nothing here allocates in Lua.
unsafe fn push_word(state: *mut lua_State, place: c_int, bytes: &mut Vec<u8>) -> bool {
    // SAFETY: as the caller promises; a string stays where it is while it is on the stack.
    unsafe {
        match ffi::lua_type(state, place) {
            ffi::LUA_TSTRING => {
                let mut len = 0;
                let text = ffi::lua_tolstring(state, place, &raw mut len);
                bytes.extend_from_slice(std::slice::from_raw_parts(text.cast(), len));
            }
            ffi::LUA_TNUMBER => push_number(ffi::lua_tonumber(state, place), bytes),
            _ => return false,
        }
    }
    true
}

/// The largest number below which all integers have the same digits with `%.17g`.
const PLAIN_MAX: f64 = 1e15;

fn push_number(value: f64, bytes: &mut Vec<u8>) {
    let is_negative_zero = value == 0.0 && value.is_sign_negative();
    if value.fract() == 0.0 && value.abs() < PLAIN_MAX && !is_negative_zero {
        // It can only fail for want of memory.
        let _ = write!(bytes, "{}", value as i64);
    } else {
        bytes.extend_from_slice(number::general(value, 17).as_bytes());
    }
}
