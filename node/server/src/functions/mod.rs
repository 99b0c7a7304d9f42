//! Functions in a cluster of several shards: every shard has the same, and any takes changes.
//!
//! Which libraries there are is agreed upon in the topology's group, as a record with a number.
//!
//! ```text
//! FUNCTION LOAD       on any node: what would come of it, by this shard's state
//!   ──► SetFunctions  the next record, refused if somebody was faster: then again from the start
//!   ──► each leader   sees the record and proposes `quoris.functions` to its shard
//!   ──► each leader   has applied that and says so: FollowFunctions
//!   ──► the client    is answered when all shards have it, or after a while without those that
//!                     have no leader; they will, before they have another one that serves
//! ```
//!
//! Where there is one shard and there never was a record, a change is an entry like any other write.

mod agree;
mod follow;

use std::rc::Rc;

use quoris_engine::{Args, Result};
use quoris_resp::{Writer, encode_command};
use tokio::sync::watch;

pub(crate) use self::follow::{applied, run};
use crate::registry::{Entry, Handler, NodeCx, Outcome};
use crate::shared::Shared;

/// Changes whenever the functions of this node's shard have become those of another record.
pub(crate) struct Adopted(watch::Sender<()>);

impl Default for Adopted {
    fn default() -> Self {
        Adopted(watch::channel(()).0)
    }
}

impl Adopted {
    /// The functions are those of another record.
    pub(crate) fn announce(&self) {
        self.0.send_replace(());
    }

    fn changes(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }
}

/// What runs a command of the engine that changes functions, where there are several shards.
pub(crate) fn handler(container: Option<&str>, name: &str) -> Option<Handler> {
    let changes = matches!(name, "delete" | "flush" | "load" | "restore");
    (container == Some("function") && changes).then_some(change as Handler)
}

impl Shared {
    /// Whether the cluster has to agree to this command.
    pub(crate) fn concerns_all_shards(&self, entry: &Entry) -> bool {
        entry.handler.is_some()
            && entry.command.writes()
            && (!self.is_single_shard.get() || self.cluster().topology().function_version() > 0)
    }
}

fn change(cx: &mut NodeCx<'_>, args: Args<'_>, _: &mut Writer<'_>) -> Result<Outcome> {
    let mut request = Vec::new();
    encode_command(&mut request, args.from(0));
    let (shared, session) = (Rc::clone(cx.shared), Rc::clone(cx.session));
    Ok(Outcome::Later(Box::pin(async move {
        let plan = agree::make(&shared, &request).await?;
        shared.reply(&session, |reply| plan.answer(reply));
        Ok(())
    })))
}
