//! CONFIG: what the node is told while it runs.
//!
//! What a directive may be is said in [`crate::config`]; here is what happens when one changes.
//! Directives that decide how commands behave are part of the replicated state: the leader
//! proposes them, and the entry's reply is the client's. A follower refuses them, since they come
//! to it from its leader.

use quoris_engine::spec::{Flags, Group, Spec, block, string};
use quoris_engine::{Args, CommandError, Result, Settings};
use quoris_resp::Writer;

use super::help;
use crate::config::{Change, Config, SetError};
use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::settings::durability_of;
use crate::shared::Shared;
use crate::subcommands;

pub(super) const COMMANDS: &[NodeCommand] = &[CONFIG];

const FLAGS: Flags = Flags::ADMIN.or(Flags::NOSCRIPT).or(Flags::LOADING).or(Flags::STALE);
const ALL_NODES: &[&str] = &["request_policy:all_nodes", "response_policy:all_succeeded"];

/// CONFIG subcommand
const CONFIG: NodeCommand = NodeCommand::container(
    Spec::new("config", Group::Server, "2.0.0", "Reads and changes directives.")
        .arity(-2)
        .complexity("Depends on subcommand."),
    SUBCOMMANDS,
);

subcommands!(SUBCOMMANDS: 5 = [GET, HELP, RESETSTAT, REWRITE, SET]);

/// CONFIG GET parameter [parameter ...]
const GET: NodeCommand = NodeCommand::new(
    Spec::new("get", Group::Server, "2.0.0", "Returns directives by name or pattern.")
        .sub_args(&[block("parameter", &[string("parameter")]).multiple()])
        .flags(FLAGS)
        .complexity("O(N) when N is the number of configuration parameters provided"),
    get,
);

/// CONFIG HELP
const HELP: NodeCommand = NodeCommand::new(
    Spec::new("help", Group::Server, "5.0.0", "Lists the subcommands.")
        .sub_args(&[])
        .flags(Flags::LOADING.or(Flags::STALE)),
    show_help,
);

/// CONFIG RESETSTAT
const RESETSTAT: NodeCommand = NodeCommand::new(
    Spec::new("resetstat", Group::Server, "2.0.0", "Counts from zero again.")
        .sub_args(&[])
        .flags(FLAGS)
        .tips(ALL_NODES),
    resetstat,
);

/// CONFIG REWRITE
const REWRITE: NodeCommand = NodeCommand::new(
    Spec::new("rewrite", Group::Server, "2.8.0", "Writes the directives to their file.")
        .sub_args(&[])
        .flags(FLAGS)
        .tips(ALL_NODES),
    rewrite,
);

/// CONFIG SET parameter value [parameter value ...]
const SET: NodeCommand = NodeCommand::new(
    Spec::new("set", Group::Server, "2.0.0", "Changes directives.")
        .sub_args(&[block("data", &[string("parameter"), string("value")]).multiple()])
        .flags(FLAGS)
        .complexity("O(N) when N is the number of configuration parameters provided")
        .tips(ALL_NODES),
    set,
);

const LINES: &[&str] = &[
    "GET <pattern>",
    "    Return parameters matching the glob-like <pattern> and their values.",
    "SET <directive> <value>",
    "    Set the configuration <directive> to <value>.",
    "RESETSTAT",
    "    Reset statistics reported by the INFO command.",
    "REWRITE",
    "    Rewrite the configuration file.",
];

fn get(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let patterns: Vec<_> = args.from(2).map(String::from_utf8_lossy).collect();
    let found = cx.shared.config.borrow().get(patterns.iter().map(AsRef::as_ref));
    reply.map(found.len());
    for (name, value) in found {
        reply.bulk(name.as_bytes());
        reply.bulk(value.as_bytes());
    }
    Ok(Outcome::Done)
}

fn show_help(_: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    help::write(reply, "CONFIG", LINES);
    Ok(Outcome::Done)
}

fn resetstat(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    cx.shared.stats.reset();
    cx.shared.engine.borrow().lookups().reset();
    reply.ok();
    Ok(Outcome::Done)
}

fn rewrite(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let written = cx.shared.config.borrow().rewrite();
    if let Err(error) = written {
        tracing::warn!("CONFIG REWRITE: {error}");
        return Err(CommandError::text(error.to_string()));
    }
    reply.ok();
    Ok(Outcome::Done)
}

