//! LOLWUT: something to look at, and the version.

use std::fmt::Write as _;

use quoris_engine::spec::{Flags, Group, Spec, integer};
use quoris_engine::{Args, Result, Rng};
use quoris_resp::Writer;

use crate::cli::REDIS_VERSION;
use crate::registry::{NodeCommand, NodeCx, Outcome};

pub(super) const COMMANDS: &[NodeCommand] = &[LOLWUT];

/// LOLWUT [VERSION version]
const LOLWUT: NodeCommand = NodeCommand::new(
    Spec::new("lolwut", Group::Server, "5.0.0", "Shows a picture and the version.")
        .differs("One picture, whatever the version.")
        .args(&[integer("version").after("VERSION").optional()])
        .arity(-1)
        .flags(Flags::FAST),
    lolwut,
);

/// How many columns and rows of the picture.
const SIZE: (usize, usize) = (48, 12);

fn lolwut(cx: &mut NodeCx<'_>, _: Args<'_>, reply: &mut Writer<'_>) -> Result<Outcome> {
    let mut text = picture(cx.shared.entropy.next_u64());
    let version = env!("CARGO_PKG_VERSION");
    text.push_str("\nSlots in search of a leader. ");
    let _ = writeln!(text, "Redis ver. {REDIS_VERSION}, Quoris ver. {version}");
    reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}

/// Three voters and the territory that each of them is nearest to.
fn picture(seed: u64) -> String {
    const VOTERS: [(char, char); 3] = [('A', '.'), ('B', ':'), ('C', ' ')];
    let (columns, rows) = SIZE;
    let mut rng = Rng::new(seed);
    let places: Vec<(usize, usize)> =
        VOTERS.iter().map(|_| (rng.below(columns), rng.below(rows))).collect();
    let mut text = String::new();
    for row in 0..rows {
        for column in 0..columns {
            // A row is twice as high as a column is wide.
            let distance = |place: &(usize, usize)| {
                place.0.abs_diff(column).pow(2) + (2 * place.1.abs_diff(row)).pow(2)
            };
            let nearest = (0..places.len()).min_by_key(|&at| distance(&places[at])).unwrap_or(0);
            let (name, ground) = VOTERS[nearest];
            text.push(if distance(&places[nearest]) == 0 { name } else { ground });
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_picture_has_its_size() {
        for seed in 0..20 {
            let text = super::picture(seed);
            assert_eq!(text.lines().count(), super::SIZE.1);
            assert!(text.lines().all(|line| line.len() == super::SIZE.0));
        }
    }
}
