//! Acknowledging entries.

use alloc::vec::Vec;

use quoris_resp::Writer;

use super::delete::{self, Fate, write_missing};
use super::{arguments, trimming};
use crate::command::{Args, Command, Run};
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::Result;
use crate::spec::{Flags, Group as CommandGroup, KeyAccess, Spec, key, string};
use crate::types::Stream;
use crate::types::stream::{References, StreamId};

/// XACK key group id [id …]
pub(super) const XACK: Command = Command {
    spec: Spec::new(
        "xack",
        CommandGroup::Stream,
        "5.0.0",
        "Tells a group that its consumers are done with entries.",
    )
    .args(&[key("key").access(KeyAccess::MODIFY), string("group"), string("id").multiple()])
    .complexity("O(log(N)) for each id, where N is the number of pending entries")
    .flags(Flags::FAST),
    run: Run::Write(xack),
};

/// XACKDEL key group [KEEPREF | DELREF | ACKED] IDS numids id [id …]
pub(super) const XACKDEL: Command = Command {
    spec: Spec::new(
        "xackdel",
        CommandGroup::Stream,
        "8.2.0",
        "Acknowledges entries for a group, and deletes them from the stream.",
    )
    .args(&[
        key("key").access(KeyAccess::DELETE_PART),
        string("group"),
        trimming::REFERENCES,
        delete::IDS,
    ])
    .complexity("O(log(N)) for each id and group, where N is the number of entries")
    .flags(Flags::FAST),
    run: Run::Write(xackdel),
};

fn xack(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (key, name) = (cx.key(&args, 1), args.get(2));
    if cx.get::<Stream>(&key)?.and_then(|stream| stream.group(name)).is_none() {
        reply.count(0);
        return Ok(());
    }
    let ids: Vec<StreamId> =
        args.from(3).map(|text| arguments::id(text, 0)).collect::<Result<_>>()?;
    let group = cx.get_mut::<Stream>(&key)?.and_then(|stream| stream.group_mut(name));
    let group = group.expect("it was just seen");
    let acknowledged = ids.into_iter().filter(|&id| group.acknowledge(id)).count();
    if acknowledged > 0 {
        cx.changed_silently();
    }
    reply.count(acknowledged);
    Ok(())
}

fn xackdel(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let (references, ids) = delete::parse(&args, 3)?;
    let (key, name) = (cx.key(&args, 1), args.get(2));
    let stream = cx.get_mut::<Stream>(&key)?.filter(|stream| stream.group(name).is_some());
    let Some(stream) = stream else {
        write_missing(reply, ids.len());
        return Ok(());
    };
    reply.array(ids.len());
    let (mut acknowledged, mut deleted) = (false, false);
    for id in ids {
        let group = stream.group_mut(name).expect("it was just seen");
        let was_pending = group.acknowledge(id);
        acknowledged |= was_pending;
        if !was_pending {
            reply.integer(Fate::Missing as i64);
            continue;
        }
        if references == References::Delete {
            stream.release(id);
        }
        let fate = delete::delete(stream, id, references);
        deleted |= fate == Fate::Deleted;
        // Acknowledged is acknowledged, even if the entry had gone before.
        reply.integer(if fate == Fate::Kept { fate } else { Fate::Deleted } as i64);
    }
    if deleted {
        cx.changed(&key, EventClass::Stream, "xdel");
    } else if acknowledged {
        cx.changed_silently();
    }
    Ok(())
}
