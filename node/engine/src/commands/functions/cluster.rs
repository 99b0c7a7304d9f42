//! How the record of a cluster's functions comes into a shard: not clients' commands, but what its
//! leader proposes.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::scripts::eval::with_host;
use crate::context::WriteCx;
use crate::effects::Effect;
use crate::error::{NOT_INTEGER, Result, SYNTAX};
use crate::spec::{Flags, Group, Spec, integer, one_of, string, token};

const FLAGS: Flags = Flags::INTERNAL.or(Flags::NOSCRIPT);

/// QUORIS.FUNCTIONS version <OURS | THEIRS> [source ...]
pub(super) const ADOPT: Command = Command {
    spec: Spec::new(
        "quoris.functions",
        Group::Scripting,
        "0.1.0",
        "Makes the shard's functions those of the cluster's record.",
    )
    .args(&[
        integer("version"),
        one_of("origin", &[token("ours", "OURS"), token("theirs", "THEIRS")]),
        string("source").optional().multiple(),
    ])
    .flags(FLAGS),
    run: Run::Write(adopt),
};

/// QUORIS.ASKED name [name ...]
pub(super) const ASKED: Command = Command {
    spec: Spec::new(
        "quoris.asked",
        Group::Scripting,
        "0.1.0",
        "Notes that clients have asked this shard too for what came from another.",
    )
    .args(&[string("name").multiple()])
    .flags(FLAGS),
    run: Run::Write(asked),
};

fn adopt(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let version = quoris_resp::parse_i64(&args[1]).and_then(|version| version.try_into().ok());
    let version = version.ok_or(NOT_INTEGER)?;
    let is_ours = match args[2].to_ascii_lowercase().as_slice() {
        b"ours" => true,
        b"theirs" => false,
        _ => return Err(SYNTAX),
    };
    let adopted = with_host(cx, |cx, host| {
        cx.scripting.functions.adopt(version, is_ours, args.from(3), host)
    })?;
    if adopted {
        cx.effects.list.push(Effect::Functions);
    }
    reply.ok();
    Ok(())
}

fn asked(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    cx.scripting.functions.asked(args.from(1));
    cx.effects.list.push(Effect::Functions);
    reply.ok();
    Ok(())
}
