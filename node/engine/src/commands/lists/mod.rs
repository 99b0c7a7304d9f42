//! Commands on lists.

use crate::command::Command;

pub(super) const COMMANDS: &[Command] = &[];
