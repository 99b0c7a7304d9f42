//! What is in the keyspace: DEBUG OBJECT, DIGEST and DIGEST-VALUE.

use quoris_engine::inspect::Inspection;
use quoris_engine::{Args, CommandError, Result};
use quoris_resp::Writer;

use crate::registry::NodeCx;

const NO_SUCH_KEY: CommandError = CommandError::fixed("ERR no such key");

fn look(cx: &NodeCx<'_>, key: &[u8]) -> Option<Inspection> {
    let engine = cx.shared.engine.borrow();
    engine.inspect(cx.session.db.get(), key, cx.shared.clock.unix_ms())
}

/// There is no address to show that would mean anything.
pub(super) fn object(cx: &NodeCx<'_>, key: &[u8], reply: &mut Writer<'_>) -> Result {
    let found = look(cx, key).ok_or(NO_SUCH_KEY)?;
    let lru = (cx.shared.clock.unix_ms() / 1000).saturating_sub(found.idle_seconds.into());
    reply.simple(&format!(
        "Value at:0x0 refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{} \
         memory:{}",
        found.encoding,
        found.serialized_bytes,
        lru & 0xff_ffff,
        found.idle_seconds,
        found.memory_bytes,
    ));
    Ok(())
}

/// Forty digits as in Redis, and all zeros for no keys.
pub(super) fn digest(cx: &NodeCx<'_>, reply: &mut Writer<'_>) {
    let digest = cx.shared.engine.borrow().content_digest();
    reply.simple(&format!("{digest:040x}"));
}

pub(super) fn digest_values(cx: &NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) {
    reply.array(args.len() - 2);
    for key in args.from(2) {
        let digest = look(cx, key).map_or(0, |found| found.digest);
        reply.simple(&format!("{digest:040x}"));
    }
}
