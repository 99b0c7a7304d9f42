//! Commands on sets.

mod algebra;
mod card;
mod change;
mod combine;
mod members;
mod random;
mod scan;

use crate::command::Command;
use crate::context::WriteCx;
use crate::types::SetLimits;

pub(super) const COMMANDS: &[Command] = &[
    card::SINTERCARD,
    change::SADD,
    change::SMOVE,
    change::SREM,
    combine::SDIFF,
    combine::SDIFFSTORE,
    combine::SINTER,
    combine::SINTERSTORE,
    combine::SUNION,
    combine::SUNIONSTORE,
    members::SCARD,
    members::SISMEMBER,
    members::SMEMBERS,
    members::SMISMEMBER,
    random::SPOP,
    random::SRANDMEMBER,
    scan::SSCAN,
];

fn limits(cx: &WriteCx<'_>) -> SetLimits {
    SetLimits::new(cx.settings(), cx.hasher())
}
