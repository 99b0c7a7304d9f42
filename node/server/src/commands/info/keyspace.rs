//! The keys and the cluster: `keyspace` and `cluster`.

use std::fmt::Write as _;

use super::facts::Facts;
use super::{Section, fields, no_lines};

pub(super) const SECTION: Section = Section {
    name: "keyspace",
    title: "Keyspace",
    by_default: true,
    fields: &[],
    lines: databases,
};

pub(super) const CLUSTER: Section = Section {
    name: "cluster",
    title: "Cluster",
    by_default: true,
    fields: FIELDS,
    lines: no_lines,
};

fields! { FIELDS:
    "cluster_enabled" => |facts| facts.config.cluster_enabled(),
    "quoris_cluster_id" => |facts| facts.shared.identity.cluster.clone(),
    "quoris_shard_id" => |facts| facts.shared.identity.shard.clone(),
}

fn databases(facts: &Facts<'_>, out: &mut String) {
    let engine = facts.shared.engine.borrow();
    for number in 0..engine.keyspace().database_count() {
        let database = engine.keyspace().database(number);
        let (keys, expiring) = (database.len(), database.expiring_len());
        if keys > 0 {
            let _ = write!(out, "db{number}:keys={keys},expires={expiring},avg_ttl=0\r\n");
        }
    }
}
