//! `cluster-cli create`: makes one cluster out of empty nodes.
//!
//! Every node is asked first whether it is empty and alone; only when all are
//! does anything change. Then the same plan goes to each of them. A node takes
//! the plan durably before it answers, and takes the same plan twice without
//! harm, so whatever fails half-way is repeated until the time is up.
//!
//! Nodes that already are the cluster asked for are left alone, and that is a
//! success: a deployment may run `create` on every start.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::future::{join_all, try_join_all};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{
    address::Address,
    args::Create,
    check::judge,
    confirm::confirm,
    failure::{Code, Failure, Outcome},
    plan::{Candidate, Plan},
    progress::Progress,
    survey::{Survey, fields},
    view::View,
    wire::{Connection, Reply},
};

const POLL_EVERY: Duration = Duration::from_millis(200);

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
    progress.step(format!("asking {} nodes", args.nodes.len()));
    let recruits = inspect(&args.nodes, password).await?;
    progress.finish();
    let Some(candidates) = fresh(&recruits)? else {
        announce(args, Formed::Already, None);
        return Ok(());
    };
    let plan = Plan::draw(&candidates, args.replicas)?;
    if args.dry_run {
        if args.output.json {
            println!("{}", plan.public_document());
        } else {
            print!("{}", plan.describe());
        }
        return Ok(());
    }
    if !args.output.json {
        eprint!("{}", plan.describe());
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
    let recruits = inspect(nodes, None).await?;
    let Some(candidates) = fresh(&recruits)? else {
        wait_until_healthy(nodes, None, Instant::now() + timeout, progress).await?;
        return Ok(Formed::Already);
    };
    let plan = Plan::draw(&candidates, replicas)?;
    carry_out(&plan, nodes, None, timeout, progress).await?;
    Ok(Formed::Now)
}

fn announce(args: &Create, formed: Formed, plan: Option<&Plan>) {
    let first = &args.nodes[0];
    if args.output.json {
        let cluster_id = plan.map(|plan| &plan.cluster_id);
        println!("{}", json!({ "formed": formed == Formed::Now, "cluster_id": cluster_id }));
    } else {
        match formed {
            Formed::Now => println!("formed; look at it with: cluster-cli status {first}"),
            Formed::Already => {
                println!("these nodes already form one cluster; nothing was changed");
            }
        }
    }
}

/// A node as it was found.
struct Recruit {
    candidate: Candidate,
    key_count: i64,
    view: View,
}

async fn inspect(nodes: &[Address], password: Option<&str>) -> Outcome<Vec<Recruit>> {
    let mut seen = BTreeSet::new();
    for node in nodes {
        if !seen.insert(node) {
            return Err(Failure::refused(format!("{node} is named twice; name each node once")));
        }
    }
    let recruits = try_join_all(nodes.iter().map(|node| inspect_one(node, password))).await?;
    let mut ids = BTreeMap::new();
    for recruit in &recruits {
        let Candidate { id, address, .. } = &recruit.candidate;
        if let Some(other) = ids.insert(id, address) {
            return Err(Failure::refused(format!(
                "{other} and {address} are the same node, or one's data directory is a copy of \
                 the other's; give each node its own --dir"
            )));
        }
    }
    Ok(recruits)
}

async fn inspect_one(node: &Address, password: Option<&str>) -> Outcome<Recruit> {
    let mut connection = Connection::open(node, password).await?;
    let id = connection.call(&["CLUSTER", "MYID"]).await?.text().unwrap_or_default();
    let view = View::read(&connection.call(&["CLUSTER", "SHARDS"]).await?, node)?;
    let general = fields(&connection.call(&["INFO", "keyspace"]).await?);
    let key_count = general.values().filter_map(|value| {
        value.split(',').find_map(|part| part.strip_prefix("keys="))?.parse::<i64>().ok()
    });
    let key_count = key_count.sum();
    let setting = settings(&mut connection).await?;
    let named = |name: &str| setting.get(name).filter(|value| !value.is_empty()).cloned();
    let port_of = |name: &str| named(name)?.parse::<u16>().ok().filter(|port| *port != 0);
    let port = port_of("cluster-announce-port").unwrap_or(node.port);
    let bus_port = port_of("cluster-announce-bus-port")
        .or_else(|| port_of("cluster-port"))
        .or_else(|| node.port.checked_add(10_000));
    let bus_port = bus_port.ok_or_else(|| {
        Failure::refused(format!("{node} has no room for a bus port 10000 above; set cluster-port"))
    })?;
    let host = named("cluster-announce-ip").unwrap_or_else(|| node.host.clone());
    let candidate = Candidate { id, address: Address::new(host, port), bus_port };
    Ok(Recruit { candidate, key_count, view })
}

/// What the node was told to announce.
async fn settings(connection: &mut Connection) -> Outcome<BTreeMap<String, String>> {
    let names = [
        "cluster-announce-ip",
        "cluster-announce-port",
        "cluster-announce-bus-port",
        "cluster-port",
    ];
    let mut settings = BTreeMap::new();
    for name in names {
        let reply = connection.call(&["CONFIG", "GET", name]).await?;
        if let Some(value) = reply.field(name).and_then(Reply::text) {
            settings.insert(name.to_owned(), value);
        }
    }
    Ok(settings)
}

/// The nodes to plan with, or none when they already are one cluster.
fn fresh(recruits: &[Recruit]) -> Outcome<Option<Vec<Candidate>>> {
    let mut ids: Vec<&String> = recruits.iter().map(|recruit| &recruit.candidate.id).collect();
    ids.sort();
    for recruit in recruits {
        let mut members: Vec<&String> = recruit.view.members().map(|member| &member.id).collect();
        members.sort();
        let address = &recruit.candidate.address;
        if members.len() > 1 && members != ids {
            return Err(Failure::refused(format!(
                "{address} already belongs to a cluster of {} nodes; name empty nodes only",
                members.len()
            )));
        }
    }
    if recruits.len() > 1 && recruits.iter().all(|recruit| recruit.view.members().count() > 1) {
        return Ok(None);
    }
    for recruit in recruits {
        let address = &recruit.candidate.address;
        if recruit.view.members().count() > 1 {
            return Err(Failure::refused(format!(
                "{address} was formed into a cluster with these nodes, but not all of them know; \
                 empty the data directories and create it anew"
            )));
        }
        if recruit.key_count > 0 {
            return Err(Failure::refused(format!(
                "{address} holds {} keys; name empty nodes only, or empty it with FLUSHALL",
                recruit.key_count
            )));
        }
    }
    Ok(Some(recruits.iter().map(|recruit| recruit.candidate.clone()).collect()))
}

async fn carry_out(
    plan: &Plan,
    nodes: &[Address],
    password: Option<&str>,
    timeout: Duration,
    progress: &mut Progress,
) -> Outcome {
    let deadline = Instant::now() + timeout;
    let document = plan.document();
    progress.step(format!("sending the plan to {} nodes", nodes.len()));
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
    connection.call(&["CLUSTER", "FORM", document]).await.map(drop)
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
