//! The log and the snapshots: `persistence`.
//!
//! The log is Redis's AOF in all but name; a snapshot is its dump.

use super::{Section, fields, no_lines};

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
    "rdb_bgsave_in_progress" => |_| false,
    "rdb_changes_since_last_save" => |facts| facts.shared.stats.changes.get(),
    "rdb_last_bgsave_status" => |_| "ok",
    "aof_enabled" => |_| true,
    "aof_rewrite_in_progress" => |_| false,
    "aof_rewrite_scheduled" => |_| false,
    "aof_last_bgrewrite_status" => |_| "ok",
    "aof_last_write_status" => |facts| if facts.status.standing.fault.is_none() { "ok" } else { "err" },
    "quoris_appendfsync" => |facts| facts.config.appendfsync().as_str(),
    "quoris_snapshot_index" => |facts| facts.status.snapshot.map_or(0, |position| position.index),
    "quoris_purged_index" => |facts| facts.status.purged.map_or(0, |position| position.index),
}
