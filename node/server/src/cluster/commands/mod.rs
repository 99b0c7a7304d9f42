//! `CLUSTER …`, one declaration and one handler per subcommand.
//!
//! What clients parse comes from [`quoris_topology::format`], byte for byte as
//! Redis prints it. Subcommands that would edit one node's own idea of the
//! cluster do not exist here, where all nodes agree on one: they answer with
//! what to use instead.

mod failover;
mod form;
mod instead;
mod keys;
mod views;

use std::rc::Rc;

use quoris_engine::spec::{Flags, Group, Spec};
use quoris_engine::{Args, Result};
use quoris_resp::Writer;

use super::Cluster;
use crate::registry::{NodeCommand, NodeCx, Outcome};
use crate::{replies, subcommands};

/// All of this family.
pub const COMMANDS: &[NodeCommand] = &[CLUSTER];

/// CLUSTER subcommand [argument …]
const CLUSTER: NodeCommand = NodeCommand::container(
    Spec::new("cluster", Group::Cluster, "3.0.0", "A container for cluster commands.").arity(-2),
    SUBCOMMANDS,
);

subcommands!(SUBCOMMANDS: 29 = [
    views::SLOTS,
    views::SHARDS,
    views::NODES,
    views::INFO,
    views::MYID,
    views::MYSHARDID,
    views::REPLICAS,
    views::SLAVES,
    views::LINKS,
    views::COUNT_FAILURE_REPORTS,
    keys::KEYSLOT,
    keys::COUNTKEYSINSLOT,
    keys::GETKEYSINSLOT,
    failover::FAILOVER,
    form::FORM,
    form::SAVECONFIG,
    instead::MEET,
    instead::FORGET,
    instead::RESET,
    instead::ADDSLOTS,
    instead::ADDSLOTSRANGE,
    instead::DELSLOTS,
    instead::DELSLOTSRANGE,
    instead::FLUSHSLOTS,
    instead::SETSLOT,
    instead::SET_CONFIG_EPOCH,
    instead::BUMPEPOCH,
    instead::REPLICATE,
    HELP,
]);

/// The declaration of a subcommand.
const fn spec(name: &'static str, since: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::Cluster, since, summary).sub_args(&[]).flags(Flags::STALE)
}

/// An operator's subcommand.
const fn admin(name: &'static str, since: &'static str, summary: &'static str) -> Spec {
    spec(name, since, summary).flags(Flags::ADMIN.or(Flags::STALE))
}

/// The cluster, unless this node was told not to speak of it.
fn cluster(cx: &NodeCx<'_>) -> Result<Rc<Cluster>> {
    let cluster = cx.shared.cluster();
    if cluster.options().is_enabled { Ok(cluster) } else { Err(replies::CLUSTER_DISABLED) }
}

/// CLUSTER HELP
const HELP: NodeCommand = NodeCommand::new(
    spec("help", "5.0.0", "Lists the subcommands.").flags(Flags::LOADING.or(Flags::STALE)),
    help,
);

const HELP_LINES: &[&str] = &[
    "CLUSTER <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "COUNT-FAILURE-REPORTS <node-id>",
    "    Return 1 if this node takes <node-id> for failed, otherwise 0.",
    "COUNTKEYSINSLOT <slot>",
    "    Return the number of keys in <slot>.",
    "FAILOVER [FORCE|TAKEOVER]",
    "    Make this replica the leader of its shard.",
    "FORM <plan>",
    "    Make this empty node part of the cluster that <plan> describes, as JSON.",
    "    Sent by cluster-cli create.",
    "GETKEYSINSLOT <slot> <count>",
    "    Return key names stored by this node in a slot.",
    "INFO",
    "    Return information about the cluster.",
    "KEYSLOT <key>",
    "    Return the hash slot for <key>.",
    "LINKS",
    "    Return the links of the bus between this node and its peers, as maps.",
    "MYID",
    "    Return the node id.",
    "MYSHARDID",
    "    Return the id of the node's shard.",
    "NODES",
    "    Return the cluster as seen by this node. Output format:",
    "    <id> <ip:port> <flags> <master> <pings> <pongs> <epoch> <link> <slot> ...",
    "REPLICAS <node-id>",
    "    Return <node-id> replicas.",
    "SAVECONFIG",
    "    Do nothing: what a node knows of its cluster is always on its disk.",
    "SHARDS",
    "    Return the shards with their slots and nodes.",
    "SLOTS",
    "    Return ranges of slots with the nodes that serve them. Each is made of:",
    "    start, end, master and replicas IP addresses, ports and ids",
    "HELP",
    "    Prints this help.",
];

fn help(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    cluster(cx)?;
    reply.array(HELP_LINES.len());
    for line in HELP_LINES {
        reply.simple(line);
    }
    Ok(Outcome::Done)
}
