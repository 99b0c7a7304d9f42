//! `CLUSTER FAILOVER`: a follower asks to lead its shard.
//!
//! The leader hands over: it finishes what it has, answers nothing more, and
//! lets the follower be elected. So no write is lost whichever way it is asked
//! for. `FORCE` and `TAKEOVER` go without the leader in Redis; here, where the
//! others elect somebody as soon as the leader is gone, and an election without
//! a majority would lose writes, they only do without its consent to being
//! asked: with a leader that does not answer, the election is on its way.

use std::rc::Rc;
use std::time::Duration;

use quoris_engine::spec::{one_of, token};
use quoris_engine::{Args, CommandError, Result, error};
use quoris_resp::Writer;
use quoris_topology::NodeId;
use tokio::time::timeout;

use super::{Cluster, admin, cluster};
use crate::registry::{NodeCommand, NodeCx, Outcome};

/// How long the leader may take to agree.
const PATIENCE: Duration = Duration::from_secs(2);

const NOT_A_REPLICA: CommandError =
    CommandError::fixed("ERR You should send CLUSTER FAILOVER to a replica");
const MASTER_UNKNOWN: CommandError =
    CommandError::fixed("ERR I'm a replica but my master is unknown to me");
const MASTER_DOWN: CommandError =
    CommandError::fixed("ERR Master is down or failed, please use CLUSTER FAILOVER FORCE");

/// CLUSTER FAILOVER [FORCE | TAKEOVER]
pub(super) const FAILOVER: NodeCommand = NodeCommand::new(
    admin("failover", "3.0.0", "Makes a replica the leader of its shard.").differs("Always a handover that loses nothing; `FORCE` and `TAKEOVER` only do without a leader that does not answer.").sub_args(&[one_of(
        "options",
        &[token("force", "FORCE"), token("takeover", "TAKEOVER")],
    )
    .optional()]),
    failover,
);

fn failover(cx: &mut NodeCx<'_>, args: Args<'_>, _: &mut Writer<'_>) -> Result<Outcome> {
    let cluster = cluster(cx)?;
    let is_forced = is_forced(&args)?;
    if cluster.leads() {
        return Err(NOT_A_REPLICA);
    }
    let leader = cluster.leader();
    if leader.is_none() && !is_forced {
        return Err(MASTER_UNKNOWN);
    }
    let (shared, session) = (Rc::clone(cx.shared), Rc::clone(cx.session));
    Ok(Outcome::Later(Box::pin(async move {
        if let Some(leader) = leader {
            let asked = ask(&cluster, leader).await;
            if let (Err(error), false) = (asked, is_forced) {
                return Err(error);
            }
        }
        shared.reply(&session, |reply| reply.simple("OK"));
        Ok(())
    })))
}

fn is_forced(args: &Args<'_>) -> Result<bool> {
    let is = |word: &[u8], option: &str| word.eq_ignore_ascii_case(option.as_bytes());
    match (args.try_get(2), args.len()) {
        (None, _) => Ok(false),
        (Some(word), 3) if is(word, "force") || is(word, "takeover") => Ok(true),
        (Some(_), 3) => Err(error::SYNTAX),
        _ => {
            let word = String::from_utf8_lossy(&args[1]);
            Err(CommandError::text(format!(
                "ERR unknown subcommand or wrong number of arguments for '{word}'. \
                 Try CLUSTER HELP."
            )))
        }
    }
}

async fn ask(cluster: &Cluster, leader: NodeId) -> Result {
    match timeout(PATIENCE, cluster.ask_to_hand_over(leader)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(problem)) => {
            tracing::warn!("ask node {leader} to hand over: {problem}");
            Err(MASTER_DOWN)
        }
        Err(_) => Err(MASTER_DOWN),
    }
}
