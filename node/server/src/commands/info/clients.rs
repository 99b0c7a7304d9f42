//! Who is connected: `clients`.

use super::{Section, fields, no_lines};
use crate::session::{Hold, Session};

pub(super) const SECTION: Section = Section {
    name: "clients",
    title: "Clients",
    by_default: true,
    fields: FIELDS,
    lines: no_lines,
};

fields! { FIELDS:
    "connected_clients" => |facts| facts.shared.sessions.len(),
    "maxclients" => |facts| facts.config.maxclients(),
    "client_recent_max_input_buffer" => |facts| largest(facts.shared, Session::input_bytes),
    "client_recent_max_output_buffer" => |facts| largest(facts.shared, Session::output_bytes),
    "tracking_clients" => |facts| facts.shared.tracking.clients(),
    "pubsub_clients" => |facts| count(facts.shared, |session| session.is_subscriber.get()),
    "blocked_clients" => |facts| count(facts.shared, |session| matches!(session.hold(), Hold::Later | Hold::Blocked)),
    "quoris_paused_clients" => |facts| count(facts.shared, |session| session.hold() == Hold::Paused),
}

fn largest(shared: &crate::shared::Shared, bytes: fn(&Session) -> usize) -> usize {
    shared.sessions.list().iter().map(|session| bytes(session)).max().unwrap_or(0)
}

fn count(shared: &crate::shared::Shared, is: fn(&Session) -> bool) -> usize {
    shared.sessions.list().iter().filter(|session| is(session)).count()
}
