//! DEBUG: what tests and the curious may do, if `enable-debug-command` lets them.

mod inspect;
mod protocol;

use std::time::Duration;

use quoris_engine::spec::{Flags, Group, Spec, string};
use quoris_engine::{Args, CommandError, Engine, Result};
use quoris_resp::{Writer, parse_double, parse_i64};

use super::help;
use crate::registry::{NodeCommand, NodeCx, Outcome};

pub(super) const COMMANDS: &[NodeCommand] = &[DEBUG];

/// DEBUG subcommand [arg ...]
const DEBUG: NodeCommand = NodeCommand::new(
    Spec::new("debug", Group::Server, "1.0.0", "Helps to test the server.")
        .differs("Has the subcommands that `DEBUG HELP` lists.")
        .args(&[string("subcommand"), string("arg").optional().multiple()])
        .arity(-2)
        .complexity("Depends on subcommand.")
        .flags(Flags::ADMIN.or(Flags::NOSCRIPT).or(Flags::LOADING).or(Flags::STALE)),
    debug,
);

/// Nobody needs the node to sleep for longer, and its followers give it up much sooner.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

const FORBIDDEN: CommandError = CommandError::fixed(
    "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.",
);
const BAD_RELOAD: CommandError =
    CommandError::fixed("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
const RELOAD_OPTION: CommandError =
    CommandError::fixed("ERR DEBUG RELOAD without saving first is not possible here");
const BAD_THRESHOLD: CommandError =
    CommandError::fixed("ERR argument must be a memory value bigger than 1 and smaller than 4gb");

const LINES: &[&str] = &[
    "CHANGE-REPL-ID",
    "    Change the replication IDs of the instance.",
    "    There are none here: nothing happens.",
    "DIGEST",
    "    Output a hex signature representing the current DB content.",
    "DIGEST-VALUE <key> [<key> ...]",
    "    Output a hex signature of the values of all the specified keys.",
    "ERROR <string>",
    "    Return a Redis protocol error with <string> as message. Useful for clients",
    "    unit tests to simulate Redis errors.",
    "LOG <message>",
    "    Write <message> to the server log.",
    "OBJECT <key>",
    "    Show low level info about `key` and associated value.",
    "PAUSE-CRON <0|1>",
    "    Stop periodic cron job processing.",
    "PROTOCOL <type>",
    "    Reply with a test value of the specified type. <type> can be: string,",
    "    integer, double, bignum, null, array, set, map, attrib, push, verbatim,",
    "    true, false.",
    "QUICKLIST-PACKED-THRESHOLD <size>",
    "    Sets the threshold for elements to be inserted as plain vs packed nodes",
    "    Lists are kept in another way here: nothing happens.",
    "RELOAD",
    "    Save the state as a snapshot in memory and restore it from that.",
    "REPLYBUFFER PEAK-RESET-TIME <NEVER||RESET|time>",
    "    Sets the time (in milliseconds) to wait between client reply buffer peak resets.",
    "    Buffers are shared here: nothing happens.",
    "REPLYBUFFER RESIZING <0|1>",
    "    Enable or disable the reply buffer resize cron job",
    "    Buffers are shared here: nothing happens.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Setting it to 0 disables expiring keys in background when they are not",
    "    accessed (otherwise the Redis behavior). Setting it to 1 reenables back the",
    "    default.",
    "SLEEP <seconds>",
    "    Stop the server for <seconds>. Decimals allowed.",
];

fn debug(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let is_local = cx.session.peer.ip().is_loopback();
    if !cx.shared.config.borrow().enable_debug_command().allows(is_local) {
        return Err(FORBIDDEN);
    }
    match (args[1].to_ascii_lowercase().as_slice(), args.len()) {
        (b"help", 2) => help::write(reply, "DEBUG", LINES),
        (b"sleep", 3) => {
            sleep(cx, &args[2]);
            reply.ok();
        }
        (b"object", 3) => inspect::object(cx, &args[2], reply)?,
        (b"digest", 2) => inspect::digest(cx, reply),
        (b"digest-value", 2..) => inspect::digest_values(cx, args, reply),
        (b"protocol", 3) => protocol::sample(&args[2], reply)?,
        (b"reload", _) => reload(cx, args, reply)?,
        (b"log", 3) => {
            tracing::warn!("DEBUG LOG: {}", String::from_utf8_lossy(&args[2]));
            reply.ok();
        }
        (b"error", 3) => {
            return Err(CommandError::text(String::from_utf8_lossy(&args[2]).into_owned()));
        }
        (b"set-active-expire", 3) => {
            cx.shared.expiry.is_on.set(is_on(&args[2]));
            reply.ok();
        }
        (b"pause-cron", 3) => {
            cx.shared.observe.cron_paused.set(is_on(&args[2]));
            reply.ok();
        }
        (b"quicklist-packed-threshold", 3) if is_threshold(&args[2]) => reply.ok(),
        (b"quicklist-packed-threshold", 3) => return Err(BAD_THRESHOLD),
        (b"replybuffer", 4) if is_about_buffers(&args[2], &args[3]) => reply.ok(),
        (b"change-repl-id", 2) => reply.ok(),
        _ => return Err(help::wrong_words("DEBUG", &args[1])),
    }
    Ok(Outcome::Done)
}

/// Any number but zero is on, and so is nothing that is no number.
fn is_on(word: &[u8]) -> bool {
    parse_i64(word).is_some_and(|number| number != 0)
}

/// A word that is no number is no time at all.
fn sleep(cx: &NodeCx<'_>, word: &[u8]) {
    let seconds = parse_double(word).unwrap_or(0.0);
    let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    cx.shared.observe.process().sleep(time.min(LONGEST_SLEEP));
}

fn is_threshold(word: &[u8]) -> bool {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let factor = match word[digits..].to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return false,
    };
    let bytes = parse_i64(&word[..digits]).and_then(|number| number.checked_mul(factor));
    bytes.is_some_and(|bytes| (0..4 << 30).contains(&bytes))
}

