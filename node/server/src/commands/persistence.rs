//! SAVE, BGSAVE, LASTSAVE and BGREWRITEAOF: all of them are about snapshots of the shard's log.

use std::rc::Rc;

use quoris_engine::spec::{Categories, Flags, Group, Spec, token};
use quoris_engine::{Args, Result, error};
use quoris_resp::Writer;

use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::replies;
use crate::saves::Purpose;

pub(super) const COMMANDS: &[NodeCommand] = &[SAVE, BGSAVE, LASTSAVE, BGREWRITEAOF];

const FLAGS: Flags = Flags::ADMIN.or(Flags::NOSCRIPT).or(Flags::NO_ASYNC_LOADING);
const PER_KEY: &str = "O(N) where N is the total number of keys";

/// SAVE
const SAVE: NodeCommand = NodeCommand::new(
    Spec::new("save", Group::Server, "1.0.0", "Takes a snapshot, and answers when it is there.")
        .complexity(PER_KEY)
        .differs("Other clients are served meanwhile; the log before the snapshot is deleted.")
        .flags(FLAGS.or(Flags::NO_MULTI)),
    save,
);

/// BGSAVE [SCHEDULE]
const BGSAVE: NodeCommand = NodeCommand::new(
    Spec::new("bgsave", Group::Server, "1.0.0", "Has a snapshot taken.")
        .args(&[token("schedule", "SCHEDULE").optional()])
        .differs("Nothing is forked; the log before the snapshot is deleted.")
        .flags(FLAGS),
    bgsave,
);

/// LASTSAVE
const LASTSAVE: NodeCommand = NodeCommand::new(
    Spec::new("lastsave", Group::Server, "1.0.0", "Says when the last snapshot was taken.")
        .tips(&["nondeterministic_output"])
        .categories(Categories::ADMIN.or(Categories::DANGEROUS))
        .flags(Flags::FAST.or(Flags::LOADING).or(Flags::STALE)),
    lastsave,
);

/// BGREWRITEAOF
const BGREWRITEAOF: NodeCommand = NodeCommand::new(
    Spec::new("bgrewriteaof", Group::Server, "1.0.0", "Has the log cut short by a snapshot.")
        .differs("A snapshot takes the place of the log before it; nothing is written anew.")
        .flags(FLAGS),
    bgrewriteaof,
);

fn save(cx: &mut NodeCx<'_>, _: Args<'_>, _: &mut Writer<'_>) -> Result<Outcome> {
    let saves = &cx.shared.saves;
    if saves.job().is_some() {
        return Err(replies::SAVING);
    }
    let mut ended = saves.ended();
    saves.begin(Purpose::Save);
    let (shared, session) = (Rc::clone(cx.shared), Rc::clone(cx.session));
    Ok(Outcome::Later(Box::pin(async move {
        // The sender is a part of the node, like this client.
        let _ = ended.changed().await;
        if shared.saves.record(Purpose::Save).failed {
            return Err(replies::SAVE_FAILED);
        }
        shared.reply(&session, |reply| reply.simple("OK"));
        Ok(())
    })))
}

fn bgsave(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let waits = match args.len() {
        1 => false,
        2 if args[1].eq_ignore_ascii_case(b"schedule") => true,
        _ => return Err(error::SYNTAX),
    };
    let saves = &cx.shared.saves;
    match saves.job().map(|job| job.purpose) {
        None => {
            saves.begin(Purpose::Save);
            reply.simple("Background saving started");
        }
        Some(Purpose::Rewrite) if waits => {
            saves.schedule(Purpose::Save);
            reply.simple("Background saving scheduled");
        }
        Some(Purpose::Rewrite) => return Err(replies::REWRITING_NOW),
        Some(Purpose::Save) => return Err(replies::SAVING),
    }
    Ok(Outcome::Done)
}

fn lastsave(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    reply.integer((cx.shared.saves.saved_ms() / 1000) as i64);
    Ok(Outcome::Done)
}

fn bgrewriteaof(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let saves = &cx.shared.saves;
    match saves.job().map(|job| job.purpose) {
        None => {
            saves.begin(Purpose::Rewrite);
            reply.simple("Background append only file rewriting started");
        }
        Some(Purpose::Save) => {
            saves.schedule(Purpose::Rewrite);
            reply.simple("Background append only file rewriting scheduled");
        }
        Some(Purpose::Rewrite) => return Err(replies::REWRITING),
    }
    Ok(Outcome::Done)
}
