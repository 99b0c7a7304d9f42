//! `cluster-cli create`: makes one cluster out of empty nodes.
//!
//! Every node is asked first whether it is empty and alone; only when all are
//! does anything change. Then the same plan goes to each of them. A node takes
//! the plan durably before it answers, and takes the same plan twice without
//! harm, so whatever fails half-way is repeated until the time is up.
//!
//! Nodes that already are the cluster asked for are left alone, and that is a
//! success: a deployment may run `create` on every start.

use std::time::Duration;

use futures::future::join_all;
use quoris_topology::Plan;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{
    address::Address,
    args::Create,
    check::judge,
    confirm::confirm,
    failure::{Code, Failure, Outcome},
    output::{say, show, tell},
    plan,
    progress::Progress,
    recruit::inspect,
    survey::Survey,
    table::counted,
    wire::Connection,
};

const POLL_EVERY: Duration = Duration::from_millis(200);
/// A node first finishes the writes that are under way.
const TAKES_A_PLAN_WITHIN: Duration = Duration::from_secs(15);

/// What became of a request to form a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formed {
    /// By this call.
    Now,
    /// Before this call.
    Already,
}

/// Runs the command.
pub async fn run(args: &Create) -> Outcome {
    let password = args.access.password.as_deref();
    let mut progress = Progress::new(args.output.json);
    progress.step(format!("asking {}", counted(args.nodes.len() as u64, "node")));
    let found = inspect(&args.nodes, password).await?;
    progress.finish();
    let Some(candidates) = found.into_candidates(args.replicas)? else {
        announce(args, Formed::Already, None);
        return Ok(());
    };
    let plan = plan::draw(&candidates, args.replicas)?;
    if args.dry_run {
        if args.output.json {
            say(plan.without_secret().to_json());
        } else {
            show(plan::describe(&plan));
        }
        return Ok(());
    }
    if !args.output.json {
        tell(plan::describe(&plan).trim_end());
        for warning in plan::warnings(&plan) {
            tell(format_args!("note: {warning}"));
        }
    }
    confirm("Form this cluster?", args.yes)?;
    let mut progress = Progress::new(args.output.json);
    carry_out(&plan, &args.nodes, password, args.timeout, &mut progress).await?;
    progress.finish();
    announce(args, Formed::Now, Some(&plan));
    Ok(())
}

/// Forms a cluster without questions: what `demo` needs.
pub async fn form(
    nodes: &[Address],
    replicas: usize,
    timeout: Duration,
    progress: &mut Progress,
) -> Outcome<Formed> {
    let found = inspect(nodes, None).await?;
    let Some(candidates) = found.into_candidates(replicas)? else {
        wait_until_healthy(nodes, None, Instant::now() + timeout, progress).await?;
        return Ok(Formed::Already);
    };
    let plan = plan::draw(&candidates, replicas)?;
    carry_out(&plan, nodes, None, timeout, progress).await?;
    Ok(Formed::Now)
}

fn announce(args: &Create, formed: Formed, plan: Option<&Plan>) {
    let first = &args.nodes[0];
    if args.output.json {
        let cluster_id = plan.map(|plan| &plan.cluster_id);
        say(json!({ "formed": formed == Formed::Now, "cluster_id": cluster_id }));
    } else {
        match formed {
            Formed::Now => say(format_args!("formed; look at it with: cluster-cli status {first}")),
            Formed::Already => {
                say("these nodes already form one cluster; nothing was changed");
            }
        }
    }
}

async fn carry_out(
    plan: &Plan,
    nodes: &[Address],
    password: Option<&str>,
    timeout: Duration,
    progress: &mut Progress,
) -> Outcome {
    let deadline = Instant::now() + timeout;
    let document = plan.to_json();
    progress.step(format!("sending the plan to {}", counted(nodes.len() as u64, "node")));
    let mut waiting: Vec<&Address> = nodes.iter().collect();
    loop {
        let attempts = waiting.iter().map(|node| hand_over(node, password, &document));
        let results = join_all(attempts).await;
        let failed: Vec<(&Address, Failure)> = waiting
            .iter()
            .zip(results)
            .filter_map(|(node, result)| Some((*node, result.err()?)))
            .collect();
        let Some((node, failure)) = failed.first() else { break };
        let hopeless = failed.iter().any(|(_, failure)| failure.code == Code::Refused);
        if hopeless || Instant::now() >= deadline {
            return Err(Failure::unfinished(format!(
                "{} of {} nodes did not take the plan, the first is {node} ({failure}); empty the \
                 nodes' data directories and create the cluster anew",
                failed.len(),
                nodes.len()
            )));
        }
        waiting = failed.iter().map(|(node, _)| *node).collect();
        sleep(POLL_EVERY).await;
    }
    wait_until_healthy(nodes, password, deadline, progress).await
}

async fn hand_over(node: &Address, password: Option<&str>, document: &str) -> Outcome {
    let mut connection = Connection::open(node, password).await?;
    connection.call_patiently(&["CLUSTER", "FORM", document], TAKES_A_PLAN_WITHIN).await.map(drop)
}

/// Until every node answers, every shard has its leader and all agree.
async fn wait_until_healthy(
    nodes: &[Address],
    password: Option<&str>,
    deadline: Instant,
    progress: &mut Progress,
) -> Outcome {
    loop {
        let missing = match Survey::take(&nodes[0], password).await {
            Ok(survey) if survey.answers.len() < nodes.len() => {
                format!("{} of {} nodes are in", survey.answers.len(), nodes.len())
            }
            Ok(survey) => match judge(&survey).first() {
                None => return Ok(()),
                Some(finding) => finding.text.clone(),
            },
            Err(failure) => failure.to_string(),
        };
        if Instant::now() >= deadline {
            let first = &nodes[0];
            return Err(Failure::unfinished(format!(
                "the nodes took the plan, but the cluster is not whole yet: {missing}; \
                 look again with `cluster-cli check {first}`"
            )));
        }
        progress.step(format!("waiting for the nodes: {missing}"));
        sleep(POLL_EVERY).await;
    }
}
