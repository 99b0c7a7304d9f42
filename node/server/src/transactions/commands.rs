//! The declarations, and what they do outside a transaction. Inside one, `EXEC` is the
//! dispatcher's: it has to decide where to run.

use quoris_engine::spec::{Flags, Group, KeyAccess, Spec, key};
use quoris_engine::{Args, Result};
use quoris_resp::Writer;

use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::replies;

pub(crate) const COMMANDS: &[NodeCommand] = &[DISCARD, EXEC, MULTI, UNWATCH, WATCH];

const ALWAYS: Flags = Flags::NOSCRIPT.or(Flags::LOADING).or(Flags::STALE);
const FAST: Flags = ALWAYS.or(Flags::FAST).or(Flags::ALLOW_BUSY);

/// DISCARD
const DISCARD: NodeCommand = NodeCommand::new(
    Spec::new("discard", Group::Transactions, "2.0.0", "Forgets the queued commands.")
        .complexity("O(N), when N is the number of queued commands")
        .flags(FAST),
    discard,
);

/// EXEC
const EXEC: NodeCommand = NodeCommand::new(
    Spec::new("exec", Group::Transactions, "1.2.0", "Runs the queued commands, all or none.")
        .complexity("Depends on commands in the transaction")
        .flags(ALWAYS.or(Flags::SKIP_SLOWLOG)),
    exec,
);

/// MULTI
const MULTI: NodeCommand = NodeCommand::new(
    Spec::new("multi", Group::Transactions, "1.2.0", "Begins to queue commands.").flags(FAST),
    multi,
);

/// UNWATCH
const UNWATCH: NodeCommand = NodeCommand::new(
    Spec::new("unwatch", Group::Transactions, "2.2.0", "Forgets about the watched keys.")
        .flags(FAST),
    unwatch,
);

/// WATCH key [key ...]
const WATCH: NodeCommand = NodeCommand::new(
    Spec::new("watch", Group::Transactions, "2.2.0", "Lets EXEC fail if one of the keys changes.")
        .args(&[key("key").multiple().access(KeyAccess::PEEK)])
        .complexity("O(1) for every key.")
        .flags(FAST),
    watch,
);

fn multi(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let mut transaction = cx.session.transaction.borrow_mut();
    if transaction.is_some() {
        return Err(replies::NESTED_MULTI);
    }
    *transaction = Some(Box::default());
    reply.ok();
    Ok(Outcome::Done)
}

fn exec(_: &mut NodeCx<'_>, _: Args<'_>, _: &mut Writer<'_>) -> Result<Outcome> {
    Err(replies::EXEC_WITHOUT_MULTI)
}

fn discard(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    if !cx.session.is_in_multi() {
        return Err(replies::DISCARD_WITHOUT_MULTI);
    }
    cx.shared.leave_transaction(cx.session);
    reply.ok();
    Ok(Outcome::Done)
}

fn watch(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    if cx.session.is_in_multi() {
        return Err(replies::WATCH_INSIDE_MULTI);
    }
    args.from(1).for_each(|key| cx.shared.watch_key(cx.session, key));
    reply.ok();
    Ok(Outcome::Done)
}

fn unwatch(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    cx.shared.unwatch(cx.session);
    reply.ok();
    Ok(Outcome::Done)
}
