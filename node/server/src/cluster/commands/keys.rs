//! Which slot a key has, and which keys a slot has.

use quoris_engine::spec::{integer, string};
use quoris_engine::{Args, CommandError, Result, Slot, error};
use quoris_resp::{Writer, parse_i64};

use super::{cluster, spec};
use crate::registry::{NodeCommand, NodeCx, Outcome};

const INVALID_SLOT: CommandError = CommandError::fixed("ERR Invalid slot");
const INVALID_SLOT_OR_COUNT: CommandError =
    CommandError::fixed("ERR Invalid slot or number of keys");

/// CLUSTER KEYSLOT key
pub(super) const KEYSLOT: NodeCommand = NodeCommand::new(
    spec("keyslot", "3.0.0", "Returns the slot of a key.")
        .sub_args(&[string("key")])
        .complexity("O(N) where N is the number of bytes in the key"),
    key_slot,
);

/// CLUSTER COUNTKEYSINSLOT slot
pub(super) const COUNTKEYSINSLOT: NodeCommand = NodeCommand::new(
    spec("countkeysinslot", "3.0.0", "Returns how many keys a slot has.")
        .sub_args(&[integer("slot")]),
    count_keys_in_slot,
);

/// CLUSTER GETKEYSINSLOT slot count
pub(super) const GETKEYSINSLOT: NodeCommand = NodeCommand::new(
    spec("getkeysinslot", "3.0.0", "Returns keys of a slot.")
        .sub_args(&[integer("slot"), integer("count")])
        .complexity("O(N) where N is the number of requested keys"),
    get_keys_in_slot,
);

fn key_slot(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    cluster(cx)?;
    reply.integer(Slot::of_key(&args[2]).number().into());
    Ok(Outcome::Done)
}

fn count_keys_in_slot(
    cx: &mut NodeCx<'_>,
    args: Args<'_>,
    reply: &mut Writer<'_>,
) -> Result<Outcome> {
    cluster(cx)?;
    let number = parse_i64(&args[2]).ok_or(error::NOT_INTEGER)?;
    let slot = slot(number).ok_or(INVALID_SLOT)?;
    let engine = cx.shared.engine.borrow();
    reply.count(engine.keyspace().database(cx.session.db.get()).slot_len(slot));
    Ok(Outcome::Done)
}

fn get_keys_in_slot(
    cx: &mut NodeCx<'_>,
    args: Args<'_>,
    reply: &mut Writer<'_>,
) -> Result<Outcome> {
    cluster(cx)?;
    let number = parse_i64(&args[2]).ok_or(error::NOT_INTEGER)?;
    let count = parse_i64(&args[3]).ok_or(error::NOT_INTEGER)?;
    let slot = slot(number).filter(|_| count >= 0).ok_or(INVALID_SLOT_OR_COUNT)?;
    let engine = cx.shared.engine.borrow();
    let database = engine.keyspace().database(cx.session.db.get());
    let most = database.slot_len(slot).min(count as usize);
    reply.array(most);
    for entry in database.slot(slot).take(most) {
        reply.bulk(entry.key());
    }
    Ok(Outcome::Done)
}

fn slot(number: i64) -> Option<Slot> {
    u16::try_from(number).ok().and_then(Slot::new)
}
