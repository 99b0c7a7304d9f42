//! The Lua host: runs scripts for the engine, the same way on every replica.
//!
//! Scripts run in the Lua 5.1 that Redis runs, in a sealed world that [`prelude.lua`](../prelude.lua)
//! builds. A script that may write runs on every replica, so its course must not depend on anything
//! that replicas have not in common. What stands in the way of that, and what is done about it:
//!
//! * **Clock and randomness.** `TIME`, `math.random` and `os.clock` come from the entry's stamp and
//!   from the instructions that the script has executed.
//! * **Addresses.** `tostring` of an object counts objects; a table with objects for keys cannot be
//!   iterated over. Lua 5.1 hashes strings and numbers by their value alone, so that every other
//!   table has the same order everywhere.
//! * **What was before.** Nothing outlives a script: no global, no upvalue, no setting of a library.
//! * **Time to run.** A budget of instructions instead of a clock: see [`meter`].
//! * **Memory.** How much the interpreter holds depends on the scripts that ran before, so it must
//!   never decide anything: see [`host`].
//! * **Platform.** The functions of `math` come from `libm`. The operator `^` and the formatting of
//!   numbers are the C library's: the nodes of a shard have to run builds for one platform.
//!
//! A script that may write is run to its end on the node's thread; nothing can interrupt it but its
//! budget. One that only reads has none, but can pause and be killed: see [`pauses`].

mod api;
mod bytecode;
mod entrance;
mod functions;
mod gate;
mod guard;
mod host;
mod libraries;
mod machine;
mod math;
mod meter;
mod number;
mod patterns;
mod pauses;
mod recorder;
mod replies;
mod strings;
mod toll;
mod values;
mod watch;

pub use host::LuaHost;
pub use pauses::{Fiber, Pauses};
