//! The page `docs/commands-node.md`, made from the declarations of the commands that a node runs
//! itself, and compared with them.

#[path = "../../engine/tests/support/page.rs"]
mod page;

use quoris_engine::spec::Group;
use quoris_server::commands::FAMILIES;

const INTRODUCTION: &str = "\
# Commands about the node

What a node answers itself: connections, messages, transactions, the server and the cluster. The
commands on data have [a page of their own](commands.md). A name, its arguments and its errors are
those of Redis 7.2; `since` is the release of Redis (or Valkey) that brought it. The last column
says what a user of Redis would notice.

Three things differ everywhere. A node has no replicas in Redis's sense: the nodes of a shard agree
on one log, so that what is about following, copying or failing over has another meaning or none.
What is written to disk is that log and the snapshots that keep it short; what Redis calls the AOF
is the log, and what it calls the RDB file is a snapshot. Directives that have nothing to direct are
taken and named in a notice: see [the page of directives](configuration.md).

This page is made from the declarations of the commands, which `COMMAND DOCS` answers from too.
";

const GROUPS: [(Group, &str); 6] = [
    (Group::Connection, "Connections"),
    (Group::Server, "The server"),
    (Group::Generic, "Replication and moving keys"),
    (Group::Cluster, "The cluster"),
    (Group::PubSub, "Messages"),
    (Group::Transactions, "Transactions"),
];

fn commands() -> Vec<page::Named> {
    page::named(FAMILIES.iter().copied().flatten().map(|node| &node.command))
}

/// `UPDATE_GOLDENFILES=1 cargo test -p quoris-server --test reference` brings the page up to date.
#[test]
fn the_page_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/commands-node.md");
    page::check(path, &page::markdown(INTRODUCTION, &GROUPS, &commands()));
}

#[test]
fn every_command_has_its_place() {
    for named in commands() {
        let group = named.command.spec.group;
        assert!(GROUPS.iter().any(|(listed, _)| *listed == group), "{}: {group:?}", named.name);
    }
}

#[test]
fn what_is_always_refused_says_so() {
    let all = commands();
    for name in ["replicaof", "failover", "module load", "cluster meet", "cluster setslot"] {
        let named = all.iter().find(|one| one.name == name).expect("a command");
        assert!(named.command.spec.differs.contains("refused"), "{name} does not say it");
    }
}