fn set(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let words: Vec<&[u8]> = args.from(2).collect();
    let (pairs, []) = words.as_chunks::<2>() else {
        return Err(CommandError::arity("config|set"));
    };
    let pairs: Vec<(&[u8], &[u8])> = pairs.iter().map(|[name, value]| (*name, *value)).collect();
    let is_local = cx.session.peer.ip().is_loopback();
    let changed = cx.shared.config.borrow_mut().set(&pairs, is_local);
    let change = changed.map_err(refused)?;
    change.notices.iter().for_each(|notice| tracing::warn!("CONFIG SET: {notice}"));
    let leads = cx.shared.group().is_leader();
    let request = replicated(&change, &cx.shared.config.borrow());
    let done = if leads { Ok(()) } else { check_follower(cx.shared, &change) };
    if let Err(error) = done.and_then(|()| apply(cx.shared, &change)) {
        cx.shared.config.borrow_mut().undo(change);
        return Err(refused(error));
    }
    if request.len() > 1 && leads {
        return Ok(Outcome::Write(request));
    }
    reply.ok();
    Ok(Outcome::Done)
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` passes")]
fn refused(error: SetError) -> CommandError {
    CommandError::text(error.to_string())
}

/// Refuses what only the shard's leader can change.
fn check_follower(shared: &Shared, change: &Change) -> Result<(), SetError> {
    let engine = shared.engine.borrow();
    let belongs = |name: &&str| change.includes(name) && engine.settings().get(name).is_some();
    let Some(name) = Settings::NAMES.into_iter().find(belongs) else { return Ok(()) };
    let leader = shared.group().leader();
    let leader = match leader.and_then(|leader| shared.routes().client_address(leader)) {
        Some((host, port)) => format!("its leader, {host}:{port}"),
        None => "its leader, which is not known now".to_owned(),
    };
    Err(SetError::failed(name, format!("it is the same for the whole shard: set it on {leader}")))
}

/// Puts into effect what nobody looks up when needing it.
fn apply(shared: &Shared, change: &Change) -> Result<(), SetError> {
    let config = shared.config.borrow();
    if change.includes("appendfsync") {
        // The only one that can fail, so that nothing else has to be taken back.
        let applied = shared.group().set_durability(durability_of(&config));
        applied.map_err(|error| SetError::failed("appendfsync", error.to_string()))?;
    }
    if change.includes("loglevel") {
        shared.observe.process().set_log_level(config.loglevel());
    }
    if change.includes("proto-max-bulk-len") {
        let bulk_bytes_max = config.proto_max_bulk_len();
        shared.limits.set(quoris_resp::Limits { bulk_bytes_max, ..shared.limits.get() });
    }
    shared.stats.tracks_latency.set(config.latency_tracking());
    shared.observe.configure(&config);
    shared.configure_notifications();
    Ok(())
}

/// The entry that changes the replicated settings among those that were changed; its name alone if
/// there are none.
fn replicated(change: &Change, config: &Config) -> Vec<Vec<u8>> {
    let mut words = vec![b"quoris.setting".to_vec()];
    for name in Settings::NAMES.into_iter().filter(|name| change.includes(name)) {
        let value = config.print(name).expect("a replicated setting is a directive");
        words.extend([name.as_bytes().to_vec(), value.into_bytes()]);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicated_settings_are_directives_that_the_engine_accepts() {
        let config = Config::default();
        for name in Settings::NAMES {
            let value = config.print(name).unwrap_or_else(|| panic!("{name} is a directive"));
            assert!(Settings::default().set(name, &value), "{name} {value}");
        }
    }

    #[test]
    fn only_replicated_settings_become_an_entry() {
        let mut config = Config::default();
        let pairs: [(&[u8], &[u8]); 3] = [
            (b"maxclients", b"77"),
            (b"hash-max-ziplist-entries", b"5"),
            (b"proto-max-bulk-len", b"2mb"),
        ];
        let change = config.set(&pairs, true).expect("valid values");
        let words = replicated(&change, &config);
        let expected =
            ["quoris.setting", "hash-max-listpack-entries", "5", "proto-max-bulk-len", "2097152"];
        assert_eq!(words, expected.map(|word| word.as_bytes().to_vec()));
    }
}
