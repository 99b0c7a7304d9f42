//! What the node shows of the cluster.

use quoris_engine::spec::{Arg, Flags, Spec, string};
use quoris_engine::{Args, CommandError, Result};
use quoris_resp::Writer;
use quoris_topology::NodeId;
use quoris_topology::format::{Field, InfoFacts, Liveness, ShardEntry, SlotsEntry, SlotsNode};

use super::{cluster, spec};
use crate::registry::{NodeCommand, NodeCx, Outcome};

const LOADABLE: Flags = Flags::LOADING.or(Flags::STALE);
const NODE_ID: &[Arg] = &[string("node-id")];

/// CLUSTER SLOTS
pub(super) const SLOTS: NodeCommand = NodeCommand::new(
    spec("slots", "3.0.0", "Lists ranges of slots with the nodes that serve them.")
        .flags(LOADABLE)
        .complexity("O(N) where N is the total number of Cluster nodes"),
    slots,
);

/// CLUSTER SHARDS
pub(super) const SHARDS: NodeCommand = NodeCommand::new(
    spec("shards", "7.0.0", "Lists the shards with their slots and nodes.")
        .flags(LOADABLE)
        .complexity("O(N) where N is the total number of cluster nodes"),
    shards,
);

/// CLUSTER NODES
pub(super) const NODES: NodeCommand = NodeCommand::new(
    spec("nodes", "3.0.0", "Lists the nodes, one line each.")
        .complexity("O(N) where N is the total number of Cluster nodes"),
    nodes,
);

/// CLUSTER INFO
pub(super) const INFO: NodeCommand =
    NodeCommand::new(spec("info", "3.0.0", "Tells the state of the cluster."), info);

/// CLUSTER MYID
pub(super) const MYID: NodeCommand =
    NodeCommand::new(spec("myid", "3.0.0", "Returns the id of the node."), my_id);

/// CLUSTER MYSHARDID
pub(super) const MYSHARDID: NodeCommand = NodeCommand::new(
    spec("myshardid", "7.2.0", "Returns the id of the node's shard."),
    my_shard_id,
);

/// CLUSTER REPLICAS node-id
pub(super) const REPLICAS: NodeCommand =
    NodeCommand::new(of_replicas("replicas", "5.0.0"), replicas);

/// CLUSTER SLAVES node-id
pub(super) const SLAVES: NodeCommand = NodeCommand::new(of_replicas("slaves", "3.0.0"), replicas);

const fn of_replicas(name: &'static str, since: &'static str) -> Spec {
    spec(name, since, "Lists the replicas of a master, one line each.")
        .sub_args(NODE_ID)
        .flags(Flags::ADMIN.or(Flags::STALE))
        .complexity("O(N) where N is the number of replicas.")
}

/// CLUSTER LINKS
pub(super) const LINKS: NodeCommand = NodeCommand::new(
    spec("links", "7.0.0", "Lists the connections of the bus.")
        .complexity("O(N) where N is the total number of Cluster nodes"),
    links,
);

/// CLUSTER COUNT-FAILURE-REPORTS node-id
pub(super) const COUNT_FAILURE_REPORTS: NodeCommand = NodeCommand::new(
    spec("count-failure-reports", "3.0.0", "Tells how many nodes take a node for failed.")
        .differs("1 if this node does, otherwise 0.")
        .sub_args(NODE_ID)
        .flags(Flags::ADMIN.or(Flags::STALE)),
    count_failure_reports,
);

fn slots(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    cluster(cx)?.with_view(|view| {
        let entries = view.slots();
        reply.array(entries.len());
        entries.iter().for_each(|entry| write_slots(entry, reply));
    });
    Ok(Outcome::Done)
}

fn write_slots(entry: &SlotsEntry<'_>, reply: &mut Writer<'_>) {
    reply.array(2 + entry.nodes.len());
    reply.integer(entry.range.start().get().into());
    reply.integer(entry.range.end().get().into());
    for node in &entry.nodes {
        let SlotsNode { endpoint, port, id, metadata } = node;
        reply.array(4);
        reply.bulk_or_null(endpoint.map(str::as_bytes));
        reply.integer((*port).into());
        reply.bulk(id.to_string().as_bytes());
        reply.map(metadata.len());
        for (name, value) in metadata {
            reply.bulk(name.as_bytes());
            reply.bulk(value.as_bytes());
        }
    }
}

fn shards(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    cluster(cx)?.with_view(|view| {
        let entries = view.shards();
        reply.array(entries.len());
        entries.iter().for_each(|entry| write_shard(entry, reply));
    });
    Ok(Outcome::Done)
}

fn write_shard(entry: &ShardEntry<'_>, reply: &mut Writer<'_>) {
    reply.map(2);
    reply.bulk(b"slots");
    reply.array(entry.slots.len() * 2);
    for range in &entry.slots {
        reply.integer(range.start().get().into());
        reply.integer(range.end().get().into());
    }
    reply.bulk(b"nodes");
    reply.array(entry.nodes.len());
    for node in &entry.nodes {
        write_fields(&node.fields(), reply);
    }
}

fn write_fields(fields: &[(&'static str, Field)], reply: &mut Writer<'_>) {
    reply.map(fields.len());
    for (name, value) in fields {
        reply.bulk(name.as_bytes());
        match value {
            Field::Text(text) => reply.bulk(text.as_bytes()),
            Field::Integer(number) => reply.integer(*number as i64),
        }
    }
}

fn nodes(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    cluster(cx)?.with_view(|view| reply.verbatim("txt", view.nodes().as_bytes()));
    Ok(Outcome::Done)
}

fn info(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let cluster = cluster(cx)?;
    let messages = cluster.messages();
    let facts = InfoFacts {
        require_full_coverage: cluster.options().require_full_coverage,
        messages: &messages,
        links_over_limit: 0,
    };
    let text = cluster.with_view(|view| view.info(&facts));
    reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}

fn my_id(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    reply.bulk(cluster(cx)?.formation().me().to_string().as_bytes());
    Ok(Outcome::Done)
}

fn my_shard_id(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    reply.bulk(cluster(cx)?.formation().shard().id.to_string().as_bytes());
    Ok(Outcome::Done)
}

fn replicas(cx: &mut NodeCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let node = String::from_utf8_lossy(&args[2]);
    let lines = cluster(cx)?.with_view(|view| view.replicas(&node));
    let lines = lines.map_err(|error| CommandError::text(format!("ERR {error}")))?;
    reply.array(lines.len());
    lines.iter().for_each(|line| reply.bulk(line.as_bytes()));
    Ok(Outcome::Done)
}

fn links(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let links = cluster(cx)?.links();
    reply.array(links.len());
    links.iter().for_each(|link| write_fields(&link.fields(), reply));
    Ok(Outcome::Done)
}

/// There is no gossip about failures: a node reports what it sees itself.
fn count_failure_reports(
    cx: &mut NodeCx<'_>,
    args: Args<'_>,
    reply: &mut Writer<'_>,
) -> Result<Outcome> {
    let cluster = cluster(cx)?;
    let text = String::from_utf8_lossy(&args[2]);
    let id: Option<NodeId> = text.parse().ok().filter(|id| cluster.topology().node(*id).is_some());
    let id = id.ok_or_else(|| CommandError::text(format!("ERR Unknown node {text}")))?;
    reply.integer((cluster.health_of(id).liveness == Liveness::Failed).into());
    Ok(Outcome::Done)
}
