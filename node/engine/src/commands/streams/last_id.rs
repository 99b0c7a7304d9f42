//! Setting what a stream remembers beside its entries.

use quoris_resp::Writer;

use super::arguments;
use crate::command::{Args, Command, Run};
use crate::commands::options;
use crate::context::WriteCx;
use crate::effects::EventClass;
use crate::error::{CommandError, NO_SUCH_KEY, Result, SYNTAX};
use crate::spec::{Flags, Group, KeyAccess, Spec, integer, key, string};
use crate::types::Stream;
use crate::types::stream::StreamId;

/// XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]
pub(super) const XSETID: Command = Command {
    spec: Spec::new("xsetid", Group::Stream, "5.0.0", "Sets the last id of a stream.")
        .args(&[
            key("key").access(KeyAccess::MODIFY),
            string("last-id"),
            integer("entries-added").after("ENTRIESADDED").optional(),
            string("max-deleted-id").after("MAXDELETEDID").optional(),
        ])
        .flags(Flags::DENYOOM.or(Flags::FAST)),
    run: Run::Write(xsetid),
};

const NEGATIVE: CommandError = CommandError::fixed("ERR entries_added must be positive");
const BELOW_GIVEN: CommandError = CommandError::fixed(
    "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
);
const BELOW_DELETED: CommandError = CommandError::fixed(
    "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id",
);
const BELOW_TOP: CommandError = CommandError::fixed(
    "ERR The ID specified in XSETID is smaller than the target stream top item",
);
const BELOW_LENGTH: CommandError = CommandError::fixed(
    "ERR The entries_added specified in XSETID is smaller than the target stream length",
);

struct Options {
    id: StreamId,
    entries_added: Option<u64>,
    max_deleted: StreamId,
}

impl Options {
    fn parse(args: &Args<'_>) -> Result<Options> {
        let id = arguments::id(args.get(2), 0)?;
        let mut found = Options { id, entries_added: None, max_deleted: StreamId::MIN };
        for at in (3..args.len()).step_by(2) {
            let (word, value) = (args.get(at), args.try_get(at + 1).ok_or(SYNTAX)?);
            if options::is(word, "entriesadded") {
                let count = options::integer(value)?;
                found.entries_added = Some(u64::try_from(count).map_err(|_| NEGATIVE)?);
            } else if options::is(word, "maxdeletedid") {
                found.max_deleted = arguments::id(value, 0)?;
                if id < found.max_deleted {
                    return Err(BELOW_GIVEN);
                }
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(found)
    }

    /// Refuses what would contradict the entries that are there.
    fn check(&self, stream: &Stream) -> Result {
        if self.id < stream.max_deleted_id() {
            return Err(BELOW_DELETED);
        }
        if stream.last_entry_id().is_some_and(|last| self.id < last) {
            return Err(BELOW_TOP);
        }
        let too_few = self.entries_added.is_some_and(|count| count < stream.len());
        if too_few { Err(BELOW_LENGTH) } else { Ok(()) }
    }
}

fn xsetid(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let options = Options::parse(&args)?;
    let key = cx.key(&args, 1);
    let stream = cx.get_mut::<Stream>(&key)?.ok_or(NO_SUCH_KEY)?;
    options.check(stream)?;
    stream.set_last_id(options.id);
    if let Some(count) = options.entries_added {
        stream.set_entries_added(count);
    }
    if options.max_deleted != StreamId::MIN {
        stream.set_max_deleted_id(options.max_deleted);
    }
    cx.changed_silently();
    cx.notify(EventClass::Stream, "xsetid", &key);
    reply.ok();
    Ok(())
}
