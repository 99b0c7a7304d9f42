//! Which commands a script may call, on which keys.

use alloc::vec::Vec;

use crate::command::{Args, Command, CommandTable, Run, find_subcommand};
use crate::commands::streams::waiting;
use crate::error::{CommandError, Result};
use crate::settings::Settings;
use crate::slot::Slot;
use crate::spec::Flags;

const UNKNOWN: CommandError = CommandError::fixed("ERR Unknown Redis command called from script");
const ARITY: CommandError =
    CommandError::fixed("ERR Wrong number of args calling Redis command from script");
pub(super) const NOT_ALLOWED: CommandError =
    CommandError::fixed("ERR This Redis command is not allowed from script");
pub(super) const NO_WRITES: CommandError =
    CommandError::fixed("ERR Write commands are not allowed from read-only scripts.");
const OTHER_SLOT: CommandError =
    CommandError::fixed("ERR Script attempted to access keys that do not hash to the same slot");
const NOT_LOCAL: CommandError =
    CommandError::fixed("ERR Script attempted to access a non local key in a cluster node");
/// Replies that depend on when this very node read a key.
const DIFFERS: CommandError = CommandError::fixed(
    "ERR the last use of a key differs between replicas: only read-only scripts may ask for it",
);

/// Commands of the node, which the engine cannot run: known, and not allowed.
const OF_THE_NODE: &[&str] = &[
    "acl",
    "asking",
    "auth",
    "bgrewriteaof",
    "bgsave",
    "client",
    "cluster",
    "command",
    "config",
    "debug",
    "discard",
    "exec",
    "failover",
    "hello",
    "info",
    "lastsave",
    "latency",
    "lolwut",
    "memory",
    "migrate",
    "module",
    "monitor",
    "multi",
    "psubscribe",
    "psync",
    "pubsub",
    "punsubscribe",
    "quit",
    "readonly",
    "readwrite",
    "replconf",
    "replicaof",
    "reset",
    "role",
    "save",
    "shutdown",
    "slaveof",
    "slowlog",
    "ssubscribe",
    "subscribe",
    "sunsubscribe",
    "swapdb",
    "sync",
    "unsubscribe",
    "unwatch",
    "wait",
    "waitaof",
    "watch",
];

/// The command that a script names.
///
/// # Errors
/// Redis's texts for what there is not, and for what scripts must not call.
pub(super) fn find(
    table: &CommandTable,
    args: &Args<'_>,
    writes: bool,
) -> Result<&'static Command> {
    let Some((_, command)) = table.find(&args[0]) else {
        let node = OF_THE_NODE.iter().any(|name| args[0].eq_ignore_ascii_case(name.as_bytes()));
        return Err(if node { NOT_ALLOWED } else { UNKNOWN });
    };
    let (container, command) = match command.run {
        Run::Container(subcommands) => {
            let word = args.try_get(1).ok_or(ARITY)?;
            (command.spec.name, find_subcommand(subcommands, word).ok_or(UNKNOWN)?)
        }
        _ => ("", command),
    };
    let flags = command.spec.flags;
    if flags.has(Flags::INTERNAL) {
        return Err(UNKNOWN);
    }
    if !command.spec.accepts(args.len()) {
        return Err(ARITY);
    }
    if flags.has(Flags::NOSCRIPT) || matches!(command.run, Run::Node | Run::Container(_)) {
        return Err(NOT_ALLOWED);
    }
    if flags.has(Flags::BLOCKING) && waiting::asks_to_wait(args) {
        return Err(waiting::not_in_scripts(&args[0]));
    }
    if writes && container == "object" && matches!(command.spec.name, "idletime" | "freq") {
        return Err(DIFFERS);
    }
    Ok(command)
}

/// Where the keys of a request stand.
pub(super) fn key_words(command: &'static Command, args: &Args<'_>) -> Vec<usize> {
    let mut words = Vec::new();
    for spec in command.spec.key_specs.iter().flatten() {
        // A request that does not fit fails in the handler, with the handler's words.
        let _ = spec.find_in(args.len(), |word| args.get(word), &mut words);
    }
    words
}

/// Keeps a script to the slot of the keys that it declared.
///
/// With a single shard there is nowhere else where a key could be, so anything goes. With several,
/// which slots are here is nothing that the log of a shard tells yet; but the slot of the declared
/// keys was routed here, so it is the one that a script may touch. Whether there are several is a
/// replicated setting, because an entry must end in the same way on every replica.
#[derive(Clone, Copy)]
pub(super) struct Slots {
    /// That of the declared keys, where it matters.
    declared: Option<Slot>,
}

impl Slots {
    pub(super) fn new<'a>(settings: &Settings, mut keys: impl Iterator<Item = &'a [u8]>) -> Self {
        let first = if settings.several_shards { keys.next() } else { None };
        Slots { declared: first.map(Slot::of_key) }
    }

    /// # Errors
    /// Redis's texts for keys of other slots.
    pub(super) fn check(
        self,
        settings: &Settings,
        command: &'static Command,
        args: &Args<'_>,
    ) -> Result {
        if !settings.several_shards {
            return Ok(());
        }
        for word in key_words(command, args) {
            match self.declared {
                None => return Err(NOT_LOCAL),
                Some(slot) if slot != Slot::of_key(args.get(word)) => return Err(OTHER_SLOT),
                Some(_) => {}
            }
        }
        Ok(())
    }
}
