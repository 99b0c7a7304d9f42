//! Commands on hashes.

use crate::command::Command;

pub(super) const COMMANDS: &[Command] = &[];
