//! Random fields.

use alloc::vec::Vec;

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::{elements, options};
use crate::context::ReadCx;
use crate::error::{OUT_OF_RANGE, Result, SYNTAX};
use crate::spec::{Group, Spec, block, integer, key, token};
use crate::types::Element;

/// HRANDFIELD key [count [WITHVALUES]]
pub(super) const HRANDFIELD: Command = Command {
    spec: Spec::new("hrandfield", Group::Hash, "6.2.0", "Returns random fields of a hash.")
        .tips(&["nondeterministic_output"])
        .args(&[
            key("key"),
            block("options", &[integer("count"), token("withvalues", "WITHVALUES").optional()])
                .optional(),
        ])
        .differs("A negative count is refused if the reply would exceed what the longest string may hold.")
        .complexity("O(N) where N is the number of fields returned"),
    run: Run::Read(hrandfield),
};

fn hrandfield(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let key = cx.key(&args, 1);
    let Some(count) = args.try_get(2) else {
        let fields = cx.fields(&key)?.filter(|fields| !fields.is_empty());
        let field = fields.and_then(|fields| {
            let drawn = cx.random_below(fields.len());
            fields.at(core::iter::once(drawn)).next()
        });
        elements::write_or_null(reply, field.map(|(field, _)| field));
        return Ok(());
    };
    let count = options::sample_range(count)?;
    let with_values = match args.len() {
        3 => false,
        4 if options::is(args.get(3), "withvalues") => true,
        _ => return Err(SYNTAX),
    };
    if with_values && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(OUT_OF_RANGE);
    }
    let Some(fields) = cx.fields(&key)?.filter(|fields| !fields.is_empty()) else {
        reply.array(0);
        return Ok(());
    };
    if count >= fields.len() as i64 {
        return write(reply, fields.iter(), fields.len(), with_values, usize::MAX);
    }
    let (indexes, most) = if count < 0 {
        let count = options::sample_count(count)?;
        let indexes = (0..count).map(|_| cx.random_below(fields.len())).collect::<Vec<_>>();
        (indexes, elements::repeated_bytes_max(cx.settings()))
    } else {
        let below = |bound| cx.random_below(bound);
        (elements::draw(fields.len(), count as usize, below), usize::MAX)
    };
    let count = indexes.len();
    write(reply, fields.at(indexes.into_iter()), count, with_values, most)
}

/// Writes fields: with values, pairs of their own in RESP3 and two replies in a row in RESP2. A
/// reply of more than `most` bytes is refused.
fn write<'a>(
    reply: &mut Writer<'_>,
    pairs: impl Iterator<Item = (Element<'a>, Element<'a>)>,
    count: usize,
    with_values: bool,
    most: usize,
) -> Result {
    let start = reply.mark();
    let paired = with_values && reply.is_resp3();
    reply.array(if with_values && !paired { count * 2 } else { count });
    for (field, value) in pairs {
        if paired {
            reply.array(2);
        }
        elements::write(reply, field);
        if with_values {
            elements::write(reply, value);
        }
        if reply.mark() - start > most {
            return Err(OUT_OF_RANGE);
        }
    }
    Ok(())
}
