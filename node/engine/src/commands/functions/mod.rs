//! Libraries of functions, and calling these.

mod cluster;
mod fcall;
mod function;

use crate::command::Command;

pub(super) const COMMANDS: &[Command] =
    &[fcall::FCALL, fcall::FCALL_RO, function::FUNCTION, cluster::ADOPT, cluster::ASKED];
