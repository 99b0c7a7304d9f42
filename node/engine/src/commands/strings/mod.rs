//! Commands on strings.

mod get;

use crate::command::Command;

pub(super) const COMMANDS: &[Command] = &[get::GET, get::STRLEN];
