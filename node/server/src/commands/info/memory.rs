//! What the node occupies: `memory`.
//!
//! Redis counts its own allocations; here the allocator is asked, so that `used_memory` is what the
//! whole program has allocated. Overhead is what is not in entries or collections.

use quoris_engine::scripting::ScriptingFacts;

use super::facts::{human, ratio};
use super::{Section, fields, no_lines};
use crate::shared::Shared;

pub(super) const SECTION: Section =
    Section { name: "memory", title: "Memory", by_default: true, fields: FIELDS, lines: no_lines };

fields! { FIELDS:
    "used_memory" => |facts| facts.memory.allocated,
    "used_memory_human" => |facts| human(facts.memory.allocated),
    "used_memory_rss" => |facts| facts.memory.rss,
    "used_memory_rss_human" => |facts| human(facts.memory.rss),
    "used_memory_peak" => |facts| facts.shared.observe.memory_peak.get(),
    "used_memory_peak_human" => |facts| human(facts.shared.observe.memory_peak.get()),
    "used_memory_peak_perc" => |facts| percent(facts.memory.allocated, facts.shared.observe.memory_peak.get()),
    "used_memory_startup" => |facts| facts.shared.observe.memory_start.get(),
    "used_memory_dataset" => |facts| dataset(facts.memory.allocated, facts.shared.observe.memory_start.get()),
    "used_memory_dataset_perc" => |facts| {
        let start = facts.shared.observe.memory_start.get();
        percent(dataset(facts.memory.allocated, start), facts.memory.allocated)
    },
    "allocator_allocated" => |facts| facts.memory.allocated,
    "allocator_active" => |facts| facts.memory.active,
    "allocator_resident" => |facts| facts.memory.resident,
    "total_system_memory" => |facts| facts.memory.total,
    "total_system_memory_human" => |facts| human(facts.memory.total),
    "used_memory_lua" => |facts| scripting(facts.shared).interpreter_bytes,
    "used_memory_lua_human" => |facts| human(scripting(facts.shared).interpreter_bytes as u64),
    "used_memory_scripts_eval" => |facts| scripting(facts.shared).script_bytes,
    "number_of_cached_scripts" => |facts| scripting(facts.shared).scripts,
    "number_of_functions" => |facts| scripting(facts.shared).functions,
    "number_of_libraries" => |facts| scripting(facts.shared).libraries,
    "used_memory_functions" => |facts| scripting(facts.shared).function_bytes,
    "used_memory_scripts" => |facts| script_bytes(facts.shared),
    "used_memory_scripts_human" => |facts| human(script_bytes(facts.shared) as u64),
    "maxmemory" => |facts| facts.config.maxmemory(),
    "maxmemory_human" => |facts| human(facts.config.maxmemory()),
    "maxmemory_policy" => |facts| facts.config.maxmemory_policy().as_str(),
    "allocator_frag_ratio" => |facts| ratio(facts.memory.active, facts.memory.allocated),
    "allocator_frag_bytes" => |facts| difference(facts.memory.active, facts.memory.allocated),
    "allocator_rss_ratio" => |facts| ratio(facts.memory.resident, facts.memory.active),
    "allocator_rss_bytes" => |facts| difference(facts.memory.resident, facts.memory.active),
    "rss_overhead_ratio" => |facts| ratio(facts.memory.rss, facts.memory.resident),
    "rss_overhead_bytes" => |facts| difference(facts.memory.rss, facts.memory.resident),
    "mem_fragmentation_ratio" => |facts| ratio(facts.memory.rss, facts.memory.allocated),
    "mem_fragmentation_bytes" => |facts| difference(facts.memory.rss, facts.memory.allocated),
    "mem_clients_normal" => |facts| clients(facts.shared),
    "mem_allocator" => |facts| facts.process.allocator(),
    "lazyfree_pending_objects" => |facts| facts.shared.reclaim.pending(),
    "lazyfreed_objects" => |facts| facts.shared.reclaim.freed(),
    "quoris_entry_bytes" => |facts| facts.shared.engine.borrow().keyspace().used_bytes(),
}

/// What has come since the start.
fn dataset(allocated: u64, start: u64) -> u64 {
    allocated.saturating_sub(start)
}

fn scripting(shared: &Shared) -> ScriptingFacts {
    shared.engine.borrow().scripting_facts()
}

/// What scripts and functions occupy beside the interpreter.
fn script_bytes(shared: &Shared) -> usize {
    let facts = scripting(shared);
    facts.script_bytes + facts.function_bytes
}

fn difference(of: u64, from: u64) -> i64 {
    of as i64 - from as i64
}

fn clients(shared: &Shared) -> usize {
    let bytes = |session: &crate::session::Session| {
        size_of::<crate::session::Session>() + session.input_bytes() + session.output_bytes()
    };
    shared.sessions.list().iter().map(|session| bytes(session)).sum()
}

/// A share in percent, as INFO writes it.
fn percent(of: u64, all: u64) -> String {
    let share = if all == 0 { 0.0 } else { of as f64 * 100.0 / all as f64 };
    format!("{share:.2}%")
}
