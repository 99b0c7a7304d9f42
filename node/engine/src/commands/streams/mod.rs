//! Commands on streams.

mod acknowledge;
mod add;
mod arguments;
mod autoclaim;
mod claim;
mod delete;
mod group;
mod info;
mod info_full;
mod last_id;
mod pending;
mod range;
mod read;
mod read_group;
mod reading;
mod trim;
mod trimming;
pub mod waiting;

use alloc::format;
use alloc::string::String;

use crate::command::Command;
use crate::error::CommandError;

pub(super) const COMMANDS: &[Command] = &[
    acknowledge::XACK,
    acknowledge::XACKDEL,
    add::XADD,
    autoclaim::XAUTOCLAIM,
    claim::XCLAIM,
    delete::XDEL,
    delete::XDELEX,
    group::XGROUP,
    info::XINFO,
    last_id::XSETID,
    pending::XPENDING,
    range::XLEN,
    range::XRANGE,
    range::XREVRANGE,
    read::XREAD,
    read_group::XREADGROUP,
    trim::XTRIM,
];

fn text(bytes: &[u8]) -> String {
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// `NOGROUP No such key …`, the answer of commands that need a group.
fn no_group(key: &[u8], group: &[u8]) -> CommandError {
    let (key, group) = (text(key), text(group));
    CommandError::text(format!("NOGROUP No such key '{key}' or consumer group '{group}'"))
}

/// `NOGROUP No such consumer group …`, the answer of commands about a group.
fn no_such_group(key: &[u8], group: &[u8]) -> CommandError {
    let (key, group) = (text(key), text(group));
    CommandError::text(format!("NOGROUP No such consumer group '{group}' for key name '{key}'"))
}

/// What a container answers to words that fit no subcommand's grammar.
fn bad_subcommand(container: &str, word: &[u8]) -> CommandError {
    let word = text(&word[..word.len().min(128)]);
    CommandError::text(format!(
        "ERR unknown subcommand or wrong number of arguments for '{word}'. Try {container} HELP."
    ))
}
