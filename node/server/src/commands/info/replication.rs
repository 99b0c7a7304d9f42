//! The shard: `replication`, in the words of Redis where they fit.
//!
//! Offsets are indexes of the shard's log.

use std::fmt::Write as _;

use quoris_consensus::{LogPosition, Role};

use super::facts::Facts;
use super::{Maybe, Section, fields};

pub(super) const SECTION: Section = Section {
    name: "replication",
    title: "Replication",
    by_default: true,
    fields: FIELDS,
    lines: followers,
};

fields! { FIELDS:
    "role" => |facts| if facts.leads { "master" } else { "slave" },
    "master_host" => |facts| of_follower(facts, leader(facts).map_or_else(String::new, |(host, _)| host)),
    "master_port" => |facts| of_follower(facts, leader(facts).map_or(0, |(_, port)| port)),
    "master_link_status" => |facts| {
        of_follower(facts, if facts.status.standing.leader.is_some() { "up" } else { "down" })
    },
    "master_sync_in_progress" => |facts| of_follower(facts, false),
    "slave_read_repl_offset" => |facts| of_follower(facts, facts.status.last_index.unwrap_or(0)),
    "slave_repl_offset" => |facts| of_follower(facts, index(facts.status.applied)),
    "slave_priority" => |facts| of_follower(facts, 100_u32),
    "slave_read_only" => |facts| of_follower(facts, true),
    "replica_announced" => |facts| of_follower(facts, true),
    "connected_slaves" => |facts| reachable(facts).count(),
    "master_failover_state" => |_| "no-failover",
    "master_replid" => |facts| facts.shared.identity.shard.clone(),
    "master_replid2" => |_| "0".repeat(40),
    "master_repl_offset" => |facts| facts.status.last_index.unwrap_or(0),
    "second_repl_offset" => |_| "-1",
    "quoris_role" => |facts| match facts.status.standing.role {
        Role::Learner => "learner",
        Role::Follower => "follower",
        Role::Candidate => "candidate",
        Role::Leader => "leader",
        Role::Stopped => "stopped",
    },
    "quoris_term" => |facts| facts.status.standing.term,
    "quoris_voters" => |facts| facts.status.standing.voters.len(),
    "quoris_learners" => |facts| facts.status.standing.learners.len(),
    "quoris_last_index" => |facts| facts.status.last_index.unwrap_or(0),
    "quoris_commit_index" => |facts| index(facts.status.committed),
    "quoris_applied_index" => |facts| index(facts.status.applied),
}

fn index(position: Option<LogPosition>) -> u64 {
    position.map_or(0, |position| position.index)
}

fn of_follower<T>(facts: &Facts<'_>, value: T) -> Maybe<T> {
    Maybe((!facts.leads).then_some(value))
}

fn leader(facts: &Facts<'_>) -> Option<(String, u16)> {
    facts.shared.routes().client_address(facts.status.standing.leader?)
}

/// The followers whose addresses are known, with what they hold.
fn reachable<'a>(facts: &'a Facts<'_>) -> impl Iterator<Item = (String, u16, u64)> + 'a {
    let routes = facts.shared.routes();
    let replicated = facts.status.replicated.iter().filter(|_| facts.leads);
    replicated.filter_map(move |(node, position)| {
        let (host, port) = routes.client_address(*node)?;
        Some((host, port, index(*position)))
    })
}

fn followers(facts: &Facts<'_>, out: &mut String) {
    for (number, (host, port, offset)) in reachable(facts).enumerate() {
        let _ = write!(
            out,
            "slave{number}:ip={host},port={port},state=online,offset={offset},lag=0\r\n"
        );
    }
}
