//! Commands that belong to a connection or a node, as far as a script can have them.

use alloc::vec::Vec;

use quoris_resp::Writer;

use crate::command::Args;
use crate::error::{CommandError, DB_OUT_OF_RANGE, NOT_INTEGER, Result};

const ARITY: CommandError =
    CommandError::fixed("ERR Wrong number of args calling Redis command from script");

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Here {
    Echo,
    Ping,
    Publish { sharded: bool },
    Select,
    Time,
}

impl Here {
    /// The one that `args` name, if they have enough words.
    pub(super) fn find(args: &Args<'_>) -> Result<Option<Here>> {
        const ALL: [(&str, Here, core::ops::RangeInclusive<usize>); 6] = [
            ("echo", Here::Echo, 2..=2),
            ("ping", Here::Ping, 1..=2),
            ("publish", Here::Publish { sharded: false }, 3..=3),
            ("spublish", Here::Publish { sharded: true }, 3..=3),
            ("select", Here::Select, 2..=2),
            ("time", Here::Time, 1..=1),
        ];
        let found =
            ALL.into_iter().find(|(name, ..)| args[0].eq_ignore_ascii_case(name.as_bytes()));
        let Some((_, here, words)) = found else { return Ok(None) };
        if words.contains(&args.len()) { Ok(Some(here)) } else { Err(ARITY) }
    }
}

/// What `PING` and `ECHO` answer.
pub(super) fn echo(args: &Args<'_>, reply: &mut Writer<'_>) {
    match args.try_get(1) {
        Some(word) => reply.bulk(word),
        None => reply.simple("PONG"),
    }
}

/// What `TIME` answers; an entry's clock counts milliseconds.
pub(super) fn time(now_ms: u64, reply: &mut Writer<'_>) {
    reply.array(2);
    reply.bulk_integer((now_ms / 1000) as i64);
    reply.bulk_integer((now_ms % 1000 * 1000) as i64);
}

/// The database that `SELECT` names.
pub(super) fn select(args: &Args<'_>, databases: u16) -> Result<u16> {
    let number = quoris_resp::parse_i64(&args[1]).ok_or(NOT_INTEGER)?;
    u16::try_from(number).ok().filter(|number| *number < databases).ok_or(DB_OUT_OF_RANGE)
}

/// Channel and message of a `PUBLISH`.
pub(super) fn published(args: &Args<'_>) -> (Vec<u8>, Vec<u8>) {
    (args[1].to_vec(), args[2].to_vec())
}
