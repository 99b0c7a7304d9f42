//! What `HSCAN`, `SSCAN` and `ZSCAN` have in common.

use quoris_resp::Writer;

use crate::commands::elements;
use crate::spec::{Arg, Group, Spec, integer, key, pattern};
use crate::types::Element;

pub const KEY: Arg = key("key");
pub const CURSOR: Arg = integer("cursor");
pub const MATCH: Arg = pattern("pattern").after("MATCH").optional();
pub const COUNT: Arg = integer("count").after("COUNT").optional();

/// The declaration of a scan, without its arguments.
pub const fn spec(name: &'static str, group: Group, summary: &'static str) -> Spec {
    Spec::new(name, group, "2.8.0", summary)
        .tips(&["nondeterministic_output"])
        .complexity("O(1) for every call. O(N) for a complete iteration")
}

/// Writes the reply to one call: the next cursor, and elements with or without values.
pub fn write<'a>(
    reply: &mut Writer<'_>,
    next: u64,
    found: impl Iterator<Item = (Element<'a>, Option<Element<'a>>)>,
) {
    reply.array(2);
    reply.bulk(itoa::Buffer::new().format(next).as_bytes());
    let (begun, mut replies) = (reply.open(), 0);
    for (element, value) in found {
        elements::write(reply, element);
        replies += 1;
        if let Some(value) = value {
            elements::write(reply, value);
            replies += 1;
        }
    }
    reply.close_array(begun, replies);
}

/// Writes the reply for a key that does not exist. Its options are not looked at.
pub fn write_nothing(reply: &mut Writer<'_>) {
    write(reply, 0, core::iter::empty());
}