fn is_about_buffers(what: &[u8], value: &[u8]) -> bool {
    match what.to_ascii_lowercase().as_slice() {
        b"peak-reset-time" => {
            [&b"never"[..], b"reset"].iter().any(|word| value.eq_ignore_ascii_case(word))
                || parse_i64(value).is_some()
        }
        b"resizing" => true,
        _ => false,
    }
}

/// The state goes through the form that it has on disk and between nodes.
fn reload(cx: &NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    if let Some(option) = args.try_get(2) {
        let known = [&b"merge"[..], b"noflush", b"nosave"];
        let is_known = known.iter().any(|word| option.eq_ignore_ascii_case(word));
        return Err(if is_known { RELOAD_OPTION } else { BAD_RELOAD });
    }
    let mut engine = cx.shared.engine.borrow_mut();
    let snapshot = engine.snapshot();
    match Engine::restore(&snapshot) {
        Ok(mut restored) => {
            restored.inherit_script_host(&mut engine);
            let replaced = std::mem::replace(&mut *engine, restored);
            cx.shared.reclaim.free(vec![replaced.into_garbage()]);
        }
        Err(error) => {
            let text = format!("ERR Error trying to load the snapshot just taken: {error}");
            return Err(CommandError::text(text));
        }
    }
    reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_bytes_below_four_gigabytes() {
        for (word, expected) in [
            ("100b", true),
            ("1GB", true),
            ("0", true),
            ("4gb", false),
            ("abc", false),
            ("-1", false),
            ("", false),
        ] {
            assert_eq!(is_threshold(word.as_bytes()), expected, "{word}");
        }
    }

    #[test]
    fn reply_buffers_have_two_switches() {
        for (what, value, expected) in [
            ("RESIZING", "1", true),
            ("peak-reset-time", "NEVER", true),
            ("peak-reset-time", "100", true),
            ("peak-reset-time", "soon", false),
            ("foo", "bar", false),
        ] {
            assert_eq!(is_about_buffers(what.as_bytes(), value.as_bytes()), expected, "{what}");
        }
    }
}
