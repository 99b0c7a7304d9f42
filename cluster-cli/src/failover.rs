//! `cluster-cli failover`: makes a follower the leader of its shard, and returns
//! only when it is.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{
    address::Address,
    args::Failover,
    confirm::confirm,
    failure::{Failure, Outcome},
    output::say,
    progress::Progress,
    survey::{Report, report},
    view::{Role, Shard, slot_ranges},
    wire::Connection,
};

const POLL_EVERY: Duration = Duration::from_millis(100);

/// Runs the command.
pub async fn run(args: &Failover) -> Outcome {
    let password = args.access.password.as_deref();
    let before = report(&args.node, password).await?;
    let shard = shard_of(&before, &args.node)?;
    let old_leader = shard.leader().map(|leader| leader.address.clone());
    if shard.leader().is_some_and(|leader| leader.id == before.id) {
        return Err(Failure::refused(format!(
            "{} already leads its shard; name one of its followers",
            args.node
        )));
    }
    let slots = slot_ranges(&shard.slots);
    let from = old_leader.as_ref().map_or("nobody".into(), Address::to_string);
    if args.dry_run {
        if args.output.json {
            say(json!({ "would_lead": args.node, "leader": old_leader, "slots": shard.slots }));
            return Ok(());
        }
        say(format_args!(
            "would move the leadership of slots {slots} from {from} to {}",
            args.node
        ));
        return Ok(());
    }
    confirm(
        &format!("Move the leadership of slots {slots} from {from} to {}?", args.node),
        args.yes,
    )?;
    let mut progress = Progress::new(args.output.json);
    progress.step(format!("moving the leadership of slots {slots} to {}", args.node));
    let mut node = Connection::open(&args.node, password).await?;
    node.call_patiently(&["CLUSTER", "FAILOVER"], args.timeout).await?;
    wait_until_leader(args).await?;
    progress.finish();
    if args.output.json {
        say(json!({ "leader": args.node, "was": old_leader, "slots": shard.slots }));
    } else {
        say(format_args!("{} leads slots {slots} now", args.node));
    }
    Ok(())
}

async fn wait_until_leader(args: &Failover) -> Outcome {
    let deadline = Instant::now() + args.timeout;
    loop {
        let now = report(&args.node, args.access.password.as_deref()).await?;
        if now.own_entry().is_some_and(|member| member.role == Role::Leader) {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(Failure::unfinished(format!(
                "{} does not lead its shard after {} s; see `cluster-cli status {}`",
                args.node,
                args.timeout.as_secs(),
                args.node
            )));
        }
        sleep(POLL_EVERY).await;
    }
}

fn shard_of<'a>(report: &'a Report, node: &Address) -> Outcome<&'a Shard> {
    let holds_it = |shard: &&Shard| shard.members.iter().any(|member| member.id == report.id);
    let found = report.view.shards.iter().find(holds_it);
    found.ok_or_else(|| {
        Failure::refused(format!("{node} belongs to no shard yet; nothing to take over"))
    })
}
