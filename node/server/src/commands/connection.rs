//! Commands about the connection itself.

use quoris_engine::spec::{Flags, Group, Spec, integer, string};
use quoris_engine::{Args, CommandError, Result, error};
use quoris_resp::{Writer, parse_i64};

use crate::registry::{NodeCommand, NodeCx, Outcome};

pub(super) const COMMANDS: &[NodeCommand] =
    &[PING, ECHO, SELECT, RESET, QUIT, READONLY, READWRITE, ASKING];

const FAST: Flags = Flags::FAST.or(Flags::LOADING).or(Flags::STALE);

/// PING [message]
const PING: NodeCommand = NodeCommand::new(
    Spec::new("ping", Group::Connection, "1.0.0", "Answers, to show that the node is there.")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"])
        .args(&[string("message").optional()])
        .flags(Flags::FAST),
    ping,
);

/// ECHO message
const ECHO: NodeCommand = NodeCommand::new(
    Spec::new("echo", Group::Connection, "1.0.0", "Returns the given string.")
        .args(&[string("message")])
        .flags(FAST),
    echo,
);

/// SELECT index
const SELECT: NodeCommand = NodeCommand::new(
    Spec::new("select", Group::Connection, "1.0.0", "Changes the selected database.")
        .args(&[integer("index")])
        .flags(FAST),
    select,
);

/// RESET
const RESET: NodeCommand = NodeCommand::new(
    Spec::new("reset", Group::Connection, "6.2.0", "Makes the connection as good as new.")
        .flags(FAST.or(Flags::NOSCRIPT).or(Flags::NO_AUTH).or(Flags::ALLOW_BUSY)),
    reset,
);

/// QUIT
const QUIT: NodeCommand = NodeCommand::new(
    Spec::new("quit", Group::Connection, "1.0.0", "Closes the connection.")
        .arity(-1)
        .flags(FAST.or(Flags::NOSCRIPT).or(Flags::NO_AUTH).or(Flags::ALLOW_BUSY)),
    quit,
);

/// READONLY
const READONLY: NodeCommand = NodeCommand::new(
    Spec::new("readonly", Group::Cluster, "3.0.0", "Lets this connection read from followers.")
        .differs("Taken with `cluster-enabled no` too.")
        .flags(FAST),
    readonly,
);

/// READWRITE
const READWRITE: NodeCommand = NodeCommand::new(
    Spec::new("readwrite", Group::Cluster, "3.0.0", "Ends what READONLY began.")
        .differs("Taken with `cluster-enabled no` too.")
        .flags(FAST),
    readwrite,
);

/// ASKING
const ASKING: NodeCommand = NodeCommand::new(
    Spec::new("asking", Group::Cluster, "3.0.0", "Says that the client follows an -ASK redirect.")
        .differs("Taken, and not used: nobody answers `-ASK`, since slots move all at once.")
        .flags(FAST),
    asking,
);

fn ping(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    if args.len() < 3 && cx.session.is_subscriber.get() && !reply.is_resp3() {
        // It has to look like a message.
        reply.array(2);
        reply.bulk(b"pong");
        reply.bulk(args.try_get(1).unwrap_or_default());
        return Ok(Outcome::Done);
    }
    match args.len() {
        1 => reply.simple("PONG"),
        2 => reply.bulk(&args[1]),
        _ => return Err(CommandError::arity("ping")),
    }
    Ok(Outcome::Done)
}

fn echo(_: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    reply.bulk(&args[1]);
    Ok(Outcome::Done)
}

fn select(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let number = parse_i64(&args[1]).ok_or(error::NOT_INTEGER)?;
    let number = i32::try_from(number).map_err(|_| error::NOT_INT32)?;
    let count = cx.shared.config.borrow().databases() as u16;
    let number = u16::try_from(number).ok().filter(|number| *number < count);
    cx.session.db.set(number.ok_or(error::DB_OUT_OF_RANGE)?);
    reply.ok();
    Ok(Outcome::Done)
}

fn reset(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let authenticated = cx.shared.config.borrow().requirepass().is_none();
    cx.session.reset(authenticated);
    cx.shared.leave_transaction(cx.session);
    cx.shared.observe.remove_monitor(cx.session);
    cx.shared.pubsub.forget(cx.session);
    cx.shared.stop_tracking(cx.session);
    // The writer still speaks what the connection spoke; a status is the same in both.
    reply.simple("RESET");
    Ok(Outcome::Done)
}

fn quit(_: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    reply.ok();
    Ok(Outcome::Close)
}

fn readonly(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    cx.session.readonly.set(true);
    reply.ok();
    Ok(Outcome::Done)
}

fn readwrite(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    cx.session.readonly.set(false);
    reply.ok();
    Ok(Outcome::Done)
}

fn asking(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    cx.session.asking.set(true);
    reply.ok();
    Ok(Outcome::Done)
}
