//! Scripts and functions.

mod eval;
mod script;

use crate::command::Command;

pub(super) const COMMANDS: &[Command] =
    &[eval::EVAL, eval::EVALSHA, eval::EVAL_RO, eval::EVALSHA_RO, script::SCRIPT];
