//! The log and the snapshots: `persistence`.
//!
//! The log is Redis's AOF in all but name; a snapshot is its dump.

use std::time::Duration;

use super::facts::Facts;
use super::{Section, fields, no_lines};
use crate::saves::Purpose;

pub(super) const SECTION: Section = Section {
    name: "persistence",
    title: "Persistence",
    by_default: true,
    fields: FIELDS,
    lines: no_lines,
};

fields! { FIELDS:
    "loading" => |_| false,
    "async_loading" => |_| false,
    "rdb_changes_since_last_save" => |facts| {
        facts.shared.stats.changes.get().saturating_sub(facts.shared.saves.changes_then())
    },
    "rdb_bgsave_in_progress" => |facts| under_way(facts, Purpose::Save).is_some(),
    "rdb_last_save_time" => |facts| facts.shared.saves.saved_ms() / 1000,
    "rdb_last_bgsave_status" => |facts| status(facts, Purpose::Save),
    "rdb_last_bgsave_time_sec" => |facts| last(facts, Purpose::Save),
    "rdb_current_bgsave_time_sec" => |facts| current(facts, Purpose::Save),
    "rdb_saves" => |facts| facts.shared.saves.record(Purpose::Save).count,
    "aof_enabled" => |_| true,
    "aof_rewrite_in_progress" => |facts| under_way(facts, Purpose::Rewrite).is_some(),
    "aof_rewrite_scheduled" => |facts| facts.shared.saves.next() == Some(Purpose::Rewrite),
    "aof_last_rewrite_time_sec" => |facts| last(facts, Purpose::Rewrite),
    "aof_current_rewrite_time_sec" => |facts| current(facts, Purpose::Rewrite),
    "aof_last_bgrewrite_status" => |facts| status(facts, Purpose::Rewrite),
    "aof_rewrites" => |facts| facts.shared.saves.record(Purpose::Rewrite).count,
    "aof_last_write_status" => |facts| if facts.status.standing.fault.is_none() { "ok" } else { "err" },
    "quoris_appendfsync" => |facts| facts.config.appendfsync().as_str(),
    "quoris_snapshot_index" => |facts| facts.status.snapshot.map_or(0, |position| position.index),
    "quoris_purged_index" => |facts| facts.status.purged.map_or(0, |position| position.index),
}

/// For how long one has been under way.
fn under_way(facts: &Facts<'_>, purpose: Purpose) -> Option<Duration> {
    let job = facts.shared.saves.job().filter(|job| job.purpose == purpose)?;
    Some(job.since.elapsed())
}

fn status(facts: &Facts<'_>, purpose: Purpose) -> &'static str {
    if facts.shared.saves.record(purpose).failed { "err" } else { "ok" }
}

/// How long the last one took, or -1, in seconds.
fn last(facts: &Facts<'_>, purpose: Purpose) -> i64 {
    seconds(facts.shared.saves.record(purpose).took)
}

/// How long the one under way takes, or -1, in seconds.
fn current(facts: &Facts<'_>, purpose: Purpose) -> i64 {
    seconds(under_way(facts, purpose))
}

fn seconds(time: Option<Duration>) -> i64 {
    time.map_or(-1, |time| time.as_secs() as i64)
}
