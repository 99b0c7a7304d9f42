//! What the engine's tests share: an engine that answers commands typed as text.

#![allow(dead_code, reason = "every test binary uses its own part of this")]

pub mod generate;
pub mod payload;
pub mod reply;
pub mod session;
