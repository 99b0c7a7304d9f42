//! What a client says and asks about its own connection.

use quoris_engine::spec::{Arg, one_of, string, token};
use quoris_engine::{Args, CommandError, Result, error};
use quoris_resp::Writer;

use super::{ADMIN, sub};
use crate::commands::hello::{check_name, set_name};
use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::session::ReplyMode;

const SWITCH: Arg = one_of("enabled", &[token("on", "ON"), token("off", "OFF")]);

/// CLIENT GETNAME
pub(super) const GETNAME: NodeCommand =
    NodeCommand::new(sub("getname", "2.6.9", "Returns the connection's name."), getname);

/// CLIENT ID
pub(super) const ID: NodeCommand =
    NodeCommand::new(sub("id", "5.0.0", "Returns the connection's number."), id);

/// CLIENT NO-EVICT ON|OFF
pub(super) const NO_EVICT: NodeCommand = NodeCommand::new(
    sub("no-evict", "7.0.0", "Spares the connection when clients use too much memory.")
        .sub_args(&[SWITCH])
        .differs("Shown, and not used: no client is evicted.")
        .flags(ADMIN),
    no_evict,
);

/// CLIENT NO-TOUCH ON|OFF
pub(super) const NO_TOUCH: NodeCommand = NodeCommand::new(
    sub("no-touch", "7.2.0", "Lets the connection read without counting as a use of keys.")
        .sub_args(&[SWITCH])
        .differs("Shown, and not used yet."),
    no_touch,
);

/// CLIENT REPLY ON|OFF|SKIP
pub(super) const REPLY: NodeCommand = NodeCommand::new(
    sub("reply", "3.2.0", "Says which replies the client wants.").sub_args(&[one_of(
        "action",
        &[token("on", "ON"), token("off", "OFF"), token("skip", "SKIP")],
    )]),
    reply_mode,
);

/// CLIENT SETINFO LIB-NAME|LIB-VER value
pub(super) const SETINFO: NodeCommand = NodeCommand::new(
    sub("setinfo", "7.2.0", "Tells what the client is made of.")
        .sub_args(&[one_of(
            "attr",
            &[string("libname").after("LIB-NAME"), string("libver").after("LIB-VER")],
        )])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    setinfo,
);

/// CLIENT SETNAME name
pub(super) const SETNAME: NodeCommand = NodeCommand::new(
    sub("setname", "2.6.9", "Names the connection.").sub_args(&[string("connection-name")]),
    setname,
);

fn getname(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let name = cx.session.name.borrow();
    reply.bulk_or_null(Some(&name[..]).filter(|name| !name.is_empty()));
    Ok(Outcome::Done)
}

fn id(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    reply.integer(cx.session.id as i64);
    Ok(Outcome::Done)
}

fn switch(word: &[u8]) -> Result<bool> {
    match word.to_ascii_lowercase().as_slice() {
        b"on" => Ok(true),
        b"off" => Ok(false),
        _ => Err(error::SYNTAX),
    }
}

fn no_evict(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    cx.session.no_evict.set(switch(&args[2])?);
    reply.ok();
    Ok(Outcome::Done)
}

fn no_touch(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    cx.session.no_touch.set(switch(&args[2])?);
    reply.ok();
    Ok(Outcome::Done)
}

fn reply_mode(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let mode = &cx.session.reply_mode;
    match args[2].to_ascii_lowercase().as_slice() {
        b"on" => {
            mode.set(ReplyMode::On);
            reply.ok();
        }
        b"off" => mode.set(ReplyMode::Off),
        b"skip" if mode.get() == ReplyMode::On => mode.set(ReplyMode::SkipNext),
        b"skip" => {}
        _ => return Err(error::SYNTAX),
    }
    Ok(Outcome::Done)
}

fn setinfo(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let (name, place) = match args[2].to_ascii_lowercase().as_slice() {
        b"lib-name" => ("lib-name", &cx.session.library_name),
        b"lib-ver" => ("lib-ver", &cx.session.library_version),
        _ => {
            let option = String::from_utf8_lossy(&args[2]);
            return Err(CommandError::text(format!("ERR Unrecognized option '{option}'")));
        }
    };
    check_name(&args[3]).map_err(|_| {
        CommandError::text(format!(
            "ERR {name} cannot contain spaces, newlines or special characters."
        ))
    })?;
    args[3].clone_into(&mut place.borrow_mut());
    reply.ok();
    Ok(Outcome::Done)
}

fn setname(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    check_name(&args[2])?;
    set_name(cx, &args[2]);
    reply.ok();
    Ok(Outcome::Done)
}
