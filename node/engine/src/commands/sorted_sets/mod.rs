//! Commands on sorted sets.

use crate::command::Command;

pub(super) const COMMANDS: &[Command] = &[];
