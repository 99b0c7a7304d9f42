//! What is counted: `stats`.

use super::{Section, fields, no_lines};
use crate::observe::rate::Counter;
use crate::pubsub::Kind;
use crate::shared::Shared;

pub(super) const SECTION: Section =
    Section { name: "stats", title: "Stats", by_default: true, fields: FIELDS, lines: no_lines };

fields! { FIELDS:
    "total_connections_received" => |facts| facts.shared.stats.connections_received.get(),
    "total_commands_processed" => |facts| facts.shared.stats.commands_processed.get(),
    "instantaneous_ops_per_sec" => |facts| rate(facts.shared, Counter::Commands),
    "total_net_input_bytes" => |facts| facts.shared.stats.bytes_in.get(),
    "total_net_output_bytes" => |facts| facts.shared.stats.bytes_out.get(),
    "instantaneous_input_kbps" => |facts| kilobytes(rate(facts.shared, Counter::BytesIn)),
    "instantaneous_output_kbps" => |facts| kilobytes(rate(facts.shared, Counter::BytesOut)),
    "rejected_connections" => |facts| facts.shared.stats.connections_rejected.get(),
    "pubsub_channels" => |facts| facts.shared.pubsub.len(Kind::Channel),
    "pubsub_patterns" => |facts| facts.shared.pubsub.len(Kind::Pattern),
    "pubsubshard_channels" => |facts| facts.shared.pubsub.len(Kind::Shard),
    "expired_keys" => |facts| facts.shared.stats.expired_keys.get(),
    "keyspace_hits" => |facts| facts.shared.engine.borrow().lookups().hits.get(),
    "keyspace_misses" => |facts| facts.shared.engine.borrow().lookups().misses.get(),
    "tracking_total_keys" => |facts| facts.shared.tracking.keys(),
    "tracking_total_items" => |facts| facts.shared.tracking.items(),
    "tracking_total_prefixes" => |facts| facts.shared.tracking.prefixes(),
    "total_error_replies" => |facts| facts.shared.stats.error_replies.get(),
    "quoris_entries_proposed" => |facts| facts.shared.stats.entries_proposed.get(),
    "quoris_changes" => |facts| facts.shared.stats.changes.get(),
}

fn rate(shared: &Shared, counter: Counter) -> u64 {
    shared.observe.rates.borrow().per_second(counter)
}

fn kilobytes(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 / 1024.0)
}
