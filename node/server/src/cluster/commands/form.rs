//! `CLUSTER FORM`: this node becomes part of a cluster; see [`crate::cluster::form`].

use std::rc::Rc;

use quoris_engine::spec::string;
use quoris_engine::{Args, CommandError, Result};
use quoris_resp::Writer;
use quoris_topology::Plan;

use super::super::form::{Formed, form};
use super::{admin, cluster};
use crate::registry::{NodeCommand, NodeCx, Outcome};

/// CLUSTER FORM plan
pub(super) const FORM: NodeCommand = NodeCommand::new(
    admin("form", "7.2.0", "Makes an empty node part of the cluster that a plan describes.")
        .differs("Not in Redis: `cluster-cli create` sends it.")
        .sub_args(&[string("plan")])
        .complexity("O(N) where N is the number of nodes in the plan"),
    take_plan,
);

/// CLUSTER SAVECONFIG
pub(super) const SAVECONFIG: NodeCommand = NodeCommand::new(
    admin("saveconfig", "3.0.0", "Has what the node knows of its cluster written.")
        .differs("Does nothing: that is always on its disk."),
    save_config,
);

fn take_plan(cx: &mut NodeCx<'_>, args: Args<'_>, _: &mut Writer<'_>) -> Result<Outcome> {
    cluster(cx)?;
    let plan = Plan::from_json(&args[2])
        .map_err(|problem| CommandError::text(format!("ERR {problem}")))?;
    let (shared, session) = (Rc::clone(cx.shared), Rc::clone(cx.session));
    Ok(Outcome::Later(Box::pin(async move {
        let formed = form(&shared, plan).await?;
        shared.reply(&session, |reply| reply.simple("OK"));
        if formed == Formed::Now {
            shared.restart_after_reply(&session);
        }
        Ok(())
    })))
}

fn save_config(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    cluster(cx)?;
    reply.ok();
    Ok(Outcome::Done)
}
