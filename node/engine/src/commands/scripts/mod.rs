//! Scripts and functions.

pub(super) mod eval;
pub(super) mod script;

use crate::command::Command;

pub(super) const COMMANDS: &[Command] =
    &[eval::EVAL, eval::EVALSHA, eval::EVAL_RO, eval::EVALSHA_RO, script::SCRIPT];
