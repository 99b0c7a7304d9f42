//! CLIENT: who is connected, and what becomes of them.

mod kill;
mod line;
mod list;
mod own;
mod pause;
mod tracking;
mod unblock;

use quoris_engine::spec::{Flags, Group, Spec};
use quoris_engine::{Args, CommandError, Result};
use quoris_resp::Writer;

use super::help;
use crate::observe::Observe;
use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::session::Session;
use crate::subcommands;

pub(super) const COMMANDS: &[NodeCommand] = &[CLIENT];

const FLAGS: Flags = Flags::NOSCRIPT.or(Flags::LOADING).or(Flags::STALE);
const ADMIN: Flags = FLAGS.or(Flags::ADMIN);

const fn sub(name: &'static str, since: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::Connection, since, summary).sub_args(&[]).flags(FLAGS)
}

/// CLIENT subcommand
const CLIENT: NodeCommand = NodeCommand::container(
    Spec::new("client", Group::Connection, "2.4.0", "Knows and rules the clients.")
        .arity(-2)
        .complexity("Depends on subcommand."),
    SUBCOMMANDS,
);

subcommands!(SUBCOMMANDS: 18 = [
    tracking::CACHING,
    own::GETNAME,
    tracking::GETREDIR,
    HELP,
    own::ID,
    list::INFO,
    kill::KILL,
    list::LIST,
    own::NO_EVICT,
    own::NO_TOUCH,
    pause::PAUSE,
    own::REPLY,
    own::SETINFO,
    own::SETNAME,
    tracking::TRACKING,
    tracking::TRACKINGINFO,
    unblock::UNBLOCK,
    pause::UNPAUSE,
]);

/// CLIENT HELP
const HELP: NodeCommand = NodeCommand::new(
    sub("help", "5.0.0", "Lists the subcommands.").flags(Flags::LOADING.or(Flags::STALE)),
    show_help,
);

const LINES: &[&str] = &[
    "CACHING (YES|NO)",
    "    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.",
    "GETREDIR",
    "    Return the client ID we are redirecting to when tracking is enabled.",
    "GETNAME",
    "    Return the name of the current connection.",
    "ID",
    "    Return the ID of the current connection.",
    "INFO",
    "    Return information about the current client connection.",
    "KILL <ip:port>",
    "    Kill connection made from <ip:port>.",
    "KILL <option> <value> [<option> <value> [...]]",
    "    Kill connections. Options are:",
    "    * ADDR (<ip:port>|<unixsocket>:0)",
    "      Kill connections made from the specified address",
    "    * LADDR (<ip:port>|<unixsocket>:0)",
    "      Kill connections made to specified local address",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      Kill connections by type.",
    "    * USER <username>",
    "      Kill connections authenticated by <username>.",
    "    * SKIPME (YES|NO)",
    "      Skip killing current connection (default: yes).",
    "    * ID <client-id>",
    "      Kill connections by client id.",
    "    * MAXAGE <maxage>",
    "      Kill connections older than the specified age.",
    "LIST [options ...]",
    "    Return information about client connections. Options:",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      Return clients of specified type.",
    "    * ID <client-id> [...]",
    "      Return clients of specified IDs only.",
    "UNBLOCK <clientid> [TIMEOUT|ERROR]",
    "    Unblock the specified blocked client.",
    "UNPAUSE",
    "    Stop the current client pause, resuming traffic.",
    "PAUSE <timeout> [WRITE|ALL]",
    "    Suspend all, or just write, clients for <timeout> milliseconds.",
    "REPLY (ON|OFF|SKIP)",
    "    Control the replies sent to the current connection.",
    "SETNAME <name>",
    "    Assign the name <name> to the current connection.",
    "SETINFO <option> <value>",
    "    Set client meta attr. Options are:",
    "    * LIB-NAME: the client lib name.",
    "    * LIB-VER: the client lib version.",
    "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
    "         [OPTIN] [OPTOUT] [NOLOOP]",
    "    Control server assisted client side caching.",
    "TRACKINGINFO",
    "    Report tracking status for the current connection.",
    "NO-EVICT (ON|OFF)",
    "    Protect current client connection from eviction.",
    "NO-TOUCH (ON|OFF)",
    "    Will not touch LRU/LFU stats when this mode is on.",
];

fn show_help(_: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    help::write(reply, "CLIENT", LINES);
    Ok(Outcome::Done)
}

/// The kinds of clients that `TYPE` tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClientType {
    Normal,
    /// Nobody: replication is not a client's business here.
    Master,
    /// Nobody, for the same reason.
    Replica,
    /// Those that have subscribed.
    PubSub,
}

impl ClientType {
    /// # Errors
    /// `Unknown client type`.
    fn parse(word: &[u8]) -> Result<Self> {
        match word.to_ascii_lowercase().as_slice() {
            b"normal" => Ok(ClientType::Normal),
            b"master" => Ok(ClientType::Master),
            b"slave" | b"replica" => Ok(ClientType::Replica),
            b"pubsub" => Ok(ClientType::PubSub),
            _ => {
                let word = String::from_utf8_lossy(word);
                Err(CommandError::text(format!("ERR Unknown client type '{word}'")))
            }
        }
    }

    /// A monitor counts as a normal client, as in Redis.
    fn of(session: &Session) -> Self {
        if session.is_subscriber.get() { ClientType::PubSub } else { ClientType::Normal }
    }
}

/// What the formatter has to know beside the session.
struct Watch<'a> {
    observe: &'a Observe,
    now_ms: u64,
}
